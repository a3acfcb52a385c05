//! [`Attitudes`]: what placed pods want of others near them, counted by node. Pods of one template
//! share an entry, so that a pod that is to be placed is compared with few.

use std::collections::{BTreeMap, HashMap};

use nakhoda_api::kinds::core::PodAffinityTerm;
use nakhoda_api::selector::{LabelSelector, labels};

use super::topology::Topologies;
use crate::pod::PodInfo;

/// Labels of namespaces by name.
pub type Namespaces = HashMap<String, BTreeMap<String, String>>;

/// Which other pods are meant, and how near is near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// Which labels they have.
    pub selector: LabelSelector,
    /// Their namespaces by name.
    pub namespaces: Vec<String>,
    /// Their namespaces by label; `None`: only those named.
    pub by_label: Option<LabelSelector>,
    /// The label that all nodes of one neighbourhood share the value of.
    pub key: String,
}

/// What a placed pod thinks of another near it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attitude {
    /// It must not be there.
    Repels,
    /// It cannot do without; how much that counts for the other, the plugin knows.
    Needs,
    /// It adds so much to the neighbourhood's score.
    Weighs(i64),
}

/// Attitudes by node.
#[derive(Debug, Default)]
pub struct Attitudes {
    entries: Vec<Entry>,
}

/// One attitude, and how many pods at each slot have it.
#[derive(Debug)]
pub struct Entry {
    /// Towards whom.
    pub near: Near,
    /// Which.
    pub attitude: Attitude,
    /// By slot.
    pub counts: HashMap<usize, u32>,
}

// === impl Near ===

impl Near {
    /// Reads a term of a pod. One whose selector cannot be read means nobody.
    #[must_use]
    pub fn read(pod: &PodInfo, term: &PodAffinityTerm) -> Self {
        let nobody = LabelSelector::nothing;
        let mut namespaces = term.namespaces.clone().unwrap_or_default();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.push(pod.key.namespace.clone());
        }
        let by_label =
            term.namespace_selector.as_ref().map(|s| labels::from_typed(Some(s)).unwrap_or_else(|_| nobody()));
        let selector = labels::from_typed(term.label_selector.as_ref()).unwrap_or_else(|_| nobody());
        Self { selector, namespaces, by_label, key: term.topology_key.clone() }
    }

    /// Whether a pod is meant.
    #[must_use]
    pub fn means(&self, pod: &PodInfo, namespaces: &Namespaces) -> bool {
        let namespace = &pod.key.namespace;
        let labelled = || {
            self.by_label.as_ref().is_some_and(|selector| {
                selector.is_everything() || namespaces.get(namespace).is_some_and(|labels| selector.matches(labels))
            })
        };
        (self.namespaces.contains(namespace) || labelled()) && self.selector.matches(&pod.object.metadata.labels)
    }
}

// === impl Attitudes ===

impl Attitudes {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// `hold` is told of the label of an attitude that nobody had.
    pub(super) fn add(&mut self, slot: usize, pod: &PodInfo, mut hold: impl FnMut(&str)) {
        for (near, attitude) in of(pod) {
            let known = self.entries.iter_mut().find(|e| e.attitude == attitude && e.near == near);
            match known {
                Some(entry) => *entry.counts.entry(slot).or_default() += 1,
                None => {
                    hold(&near.key);
                    self.entries.push(Entry { near, attitude, counts: HashMap::from([(slot, 1)]) });
                }
            }
        }
    }

    pub(super) fn remove(&mut self, slot: usize, pod: &PodInfo, topologies: &mut Topologies) {
        for (near, attitude) in of(pod) {
            let Some(at) = self.entries.iter().position(|e| e.attitude == attitude && e.near == near) else { continue };
            let counts = &mut self.entries[at].counts;
            match counts.get_mut(&slot) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(counts.remove(&slot)),
            }
            if counts.is_empty() {
                topologies.release(&self.entries.swap_remove(at).near.key);
            }
        }
    }
}

fn of(pod: &PodInfo) -> Vec<(Near, Attitude)> {
    let Some(affinity) = pod.affinity() else { return Vec::new() };
    let mut attitudes = Vec::new();
    if let Some(affinity) = &affinity.pod_affinity {
        let required = affinity.required_during_scheduling_ignored_during_execution.iter().flatten();
        attitudes.extend(required.map(|t| (Near::read(pod, t), Attitude::Needs)));
        let preferred = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        attitudes.extend(preferred.map(|t| (Near::read(pod, &t.pod_affinity_term), Attitude::Weighs(t.weight.into()))));
    }
    if let Some(affinity) = &affinity.pod_anti_affinity {
        let required = affinity.required_during_scheduling_ignored_during_execution.iter().flatten();
        attitudes.extend(required.map(|t| (Near::read(pod, t), Attitude::Repels)));
        let preferred = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        let weighed = |weight: i32| Attitude::Weighs(-i64::from(weight));
        attitudes.extend(preferred.map(|t| (Near::read(pod, &t.pod_affinity_term), weighed(t.weight))));
    }
    attitudes
}
