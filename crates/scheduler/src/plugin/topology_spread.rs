//! Pods that belong together are spread over nodes and zones: by the pod's own constraints, and
//! without any by the profile's (upstream's if it says nothing: nodes with a skew of 3, zones with 5), where pods belong
//! together that one controller has made.
//!
//! Absent: the selectors of Services do not add to the default grouping.

use std::sync::Arc;

use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Rate, Score, Tally, Verdict};

mod constraint;
mod defaults;
mod domains;
mod rate;

use constraint::Constraint;
use defaults::Defaults;
use domains::Domains;

#[derive(Clone)]
struct TopologySpread {
    defaults: Arc<Defaults>,
}

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    with(Defaults::System)
}

fn with(defaults: Defaults) -> Plugin {
    let spread = TopologySpread { defaults: Arc::new(defaults) };
    let counted = spread.clone();
    let helped_by = Changes::NODE_ADDED
        .or(Changes::NODE_LABELS)
        .or(Changes::NODE_TAINTS)
        .or(Changes::POD_REMOVED)
        .or(Changes::POD_ADDED);
    Plugin::named("PodTopologySpread")
        .filter(spread.clone(), helped_by)
        .score(spread)
        .tallies(move |pod| {
            let constraints = counted.defaults.constraints(pod).into_iter();
            constraints.map(|c| Tally { group: Some(c.group), key: c.key }).collect()
        })
        .looking_around()
        .configured_by(|args, path, errors| with(defaults::read(args, path, errors)))
}

impl Filter for TopologySpread {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let hard: Vec<Constraint> = self.defaults.constraints(cycle.pod).into_iter().filter(|c| c.hard).collect();
        if hard.is_empty() {
            return Check::Skip;
        }
        let keys: Vec<String> = hard.iter().map(|c| c.key.clone()).collect();
        let domains: Vec<Domains<'_>> = hard.into_iter().map(|c| Domains::of(c, cycle, &keys)).collect();
        Check::Each(Box::new(move |node| {
            domains.iter().map(|d| d.check(node)).find(|verdict| !verdict.passes()).unwrap_or(Verdict::Pass)
        }))
    }
}

impl Score for TopologySpread {
    fn weight(&self) -> i64 {
        2
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, feasible: &[usize]) -> Option<Rate<'a>> {
        let soft = self.defaults.constraints(cycle.pod).into_iter().filter(|c| !c.hard).collect();
        // Only upstream's defaults make do with some of the labels.
        let own = cycle.pod.spec().is_some_and(|s| s.topology_spread_constraints.iter().flatten().next().is_some());
        rate::prepare(cycle, soft, feasible, own || !matches!(*self.defaults, Defaults::System))
    }

    fn normalise(&self, scores: &mut [i64]) {
        rate::normalise(scores);
    }
}

#[cfg(test)]
mod tests {
    use super::constraint::HOST;
    use super::domains::{SKEWED, UNLABELLED};
    use super::*;
    use crate::fixtures::{PodBuilder, node, pod, rates, verdicts};

    fn web(name: &str) -> PodBuilder {
        pod(name).label("app", "web")
    }

    /// At most one more web pod in a zone than in another.
    fn even(name: &str) -> PodBuilder {
        web(name).spread("zone", 1, "DoNotSchedule", "app", "web")
    }

    fn zone(name: &str) -> crate::fixtures::NodeBuilder {
        node(name).label("zone", name)
    }

    #[test]
    fn a_hard_constraint_refuses_what_would_skew_and_what_has_no_label() {
        let nodes = [zone("a").with(web("1")), zone("b"), node("c")];
        let verdicts = verdicts(plugin(), even("new"), nodes);
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

    #[test]
    fn with_fewer_domains_than_asked_for_the_emptiest_counts_as_empty() {
        let nodes = || [zone("a").with(web("1")), zone("b").with(web("2"))];
        let wish = |least| even("new").constrain(|c| c.min_domains = Some(least));
        assert_eq!(verdicts(plugin(), wish(2), nodes()), [Verdict::Pass, Verdict::Pass]);
        let skewed = Verdict::reject(SKEWED);
        assert_eq!(verdicts(plugin(), wish(3), nodes()), [skewed.clone(), skewed]);
    }

    #[test]
    fn nodes_that_the_pod_cannot_use_count_or_do_not_as_it_says() {
        let nodes = || [zone("a").label("disk", "ssd").with(web("1")), zone("b").taint("k", "", "NoSchedule")];
        let first = |wish: PodBuilder| verdicts(plugin(), wish, nodes()).remove(0);
        assert_eq!(first(even("new").select("disk", "ssd")), Verdict::Pass, "b does not count");
        let all = even("new").select("disk", "ssd").constrain(|c| c.node_affinity_policy = Some("Ignore".into()));
        assert_eq!(first(all), Verdict::reject(SKEWED));
        assert_eq!(first(even("new")), Verdict::reject(SKEWED), "taints are not looked at");
        let honest = even("new").constrain(|c| c.node_taints_policy = Some("Honor".into()));
        assert_eq!(first(honest), Verdict::Pass);
    }

    #[test]
    fn only_pods_of_the_same_revision_count_if_it_is_a_match_label_key() {
        let nodes = || [zone("a").with(web("1").label("rev", "1")), zone("b")];
        let wish = even("new").label("rev", "2").constrain(|c| c.match_label_keys = Some(vec!["rev".into()]));
        assert_eq!(verdicts(plugin(), wish, nodes()), [Verdict::Pass, Verdict::Pass]);
    }
}
