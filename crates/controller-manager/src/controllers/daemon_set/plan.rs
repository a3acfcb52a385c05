//! Where pods are made and which go: first every node gets its pod, and then, if the template has
//! changed, old pods give way without too many nodes being without one.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::apps::DaemonSet;
use nakhoda_api::kinds::core::{Node, Pod};
use nakhoda_client::Resource;

use super::pod::{target, tolerations};
use super::status::min_ready;
use crate::history::HASH;
use crate::placement::Placement;
use crate::pods::{is_available, is_finished, is_ready};
use crate::share::scaled;

/// The longest wait for the replacement of a failed pod.
const LONGEST: i64 = 15 * 60;

/// A node as a daemon set sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The node's name.
    pub node: String,
    /// Whether pods come and stay.
    pub placement: Placement,
    /// The set's pods there, oldest first; those that have ended and are going are not among them.
    pub pods: Vec<Arc<Pod>>,
}

/// A pod that has ended though it should run.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// The pod.
    pub pod: Arc<Pod>,
    /// Its node.
    pub node: String,
    /// Whether it failed.
    pub failed: bool,
}

/// What to do.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    /// Nodes that get a pod.
    pub create: Vec<String>,
    /// Pods that go.
    pub delete: Vec<Arc<Pod>>,
    /// Pods that go to be replaced.
    pub ended: Vec<Ended>,
}

/// How many nodes may be without a pod, or with two, during an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    unavailable: usize,
    surge: usize,
}

/// What a judgement needs besides a site.
struct View<'a> {
    hash: &'a str,
    min_ready: i32,
    now: Timestamp,
    surges: bool,
}

// === impl Plan ===

impl Plan {
    /// What to do at these sites. `strays` wait for nodes that are gone.
    #[must_use]
    pub fn new(set: &DaemonSet, sites: &[Site], strays: Vec<Arc<Pod>>, hash: &str, now: Timestamp) -> Self {
        let limits = limits(set, sites.iter().filter(|s| s.placement.runs).count());
        let view = View { hash, min_ready: min_ready(set), now, surges: limits.surge > 0 };
        let mut plan = Self { delete: strays, ..Self::default() };
        sites.iter().for_each(|site| plan.manage(site, &view));
        if plan == Self::default() && !is_on_delete(set) {
            if view.surges { plan.surge(sites, limits, &view) } else { plan.roll(sites, limits, &view) }
        }
        plan
    }

    fn manage(&mut self, site: &Site, view: &View<'_>) {
        let live = site.pods.iter().filter(|p| !p.is_terminating());
        if !site.placement.stays {
            self.delete.extend(live.cloned());
            return;
        }
        if site.pods.is_empty() {
            self.create.extend(site.placement.runs.then(|| site.node.clone()));
            return;
        }
        let (ended, running): (Vec<_>, Vec<_>) = live.cloned().partition(|p| is_finished(p));
        self.ended.extend(ended.into_iter().map(|pod| {
            let failed = crate::pods::phase(&pod) == "Failed";
            Ended { pod, node: site.node.clone(), failed }
        }));
        if !view.surges {
            self.delete.extend(running.into_iter().skip(1));
        } else if running.is_empty() {
            self.create.extend(site.placement.runs.then(|| site.node.clone()));
        } else {
            self.keep_two(running, view);
        }
    }

    /// The oldest of the template and the oldest other one may be there together, until the new one is
    /// available or the old one is no longer ready.
    fn keep_two(&mut self, running: Vec<Arc<Pod>>, view: &View<'_>) {
        let (new, old): (Vec<_>, Vec<_>) = running.into_iter().partition(|p| is_new(p, view.hash));
        self.delete.extend(new.iter().skip(1).chain(old.iter().skip(1)).cloned());
        if let (Some(new), Some(old)) = (new.first(), old.first())
            && (!is_ready(old) || is_available(new, view.min_ready, view.now))
        {
            self.delete.push(old.clone());
        }
    }

