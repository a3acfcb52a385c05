//! [`Pressures`]: on which nodes tasks are stalled for want of what, and which workloads are stalled there.
//!
//! What is learned of a workload is how long its pods are stalled where others are, too: one that asks for much of what
//! is short waits for it longest, so this tells both who makes it short and who suffers. On calm nodes nothing is
//! learned. What was placed since a node was measured is expected to behave as it did before.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use nakhoda_api::kinds::pressure::{NodePressure, Stalls};
use nakhoda_client::Resource;

use crate::pod::PodInfo;

/// Parts of the time in per cent, in the order of [`Stalls::NAMES`].
pub type Parts = [u8; 3];

/// A node whose tasks are stalled less teaches nothing.
const CONTENDED: u8 = 20;
/// How much a workload cares that is not known: pods of all kinds need all of it.
const UNKNOWN: Parts = [50; 3];
/// How much one cares at least that did not wait: it is needed now and then by all.
const LEAST: u8 = 20;
/// Who is stalled so often, in per cent, cares as much as one can.
const CARES: u8 = 33;
/// How many workloads are remembered.
const MOST: usize = 4096;
/// How long a pod counts as not measured yet: two rounds of a kubelet, and then some.
const UNMEASURED: Duration = Duration::from_secs(30);

/// What is measured and what was learned.
#[derive(Debug, Default)]
pub struct Pressures {
    /// Nodes on which anything is stalled.
    nodes: HashMap<String, Parts>,
    workloads: HashMap<String, Workload>,
    /// What pods that were placed lately are expected to add, by node.
    expected: HashMap<String, Vec<(Instant, Parts)>>,
    reports: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Workload {
    stalled: [f32; 3],
    /// By which reports anything is known.
    known: [bool; 3],
    seen: u64,
}

// === impl Pressures ===

impl Pressures {
    /// A node was measured; these pods are there.
    pub fn measure<'a>(&mut self, report: &NodePressure, pods: impl Iterator<Item = &'a PodInfo>) {
        let node = report.name();
        let parts = some(report.node);
        self.reports += 1;
        self.expected.remove(node);
        if parts == [0; 3] {
            self.nodes.remove(node);
        } else {
            self.nodes.insert(node.into(), parts);
        }
        if parts.iter().all(|part| *part < CONTENDED) {
            return;
        }
        let told: HashMap<&str, Parts> = report.pods.iter().map(|pod| (pod.uid.as_str(), some(pod.stalls))).collect();
        // Of several pods of a workload the one that waits longest tells.
        let mut seen: BTreeMap<String, Parts> = BTreeMap::new();
        for pod in pods {
            let own = told.get(pod.uid.as_str()).copied().unwrap_or_default();
            let most = seen.entry(pod.workload()).or_default();
            most.iter_mut().zip(own).for_each(|(most, own)| *most = own.max(*most));
        }
        for (workload, own) in seen {
            self.workloads.entry(workload).or_default().learn(parts, own, self.reports);
        }
        self.forget_some();
    }

    /// A node is gone, or is measured no more.
    pub fn remove(&mut self, node: &str) {
        self.nodes.remove(node);
        self.expected.remove(node);
    }

    /// A pod was placed: until its node is measured again it is expected to be stalled as its like are.
    pub fn expect(&mut self, pod: &PodInfo, node: &str, now: Instant) {
        if self.workloads.is_empty() {
            return;
        }
        let Some(workload) = self.workloads.get(&pod.workload()) else { return };
        let parts = workload.parts().map(|part| if part < CONTENDED { 0 } else { part });
        if parts != [0; 3] {
            self.expected.entry(node.into()).or_default().push((now, parts));
        }
    }

    /// What was expected long ago has been measured since.
    pub fn settle(&mut self, now: Instant) {
        self.expected.retain(|_, pods| {
            pods.retain(|(placed, _)| now.saturating_duration_since(*placed) < UNMEASURED);
            !pods.is_empty()
        });
    }

    /// Whether nothing is stalled anywhere, nor expected to be.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.nodes.is_empty() && self.expected.is_empty()
    }

    /// How long tasks are stalled on a node, with what is expected of new ones.
    #[must_use]
    pub fn at(&self, node: &str) -> Parts {
        let mut parts = self.nodes.get(node).copied().unwrap_or_default();
        for (_, more) in self.expected.get(node).into_iter().flatten() {
            parts.iter_mut().zip(more).for_each(|(part, more)| *part = part.saturating_add(*more).min(100));
        }
        parts
    }

    /// How much a pod's workload cares about each resource, from 0 to 100.
    #[must_use]
    pub fn cares(&self, pod: &PodInfo) -> Parts {
        let Some(workload) = self.workloads.get(&pod.workload()) else { return UNKNOWN };
        let scaled = |part: u8| u8::try_from(u32::from(part) * 100 / u32::from(CARES)).unwrap_or(100).min(100);
        let mut cares = workload.parts().map(scaled);
        for (cares, known) in cares.iter_mut().zip(workload.known) {
            *cares = if known { LEAST.max(*cares) } else { UNKNOWN[0] };
        }
        cares
    }

    /// Nodes on which such a pod would wait longer than on another, the worst first, and for what.
    #[must_use]
    pub fn worse_than(&self, pod: &PodInfo, node: &str, by: i64) -> Vec<(&str, &'static str, u8)> {
        if self.are_none() {
            return Vec::new();
        }
        let cares = self.cares(pod);
        let here = cost(self.at(node), cares).0;
        let mut worse: Vec<(i64, &str, usize)> = Vec::new();
        for other in self.nodes.keys() {
            let (cost, resource) = cost(self.at(other), cares);
            if cost >= here + by {
                worse.push((cost, other.as_str(), resource));
            }
        }
        worse.sort_by_key(|(cost, other, _)| (std::cmp::Reverse(*cost), *other));
        worse.into_iter().map(|(_, other, at)| (other, Stalls::NAMES[at], self.at(other)[at])).collect()
    }

    /// Of too many workloads those go that were not seen for longest.
    fn forget_some(&mut self) {
        if self.workloads.len() <= MOST {
            return;
        }
        let mut seen: Vec<u64> = self.workloads.values().map(|workload| workload.seen).collect();
        seen.sort_unstable();
        let since = seen[seen.len() - MOST * 3 / 4];
        self.workloads.retain(|_, workload| workload.seen >= since);
        // Many were seen at once.
        if self.workloads.len() > MOST {
            self.workloads.retain(|_, workload| workload.seen > since);
        }
    }
}

