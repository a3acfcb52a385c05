//! Pods that belong together are spread over nodes and zones: by the pod's own constraints, and
//! without any by upstream's defaults (nodes with a skew of 3, zones with 5), where pods belong
//! together that one controller has made.
//!
//! Absent: `minDomains`, `matchLabelKeys` and the node inclusion policies other than their defaults;
//! the selectors of Services do not add to the default grouping.

use std::collections::{HashMap, HashSet};

use nakhoda_api::kinds::core::TopologySpreadConstraint;
use nakhoda_api::selector::labels;

use super::node_affinity::Demand;
use crate::cluster::Group;
use crate::framework::{BEST, Changes, Check, Cycle, Filter, Plugin, Rate, Score, Verdict};
use crate::node::Node;
use crate::pod::PodInfo;

const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";
const SKEWED: &str = "node(s) didn't match pod topology spread constraints";
const UNLABELLED: &str = "node(s) didn't match pod topology spread constraints (missing required label)";
/// Marks a node that has not all the labels.
const IGNORED: i64 = -1;

struct TopologySpread;

/// One constraint, ready to be checked.
struct Constraint {
    key: String,
    skew: i64,
    hard: bool,
    group: Group,
}

/// How many pods each domain of a constraint has.
struct Domains<'a> {
    constraint: Constraint,
    per_node: &'a [u32],
    counts: HashMap<&'a str, i64>,
    least: i64,
    /// Whether the pod itself will count.
    itself: i64,
}

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    let helped_by =
        Changes::NODE_ADDED.or(Changes::NODE_LABELS).or(Changes::POD_REMOVED).or(Changes::POD_ADDED);
    Plugin::named("PodTopologySpread")
        .filter(TopologySpread, helped_by)
        .score(TopologySpread)
        .counts(|pod| constraints(pod).into_iter().map(|c| c.group).collect())
        .looking_around()
}

impl Filter for TopologySpread {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let hard: Vec<Constraint> = constraints(cycle.pod).into_iter().filter(|c| c.hard).collect();
        if hard.is_empty() {
            return Check::Skip;
        }
        let demand = Demand::of(cycle.pod);
        let keys: Vec<String> = hard.iter().map(|c| c.key.clone()).collect();
        let eligible = |node: &&Node| demand.met_by(node) && keys.iter().all(|key| node.labels.contains_key(key));
        let nodes: Vec<&Node> = cycle.cluster.nodes().filter(eligible).collect();
        let domains: Vec<Domains<'_>> = hard.into_iter().map(|c| Domains::of(c, cycle, &nodes)).collect();
        Check::Each(Box::new(move |node| check(&domains, node)))
    }
}

impl Score for TopologySpread {
    fn weight(&self) -> i64 {
        2
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, feasible: &[usize]) -> Option<Rate<'a>> {
        let soft: Vec<Constraint> = constraints(cycle.pod).into_iter().filter(|c| !c.hard).collect();
        if soft.is_empty() {
            return None;
        }
        let every_label = cycle.pod.spec().is_some_and(|s| s.topology_spread_constraints.iter().flatten().next().is_some());
        let cluster = cycle.cluster;
        let nodes: Vec<&Node> = feasible.iter().map(|slot| cluster.at(*slot)).collect();
        let everywhere: Vec<&Node> = cluster.nodes().collect();
        let rated: Vec<(Domains<'_>, f64)> = soft
            .into_iter()
            .map(|constraint| {
                let names: HashSet<_> = nodes.iter().filter_map(|n| n.labels.get(&constraint.key)).collect();
                let sizes = if constraint.key == HOST { nodes.len() } else { names.len() };
                let weight = weight(sizes);
                // A node is its own domain: its count stands ready.
                let counted: &[&Node] = if constraint.key == HOST { &[] } else { &everywhere };
                (Domains::of(constraint, cycle, counted), weight)
            })
            .collect();
        Some(Box::new(move |node| rate(&rated, node, every_label)))
    }

    fn normalise(&self, scores: &mut [i64]) {
        let counted = || scores.iter().copied().filter(|s| *s != IGNORED);
        let (least, most) = (counted().min().unwrap_or_default(), counted().max().unwrap_or_default());
        for score in scores {
            *score = match *score {
                IGNORED => 0,
                _ if most == 0 => BEST,
                score => BEST * (most + least - score) / most,
            };
        }
    }
}

// === impl Domains ===

