//! [`Domains`]: how many pods of a constraint each domain has.

use super::constraint::Constraint;
use crate::cluster::topology::Topology;
use crate::framework::{Cycle, Verdict};
use crate::node::Node;

pub(super) const SKEWED: &str = "node(s) didn't match pod topology spread constraints";
pub(super) const UNLABELLED: &str = "node(s) didn't match pod topology spread constraints (missing required label)";
/// In place of a count: no node of the domain counts.
const ABSENT: i64 = -1;

/// Counts by domain.
pub(super) struct Domains<'a> {
    pub(super) constraint: Constraint,
    topology: Option<&'a Topology>,
    counts: Vec<i64>,
    least: i64,
    /// Whether the pod itself will count.
    itself: i64,
}

// === impl Domains ===

impl<'a> Domains<'a> {
    /// Counts over the nodes that count; those without a label of `keys` do not.
    pub(super) fn of(constraint: Constraint, cycle: Cycle<'a>, keys: &[String]) -> Self {
        let cluster = cycle.cluster;
        let topology = cluster.topology(&constraint.key);
        let others: Vec<_> = keys.iter().filter(|key| **key != constraint.key).map(|key| cluster.topology(key)).collect();
        let (per_node, eligible) = (cluster.count(&constraint.group), constraint.eligible(cycle.pod));
        let mut counts = vec![ABSENT; topology.map_or(0, Topology::end)];
        for node in cluster.nodes() {
            let Some(domain) = topology.and_then(|t| t.of(node.slot)) else { continue };
            let labelled = others.iter().all(|other| other.is_some_and(|t| t.of(node.slot).is_some()));
            if labelled && eligible(node) {
                counts[domain] = counts[domain].max(0) + i64::from(per_node.get(node.slot).copied().unwrap_or_default());
            }
        }
        let present = || counts.iter().copied().filter(|count| *count != ABSENT);
        let least = if present().count() < constraint.min_domains { 0 } else { present().min().unwrap_or_default() };
        let itself = constraint.group.would_have(cycle).into();
        Self { constraint, topology, counts, least, itself }
    }

    /// How many are in a node's domain; `None` if it is in none.
    pub(super) fn at(&self, node: &Node) -> Option<i64> {
        let domain = self.topology?.of(node.slot)?;
        Some(self.counts[domain].max(0))
    }

    /// Whether one more at a node keeps the skew.
    pub(super) fn check(&self, node: &Node) -> Verdict {
        match self.at(node) {
            None => Verdict::hopeless(UNLABELLED),
            Some(here) if here + self.itself - self.least > self.constraint.skew => Verdict::reject(SKEWED),
            Some(_) => Verdict::Pass,
        }
    }
}
