//! Pods that want others near them, or away: required terms refuse nodes, preferred ones add to or
//! take from a node's score. What placed pods want of the new one counts as much.
//!
//! Absent: `matchLabelKeys` and `mismatchLabelKeys`, which the API server merges into the selector.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PodAffinityTerm, WeightedPodAffinityTerm};
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::affinity::{Attitude, Entry, Near};
use crate::cluster::topology::Topology;
use crate::cluster::{Cluster, Group};
use crate::framework::{BEST, Changes, Check, Cycle, Filter, Plugin, Rate, Score, Tally, Verdict, args};
use crate::node::Node;
use crate::pod::PodInfo;

const UNMET: &str = "node(s) didn't match pod affinity rules";
const UNWANTED: &str = "node(s) didn't match pod anti-affinity rules";
const REPELLED: &str = "node(s) didn't satisfy existing pods anti-affinity rules";

#[derive(Clone, Copy)]
struct InterPodAffinity {
    /// How much a placed pod counts for those that it requires near it.
    needs: i64,
    /// Whether what placed pods would like counts only for pods that would like something themselves.
    own_only: bool,
}

/// `InterPodAffinityArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Args {
    hard_pod_affinity_weight: Option<i32>,
    #[serde(default)]
    ignore_preferred_terms_of_existing_pods: bool,
}

/// How many there are in each neighbourhood of one kind.
struct Neighbourhoods<'a> {
    topology: Option<&'a Topology>,
    counts: Vec<i64>,
}

/// The terms of a pod.
struct Terms<'a> {
    near: Vec<&'a PodAffinityTerm>,
    away: Vec<&'a PodAffinityTerm>,
    wishes: Vec<(i64, &'a PodAffinityTerm)>,
}

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    with(InterPodAffinity { needs: 1, own_only: false })
}

fn with(affinity: InterPodAffinity) -> Plugin {
    let helped_by =
        Changes::NODE_ADDED.or(Changes::NODE_LABELS).or(Changes::POD_ADDED).or(Changes::POD_REMOVED);
    Plugin::named("InterPodAffinity")
        .filter(affinity, helped_by)
        .score(affinity)
        .tallies(tallies)
        .looking_around()
        .configured_by(configure)
}

fn configure(given: &Value, path: &Path, errors: &mut Errors) -> Plugin {
    let args: Args = args::read(given, path, errors);
    let needs = args.hard_pod_affinity_weight.unwrap_or(1);
    if !(0..=100).contains(&needs) {
        errors.invalid(&path.child("hardPodAffinityWeight"), needs, "not in valid range [0, 100]");
    }
    with(InterPodAffinity { needs: needs.into(), own_only: args.ignore_preferred_terms_of_existing_pods })
}

impl Filter for InterPodAffinity {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let (terms, cluster) = (Terms::of(cycle.pod), cycle.cluster);
        let repelled = repelled(cycle);
        if terms.near.is_empty() && terms.away.is_empty() && repelled.is_empty() {
            return Check::Skip;
        }
        let wanted = all_near(cycle.pod, &terms);
        let near: Vec<_> =
            terms.near.iter().map(|t| Neighbourhoods::of(cluster, &t.topology_key, wanted.as_ref())).collect();
        // The first of pods that want each other near finds nobody, and may go where it likes.
        let first = near.iter().all(|n| n.counts.iter().all(|c| *c == 0)) && wanted.is_some_and(|g| g.would_have(cycle));
        let away: Vec<_> =
            terms.away.iter().map(|t| Neighbourhoods::of(cluster, &t.topology_key, Some(&group(cycle.pod, t)))).collect();
        Check::Each(Box::new(move |node| {
            let met = near.iter().all(|n| n.at(node).is_some_and(|count| first || count > 0));
            if !met {
                Verdict::hopeless(UNMET)
            } else if away.iter().any(|n| n.any_at(node)) {
                Verdict::reject(UNWANTED)
            } else if repelled.iter().any(|n| n.any_at(node)) {
                Verdict::reject(REPELLED)
            } else {
                Verdict::Pass
            }
        }))
    }
}

