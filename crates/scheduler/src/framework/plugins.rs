//! [`Plugin`]: which points a plugin extends. [`Framework`]: all of them, in order.

use super::{Changes, Cycle, Filter, Gate, Reason, Reserve, Score, Sort, Step};
use crate::cluster::{Cluster, Group};
use crate::node::Node;
use crate::pod::PodInfo;

/// A plugin, by the points it extends.
#[derive(Default)]
pub struct Plugin {
    /// Upstream's name for it.
    pub name: &'static str,
    /// Which changes could make a pod fit that this plugin has refused.
    pub helped_by: Changes,
    /// Whether what it says of one node depends on others, so that a change anywhere may help.
    pub looks_around: bool,
    /// What must be added up for it.
    pub tallies: Option<fn(&PodInfo) -> Vec<Tally>>,
    /// See [`Gate`].
    pub gate: Option<Box<dyn Gate>>,
    /// See [`Sort`].
    pub sort: Option<Box<dyn Sort>>,
    /// See [`Filter`].
    pub filter: Option<Box<dyn Filter>>,
    /// See [`Score`].
    pub score: Option<Box<dyn Score>>,
    /// See [`Reserve`].
    pub reserve: Option<Box<dyn Reserve>>,
}

/// What a plugin adds up for a pod: how many pods of a group are in each domain of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Which pods; `None`: only the domains are wanted.
    pub group: Option<Group>,
    /// Whose values are the domains.
    pub key: String,
}

/// All plugins, in the order in which they run.
pub struct Framework {
    plugins: Vec<Plugin>,
}

// === impl Plugin ===

impl Plugin {
    /// A plugin that extends nothing yet.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// Adds a filter, and which changes could make it let a pod pass.
    #[must_use]
    pub fn filter(mut self, filter: impl Filter + 'static, helped_by: Changes) -> Self {
        self.filter = Some(Box::new(filter));
        self.helped_by = helped_by;
        self
    }

    /// Adds a score.
    #[must_use]
    pub fn score(mut self, score: impl Score + 'static) -> Self {
        self.score = Some(Box::new(score));
        self
    }

    /// Adds what a pod needs at its node.
    #[must_use]
    pub fn reserve(mut self, reserve: impl Reserve + 'static) -> Self {
        self.reserve = Some(Box::new(reserve));
        self
    }

    /// Adds a gate.
    #[must_use]
    pub fn gate(mut self, gate: impl Gate + 'static) -> Self {
        self.gate = Some(Box::new(gate));
        self
    }

    /// Adds an order of the queue.
    #[must_use]
    pub fn sort(mut self, sort: impl Sort + 'static) -> Self {
        self.sort = Some(Box::new(sort));
        self
    }

    /// Adds what must be added up.
    #[must_use]
    pub fn tallies(mut self, tallies: fn(&PodInfo) -> Vec<Tally>) -> Self {
        self.tallies = Some(tallies);
        self
    }

    /// Says that what it says of one node depends on others.
    #[must_use]
    pub const fn looking_around(mut self) -> Self {
        self.looks_around = true;
        self
    }
}

// === impl Framework ===

impl Framework {
    /// All plugins of the registry.
    #[must_use]
    pub fn new() -> Self {
        Self { plugins: crate::plugin::all() }
    }

    /// Only these, for tests.
    #[must_use]
    pub const fn of(plugins: Vec<Plugin>) -> Self {
        Self { plugins }
    }

    /// All plugins.
    #[must_use]
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
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

    /// A plugin by name.
    #[must_use]
    pub fn plugin(&self, name: &str) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }

    /// Makes a cluster add up, from now on, what the plugins ask of it for a pod: before its cycle.
    pub fn tally(&self, cluster: &mut Cluster, pod: &PodInfo) {
        for tallies in self.plugins.iter().filter_map(|p| p.tallies) {
            for Tally { group, key } in tallies(pod) {
                cluster.follow(&key);
                if let Some(group) = group {
                    cluster.track(group);
                }
            }
        }
    }
}

impl Default for Framework {
    fn default() -> Self {
        Self::new()
    }
}
