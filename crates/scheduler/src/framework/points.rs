//! [`Framework`]: plugins, and which of them act at each point, in which order.

use std::time::Duration;

use super::{Candidates, Cycle, EachNode, Filter, Plugin, Reason, Score, Step, Tally};
use crate::cluster::Cluster;
use crate::node::Node;
use crate::pod::PodInfo;

/// The plugins of one profile.
#[derive(Default)]
pub struct Framework {
    plugins: Vec<Plugin>,
    /// Which filters run, in this order.
    filters: Vec<usize>,
    /// Which scores count, and how much.
    scores: Vec<(usize, i64)>,
    /// Of how many nodes in a hundred scores are taken; `None`: fewer the more there are.
    share: Option<usize>,
}

/// What a filter is for one pod, by the plugin's name.
pub type Prepared<'a> = (&'static str, EachNode<'a>);

// === impl Framework ===

impl Framework {
    /// All plugins of the registry, each with the weight it has of itself.
    #[must_use]
    pub fn new() -> Self {
        Self::of(crate::plugin::all())
    }

    /// Only these, at every point they extend.
    #[must_use]
    pub fn of(plugins: Vec<Plugin>) -> Self {
        let filters = (0..plugins.len()).filter(|at| plugins[*at].filter.is_some()).collect();
        let weighed = |(at, plugin): (usize, &Plugin)| Some((at, plugin.score.as_ref()?.weight()));
        let scores = plugins.iter().enumerate().filter_map(weighed).collect();
        Self { plugins, filters, scores, share: None }
    }

    /// These, with filters in another order and scores of other weights; names that are no such plugin's are left out.
    #[must_use]
    pub fn arranged(plugins: Vec<Plugin>, filters: &[&str], scores: &[(&str, i64)], share: Option<usize>) -> Self {
        let at = |name: &str| plugins.iter().position(|plugin| plugin.name == name);
        let filters = filters.iter().filter_map(|name| at(name)).collect();
        let scores = scores.iter().filter_map(|(name, weight)| Some((at(name)?, *weight))).collect();
        Self { plugins, filters, scores, share }
    }

    /// All plugins.
    #[must_use]
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    /// The filters that run, in order.
    pub fn filters(&self) -> impl Iterator<Item = (&'static str, &dyn Filter)> {
        self.filters.iter().filter_map(|at| Some((self.plugins[*at].name, self.plugins[*at].filter.as_deref()?)))
    }

    /// The scores that count, and how much.
    pub fn scores(&self) -> impl Iterator<Item = (&'static str, &dyn Score, i64)> {
        let scored =
            |(at, weight): &(usize, i64)| Some((self.plugins[*at].name, self.plugins[*at].score.as_deref()?, *weight));
        self.scores.iter().filter_map(scored)
    }

    /// Of how many nodes in a hundred scores are taken; `None`: fewer the more there are.
    #[must_use]
    pub const fn share(&self) -> Option<usize> {
        self.share
    }

    /// Whether others may have to leave for a pod, and how long to look for them.
    #[must_use]
    pub fn preemption(&self) -> Option<Candidates> {
        self.plugins.iter().find_map(|plugin| plugin.preemption)
    }

    /// Why a pod may not be looked at at all, if so.
    #[must_use]
    pub fn closed(&self, pod: &PodInfo) -> Option<Reason> {
        self.plugins.iter().filter_map(|p| p.gate.as_ref()).find_map(|gate| gate.closed(pod))
    }

    /// How far in front of the queue a pod stands: the first plugin that has an order says.
    #[must_use]
    pub fn rank(&self, pod: &PodInfo) -> i64 {
        self.plugins.iter().find_map(|p| p.sort.as_ref()).map(|sort| sort.rank(pod)).unwrap_or_default()
    }

    /// What a pod needs at a node before it is bound.
    #[must_use]
    pub fn steps(&self, cycle: Cycle<'_>, node: &Node) -> Vec<Step> {
        self.plugins.iter().filter_map(|p| p.reserve.as_ref()).flat_map(|reserve| reserve.steps(cycle, node)).collect()
    }

    /// How long what a pod needs may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.plugins.iter().filter_map(|p| p.reserve.as_ref()).map(|r| r.patience()).max().unwrap_or_default()
    }

    /// A plugin by name.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }

    /// Makes a cluster add up, from now on, what the plugins ask of it for a pod: before its cycle.
    pub fn tally(&self, cluster: &mut Cluster, pod: &PodInfo) {
        for tallies in self.plugins.iter().filter_map(|p| p.tallies.as_ref()) {
            for Tally { group, key } in tallies(pod) {
                cluster.follow(&key);
                if let Some(group) = group {
                    cluster.track(group);
                }
            }
        }
    }
}