impl Score for InterPodAffinity {
    fn weight(&self) -> i64 {
        2
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        let cluster = cycle.cluster;
        let mut weighed: Vec<(i64, Neighbourhoods<'_>)> = Vec::new();
        if self.own_only && Terms::of(cycle.pod).wishes.is_empty() {
            return None;
        }
        for (weight, term) in Terms::of(cycle.pod).wishes {
            let group = group(cycle.pod, term);
            weighed.push((weight, Neighbourhoods::of(cluster, &term.topology_key, Some(&group))));
        }
        for entry in cluster.attitudes().iter() {
            let weight = match entry.attitude {
                Attitude::Weighs(weight) => weight,
                Attitude::Needs => self.needs,
                Attitude::Repels => continue,
            };
            if weight != 0 && entry.near.means(cycle.pod, cluster.namespaces()) {
                weighed.push((weight, Neighbourhoods::holding(cluster, entry)));
            }
        }
        if weighed.is_empty() {
            return None;
        }
        Some(Box::new(move |node| weighed.iter().map(|(weight, n)| weight * n.at(node).unwrap_or_default()).sum()))
    }

    fn normalise(&self, scores: &mut [i64]) {
        let (least, most) = (scores.iter().copied().min().unwrap_or_default(), scores.iter().copied().max().unwrap_or_default());
        for score in scores {
            *score = if most > least { BEST * (*score - least) / (most - least) } else { 0 };
        }
    }
}

// === impl Terms ===

impl<'a> Terms<'a> {
    fn of(pod: &'a PodInfo) -> Self {
        let near = pod.affinity().and_then(|a| a.pod_affinity.as_ref());
        let away = pod.affinity().and_then(|a| a.pod_anti_affinity.as_ref());
        let weighed = |sign: i64| move |t: &'a WeightedPodAffinityTerm| (sign * i64::from(t.weight), &t.pod_affinity_term);
        let liked = near.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
        let disliked = away.and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
        let wishes = liked.into_iter().flatten().map(weighed(1)).chain(disliked.into_iter().flatten().map(weighed(-1)));
        let required = near.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
        let forbidden = away.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
        Self {
            near: required.into_iter().flatten().collect(),
            away: forbidden.into_iter().flatten().collect(),
            wishes: wishes.collect(),
        }
    }
}

// === impl Neighbourhoods ===

impl<'a> Neighbourhoods<'a> {
    /// Pods of a group.
    fn of(cluster: &'a Cluster, key: &str, group: Option<&Group>) -> Self {
        let per_node = group.map(|g| cluster.count(g)).unwrap_or_default();
        Self::add_up(cluster, key, per_node.iter().copied().enumerate().filter(|(_, here)| *here > 0))
    }

    /// Pods that have an attitude.
    fn holding(cluster: &'a Cluster, entry: &Entry) -> Self {
        Self::add_up(cluster, &entry.near.key, entry.counts.iter().map(|(slot, here)| (*slot, *here)))
    }

    fn add_up(cluster: &'a Cluster, key: &str, per_slot: impl Iterator<Item = (usize, u32)>) -> Self {
        let topology = cluster.topology(key);
        let mut counts = vec![0; topology.map_or(0, Topology::end)];
        for (slot, here) in per_slot {
            if let Some(domain) = topology.and_then(|t| t.of(slot)) {
                counts[domain] += i64::from(here);
            }
        }
        Self { topology, counts }
    }

    /// How many are near a node; `None` if it is in no neighbourhood.
    fn at(&self, node: &Node) -> Option<i64> {
        self.topology?.of(node.slot).map(|domain| self.counts[domain])
    }