// === impl Workload ===

impl Workload {
    fn learn(&mut self, node: Parts, own: Parts, report: u64) {
        self.seen = report;
        for at in 0..3 {
            if node[at] >= CONTENDED {
                let own = f32::from(own[at]);
                self.stalled[at] = if self.known[at] { self.stalled[at].mul_add(0.7, own * 0.3) } else { own };
                self.known[at] = true;
            }
        }
    }

    fn parts(&self) -> Parts {
        self.stalled.map(|part| part.round() as u8)
    }
}

/// What it costs someone who cares so much to be where tasks are stalled so long, from 0 to 100, and for want of what.
#[must_use]
pub fn cost(stalled: Parts, cares: Parts) -> (i64, usize) {
    let costs = stalled.into_iter().zip(cares).map(|(stalled, cares)| i64::from(stalled) * i64::from(cares) / 100);
    let worst = costs.enumerate().max_by_key(|(at, cost)| (*cost, std::cmp::Reverse(*at)));
    worst.map_or((0, 0), |(at, cost)| (cost, at))
}

fn some(stalls: Stalls) -> Parts {
    stalls.each().map(|stall| stall.some)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::{info, pod, pressure};

    fn of(name: &str, workload: &str) -> Arc<PodInfo> {
        info(pod(name).made_by("StatefulSet", workload))
    }

    #[test]
    fn who_waits_where_others_wait_is_known_and_calm_nodes_teach_nothing() {
        let (hog, mild) = (of("hog-0", "hog"), of("mild-0", "mild"));
        let mut pressures = Pressures::default();
        let pods = [&*hog, &*mild];
        pressures.measure(&pressure("n", 10, &[("hog-0", 90)]), pods.into_iter());
        assert_eq!(pressures.cares(&hog), UNKNOWN);
        pressures.measure(&pressure("n", 60, &[("hog-0", 90)]), pods.into_iter());
        // nothing is known of memory and disks, on which nobody waited
        assert_eq!((pressures.cares(&hog), pressures.cares(&mild)), ([100, 50, 50], [LEAST, 50, 50]));
        assert_eq!((pressures.at("n"), pressures.at("other")), ([60, 0, 0], [0, 0, 0]));
        for _ in 0..20 {
            pressures.measure(&pressure("n", 60, &[("mild-0", 40)]), pods.into_iter());
        }
        assert_eq!((pressures.cares(&hog)[0], pressures.cares(&mild)[0]), (LEAST, 100), "both have changed");
        pressures.measure(&pressure("n", 0, &[]), pods.into_iter());
        assert!(pressures.are_none());
    }

    #[test]
    fn who_was_placed_lately_is_expected_to_be_as_its_like() {
        let (hog, now) = (of("hog-0", "hog"), Instant::now());
        let mut pressures = Pressures::default();
        pressures.expect(&hog, "m", now);
        assert!(pressures.are_none(), "nothing is known of it");
        pressures.measure(&pressure("n", 60, &[("hog-0", 70)]), std::iter::once(&*hog));
        pressures.expect(&of("hog-1", "hog"), "m", now);
        pressures.expect(&of("hog-2", "hog"), "m", now);
        assert_eq!(pressures.at("m"), [100, 0, 0]);
        pressures.settle(now + UNMEASURED);
        assert_eq!(pressures.at("m"), [0; 3]);
        pressures.expect(&of("hog-1", "hog"), "m", now);
        pressures.measure(&pressure("m", 20, &[]), std::iter::empty());
        assert_eq!(pressures.at("m"), [20, 0, 0]);
        pressures.remove("m");
        pressures.remove("n");
        assert!(pressures.are_none());
    }

    #[test]
    fn the_nodes_that_would_be_worse_are_told() {
        let mut pressures = Pressures::default();
        for (node, some) in [("calm", 5), ("bad", 50), ("worst", 90)] {
            pressures.measure(&pressure(node, some, &[]), std::iter::empty());
        }
        let stranger = info(pod("p"));
        assert_eq!(pressures.worse_than(&stranger, "calm", 10), [("worst", "cpu", 90), ("bad", "cpu", 50)]);
        assert!(pressures.worse_than(&stranger, "worst", 10).is_empty());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut pressures = Pressures::default();
        for round in 0..3 {
            let crowd: Vec<_> = (0..3000).map(|n| of("p", &format!("w{round}-{n}"))).collect();
            pressures.measure(&pressure("n", 60, &[]), crowd.iter().map(|pod| &**pod));
            assert!(pressures.workloads.len() <= MOST, "{}", pressures.workloads.len());
        }
        assert!(pressures.workloads.contains_key("default/StatefulSet/w2-0"));
    }
}