impl<'a> Domains<'a> {
    fn of(constraint: Constraint, cycle: Cycle<'a>, nodes: &[&'a Node]) -> Self {
        let per_node = cycle.cluster.count(&constraint.group);
        let mut counts: HashMap<&str, i64> = HashMap::new();
        for node in nodes {
            if let Some(domain) = node.labels.get(&constraint.key) {
                *counts.entry(domain).or_default() += at(per_node, node);
            }
        }
        let least = counts.values().copied().min().unwrap_or_default();
        let itself = constraint.group.would_have(cycle).into();
        Self { constraint, per_node, counts, least, itself }
    }
}

fn at(per_node: &[u32], node: &Node) -> i64 {
    per_node.get(node.slot).copied().unwrap_or_default().into()
}

fn check(domains: &[Domains<'_>], node: &Node) -> Verdict {
    for domain in domains {
        let Some(name) = node.labels.get(&domain.constraint.key) else { return Verdict::hopeless(UNLABELLED) };
        let here = domain.counts.get(name.as_str()).copied().unwrap_or_default();
        if here + domain.itself - domain.least > domain.constraint.skew {
            return Verdict::reject(SKEWED);
        }
    }
    Verdict::Pass
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of pods, as upstream weighs them")]
fn rate(rated: &[(Domains<'_>, f64)], node: &Node, every_label: bool) -> i64 {
    let mut score = 0.0;
    for (domain, weight) in rated {
        let constraint = &domain.constraint;
        let Some(name) = node.labels.get(&constraint.key) else {
            if every_label {
                return IGNORED;
            }
            continue;
        };
        let here = if constraint.key == HOST {
            at(domain.per_node, node)
        } else {
            domain.counts.get(name.as_str()).copied().unwrap_or_default()
        };
        score += here as f64 * weight + (constraint.skew - 1) as f64;
    }
    score.round() as i64
}

#[allow(clippy::cast_precision_loss, reason = "a number of domains")]
fn weight(domains: usize) -> f64 {
    ((domains + 2) as f64).ln()
}

fn constraints(pod: &PodInfo) -> Vec<Constraint> {
    let own: Vec<&TopologySpreadConstraint> =
        pod.spec().into_iter().filter_map(|s| s.topology_spread_constraints.as_ref()).flatten().collect();
    if own.is_empty() { defaults(pod) } else { own.into_iter().filter_map(|c| read(pod, c)).collect() }
}

fn read(pod: &PodInfo, constraint: &TopologySpreadConstraint) -> Option<Constraint> {
    let selector = labels::from_typed(constraint.label_selector.as_ref()).ok()?;
    Some(Constraint {
        key: constraint.topology_key.clone(),
        skew: constraint.max_skew.into(),
        hard: constraint.when_unsatisfiable == "DoNotSchedule",
        group: Group::Labels { namespace: pod.key.namespace.clone(), selector },
    })
}

fn defaults(pod: &PodInfo) -> Vec<Constraint> {
    let Some(uid) = &pod.controller else { return Vec::new() };
    let group = Group::Controller { namespace: pod.key.namespace.clone(), uid: uid.clone() };
    let soft = |key: &str, skew| Constraint { key: key.into(), skew, hard: false, group: group.clone() };
    vec![soft(HOST, 3), soft(ZONE, 5)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{node, pod, rates, verdicts};

    #[test]
    fn a_hard_constraint_refuses_what_would_skew_and_what_has_no_label() {
        let web = |name: &str| pod(name).label("app", "web");
        let nodes = [
            node("a").label("zone", "a").with(web("1")),
            node("b").label("zone", "b"),
            node("c"),
        ];
        let wish = web("new").spread("zone", 1, "DoNotSchedule", "app", "web");
        let verdicts = verdicts(plugin(), wish, nodes);
        assert_eq!(verdicts, [Verdict::reject(SKEWED), Verdict::Pass, Verdict::hopeless(UNLABELLED)]);
    }

    #[test]
    fn pods_of_one_controller_are_spread_by_themselves() {
        let of = |name: &str| pod(name).owned_by("rs");
        let nodes = [
            node("a").label(HOST, "a").with(of("1")).with(of("2")),
            node("b").label(HOST, "b").with(of("3")),
            node("c").label(HOST, "c").with(pod("stranger")),
        ];
        let scores = rates(plugin(), of("new"), nodes);
        assert!(scores[2] > scores[1] && scores[1] > scores[0], "{scores:?}");
    }
}
