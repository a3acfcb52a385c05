//! [`Counters`]: how many pods of a group are on each node, kept up to date by each pod that comes or
//! goes and never worked out anew for a pod that is to be placed.

use nakhoda_api::selector::LabelSelector;

use super::affinity::{Namespaces, Near};
use crate::framework::Cycle;
use crate::node::Node;
use crate::pod::PodInfo;

/// Groups that are counted at most; the one unused for longest goes.
const MOST: usize = 1024;

/// Pods that belong together. Pods being deleted do not count, but where others want them near or away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Group {
    /// By the controller that made them.
    Controller {
        /// Their namespace.
        namespace: String,
        /// Its UID.
        uid: String,
    },
    /// By their labels.
    Labels {
        /// Their namespace.
        namespace: String,
        /// Which labels.
        selector: LabelSelector,
    },
    /// By all of these descriptions, wherever they are.
    Near(Vec<Near>),
}

/// Counts by group and slot.
#[derive(Debug, Default)]
pub struct Counters {
    counters: Vec<Counter>,
    tick: u64,
}

#[derive(Debug)]
struct Counter {
    group: Group,
    counts: Vec<u32>,
    used: u64,
}

// === impl Group ===

impl Group {
    /// Whether a pod belongs to it.
    #[must_use]
    pub fn has(&self, pod: &PodInfo, namespaces: &Namespaces) -> bool {
        match self {
            Self::Controller { namespace, uid } => {
                !pod.is_terminating() && pod.key.namespace == *namespace && pod.controller.as_deref() == Some(uid)
            }
            Self::Labels { namespace, selector } => {
                !pod.is_terminating()
                    && pod.key.namespace == *namespace
                    && selector.matches(&pod.object.metadata.labels)
            }
            Self::Near(all) => all.iter().all(|near| near.means(pod, namespaces)),
        }
    }

    /// Whether the pod of a cycle would belong to it.
    #[must_use]
    pub fn would_have(&self, cycle: Cycle<'_>) -> bool {
        self.has(cycle.pod, cycle.cluster.namespaces())
    }

    /// Whether it depends on the labels of namespaces.
    fn asks_namespaces(&self) -> bool {
        matches!(self, Self::Near(all) if all.iter().any(|near| near.by_label.is_some()))
    }
}

// === impl Counters ===

impl Counters {
    pub(super) fn get(&self, group: &Group) -> &[u32] {
        self.counters.iter().find(|c| c.group == *group).map(|c| c.counts.as_slice()).unwrap_or_default()
    }

    pub(super) fn track(&mut self, group: Group, nodes: &[Node], namespaces: &Namespaces) {
        self.tick += 1;
        let tick = self.tick;
        if let Some(known) = self.counters.iter_mut().find(|c| c.group == group) {
            known.used = tick;
            return;
        }
        if self.counters.len() >= MOST
            && let Some(oldest) = self.counters.iter().enumerate().min_by_key(|(_, c)| c.used).map(|(i, _)| i)
        {
            self.counters.swap_remove(oldest);
        }
        let members = |node: &Node| node.pods.values().filter(|pod| group.has(pod, namespaces)).count();
        let counts = nodes.iter().map(|node| u32::try_from(members(node)).unwrap_or(u32::MAX)).collect();
        self.counters.push(Counter { group, counts, used: tick });
    }

    pub(super) fn widen(&mut self, slots: usize) {
        for counter in &mut self.counters {
            counter.counts.resize(slots.max(counter.counts.len()), 0);
        }
    }

    /// The labels of a namespace have changed: what depends on them is counted anew when next asked.
    pub(super) fn renamed(&mut self) {
        self.counters.retain(|counter| !counter.group.asks_namespaces());
    }

    pub(super) fn add(&mut self, slot: usize, pod: &PodInfo, namespaces: &Namespaces) {
        for counter in self.counters.iter_mut().filter(|c| c.group.has(pod, namespaces)) {
            counter.counts[slot] += 1;
        }
    }

    pub(super) fn remove(&mut self, slot: usize, pod: &PodInfo, namespaces: &Namespaces) {
        for counter in self.counters.iter_mut().filter(|c| c.group.has(pod, namespaces)) {
            counter.counts[slot] = counter.counts[slot].saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Cluster;
    use crate::fixtures::{info, node, pod};

    #[test]
    fn counts_start_from_what_is_there_and_follow() {
        let mut cluster = Cluster::default();
        cluster.set_node(&node("n").build());
        cluster.place(info(pod("a").label("app", "web").on("n")));
        cluster.place(info(pod("b").label("app", "db").on("n")));
        let selector = LabelSelector::parse("app=web").expect("a selector");
        let group = Group::Labels { namespace: "default".into(), selector };
        cluster.track(group.clone());
        assert_eq!(cluster.count(&group), [1]);
        cluster.set_node(&node("m").build());
        cluster.place(info(pod("c").label("app", "web").on("m")));
        assert_eq!(cluster.count(&group), [1, 1]);
        cluster.remove("a");
        assert_eq!(cluster.count(&group), [0, 1]);
    }
}