    /// Old pods that do not work go at once, and as many that do as may lack.
    fn roll(&mut self, sites: &[Site], limits: Limits, view: &View<'_>) {
        let mut lacking = 0;
        let mut candidates = Vec::new();
        for site in sites.iter().filter(|s| s.placement.runs || !s.pods.is_empty()) {
            let works = |p: &Arc<Pod>| !p.is_terminating() && is_available(p, view.min_ready, view.now);
            match site.pods.iter().find(|p| !p.is_terminating()) {
                Some(old) if !is_new(old, view.hash) && works(old) => candidates.push(old.clone()),
                Some(old) if !is_new(old, view.hash) => {
                    self.delete.push(old.clone());
                    lacking += 1;
                }
                Some(new) if works(new) => {}
                _ => lacking += 1,
            }
        }
        self.delete.extend(candidates.into_iter().take(limits.unavailable.saturating_sub(lacking)));
    }

    /// New pods come beside old ones that work, as many as the surge lets, and beside all that do not.
    fn surge(&mut self, sites: &[Site], limits: Limits, view: &View<'_>) {
        let mut surging = 0;
        let mut candidates = Vec::new();
        for site in sites.iter().filter(|s| s.placement.runs) {
            let (new, old): (Vec<_>, Vec<_>) = site.pods.iter().partition(|p| is_new(p, view.hash));
            match (new.first(), old.first()) {
                (Some(_), Some(_)) => surging += 1,
                (None, Some(old)) if is_available(old, view.min_ready, view.now) => candidates.push(site.node.clone()),
                (None, Some(_)) => self.create.push(site.node.clone()),
                _ => {}
            }
        }
        self.create.extend(candidates.into_iter().take(limits.surge.saturating_sub(surging)));
    }
}

/// The nodes with the set's pods, and pods that wait for nodes that are gone.
#[must_use]
pub fn sites(set: &DaemonSet, nodes: &[Arc<Node>], pods: &[Arc<Pod>]) -> (Vec<Site>, Vec<Arc<Pod>>) {
    let spec = set.spec.template.spec.clone().unwrap_or_default();
    let tolerations = tolerations(&spec);
    let mut by_node: BTreeMap<String, Site> = BTreeMap::new();
    for node in nodes {
        let placement = Placement::of(&spec, &tolerations, node);
        by_node.insert(node.name().into(), Site { node: node.name().into(), placement, pods: Vec::new() });
    }
    let mut strays = Vec::new();
    for pod in pods.iter().filter(|p| !(p.is_terminating() && is_finished(p))) {
        match target(pod).and_then(|node| by_node.get_mut(node)) {
            Some(site) => site.pods.push(pod.clone()),
            None if crate::pods::node(pod).is_none() && !pod.is_terminating() => strays.push(pod.clone()),
            None => {}
        }
    }
    for site in by_node.values_mut() {
        site.pods.sort_by(|a, b| age(a).cmp(&age(b)));
    }
    (by_node.into_values().collect(), strays)
}

/// Whether a pod is of the template of this hash.
#[must_use]
pub fn is_new(pod: &Pod, hash: &str) -> bool {
    pod.metadata.labels.as_ref().and_then(|l| l.get(HASH)).is_some_and(|h| h == hash)
}

/// The wait after so many failures.
#[must_use]
pub fn backoff(failures: u32) -> SignedDuration {
    let seconds = if failures == 0 { 0 } else { 1_i64.checked_shl(failures - 1).unwrap_or(LONGEST).clamp(1, LONGEST) };
    SignedDuration::from_secs(seconds)
}

fn age(pod: &Pod) -> (bool, Option<Timestamp>, &str) {
    let made = pod.metadata.creation_timestamp.as_ref().map(|t| t.0);
    (crate::pods::node(pod).is_none(), made, pod.name())
}

fn is_on_delete(set: &DaemonSet) -> bool {
    set.spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref()) == Some("OnDelete")
}

fn limits(set: &DaemonSet, wanted: usize) -> Limits {
    let rolling = set.spec.update_strategy.as_ref().and_then(|s| s.rolling_update.as_ref());
    let total = i32::try_from(wanted).unwrap_or(i32::MAX);
    let share = |value| usize::try_from(scaled(value, total, true)).unwrap_or_default();
    let surge = share(rolling.and_then(|r| r.max_surge.as_ref()));
    let unavailable = rolling.and_then(|r| r.max_unavailable.as_ref());
    let unavailable = if unavailable.is_none() { 1 } else { share(unavailable) };
    Limits { surge, unavailable: if surge == 0 { unavailable.max(1) } else { unavailable } }
}

#[cfg(test)]
mod tests;