    fn any_at(&self, node: &Node) -> bool {
        self.at(node).is_some_and(|count| count > 0)
    }
}

/// Neighbourhoods of pods that must not have this one near.
fn repelled(cycle: Cycle<'_>) -> Vec<Neighbourhoods<'_>> {
    let cluster = cycle.cluster;
    let repels = |e: &&Entry| e.attitude == Attitude::Repels && e.near.means(cycle.pod, cluster.namespaces());
    cluster.attitudes().iter().filter(repels).map(|entry| Neighbourhoods::holding(cluster, entry)).collect()
}

/// The pods that every required affinity of a pod means.
fn all_near(pod: &PodInfo, terms: &Terms<'_>) -> Option<Group> {
    if terms.near.is_empty() {
        return None;
    }
    Some(Group::Near(terms.near.iter().map(|term| placeless(pod, term)).collect()))
}

fn group(pod: &PodInfo, term: &PodAffinityTerm) -> Group {
    Group::Near(vec![placeless(pod, term)])
}

/// The same group is counted whatever its neighbourhood is.
fn placeless(pod: &PodInfo, term: &PodAffinityTerm) -> Near {
    Near { key: String::new(), ..Near::read(pod, term) }
}

fn tallies(pod: &PodInfo) -> Vec<Tally> {
    let terms = Terms::of(pod);
    let single = terms.away.iter().copied().chain(terms.wishes.iter().map(|(_, term)| *term));
    let tally = |term: &PodAffinityTerm, group| Tally { group, key: term.topology_key.clone() };
    let mut tallies: Vec<Tally> = single.map(|term| tally(term, Some(group(pod, term)))).collect();
    let together = all_near(pod, &terms);
    tallies.extend(terms.near.iter().map(|term| tally(term, together.clone())));
    tallies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{node, pod, rates, verdicts};

    fn zone(name: &str, zone: &str) -> crate::fixtures::NodeBuilder {
        node(name).label("zone", zone)
    }

    #[test]
    fn a_pod_goes_only_near_those_it_requires() {
        let nodes = || [zone("a", "1").with(pod("db").label("app", "db")), zone("b", "1"), zone("c", "2"), node("d")];
        let wish = pod("new").near("zone", "app", "db");
        let unmet = Verdict::hopeless(UNMET);
        assert_eq!(verdicts(plugin(), wish, nodes()), [Verdict::Pass, Verdict::Pass, unmet.clone(), unmet]);
    }

    #[test]
    fn the_first_of_pods_that_want_each_other_may_go_anywhere_with_the_label() {
        let wish = pod("new").label("app", "x").near("zone", "app", "x");
        assert_eq!(verdicts(plugin(), wish, [zone("a", "1"), node("b")]), [Verdict::Pass, Verdict::hopeless(UNMET)]);
        let stranger = pod("new").near("zone", "app", "x");
        assert_eq!(verdicts(plugin(), stranger, [zone("a", "1")]), [Verdict::hopeless(UNMET)]);
    }

    #[test]
    fn anti_affinity_holds_both_ways() {
        let loner = || pod("loner").label("app", "x").away("zone", "app", "x");
        let nodes = || [zone("a", "1").with(loner()), zone("b", "1"), zone("c", "2")];
        let unwanted = Verdict::reject(UNWANTED);
        assert_eq!(verdicts(plugin(), loner().named("new"), nodes()), [unwanted.clone(), unwanted, Verdict::Pass]);
        let repelled = Verdict::reject(REPELLED);
        let plain = pod("new").label("app", "x");
        assert_eq!(verdicts(plugin(), plain, nodes()), [repelled.clone(), repelled, Verdict::Pass]);
    }

    #[test]
    fn wishes_of_both_sides_count() {
        let fan = pod("fan").wish("zone", "app", "new", 10);
        let nodes = [zone("a", "1").with(pod("db").label("app", "db")), zone("b", "2").with(fan), zone("c", "3")];
        let wish = pod("new").label("app", "new").wish("zone", "app", "db", 20);
        assert_eq!(rates(plugin(), wish, nodes), [100, 50, 0]);
    }
}
