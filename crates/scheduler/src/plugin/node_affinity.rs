//! A pod chooses nodes by `nodeSelector` and node affinity; preferred terms add their weights.

use std::collections::BTreeMap;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{self, PreferredSchedulingTerm};
use nakhoda_api::selector::nodes::{NodeSelector, Term};
use serde::Deserialize;
use serde_json::Value;

use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Rate, Score, Verdict, args, scale};
use crate::node::Node;
use crate::pod::PodInfo;

/// What the profile adds to every pod's affinity.
#[derive(Clone, Default)]
struct NodeAffinity {
    required: Option<NodeSelector>,
    preferred: Vec<(i64, Term)>,
}

/// `NodeAffinityArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Args {
    added_affinity: Option<core::NodeAffinity>,
}

/// What a pod demands of a node.
pub struct Demand<'a> {
    labels: &'a BTreeMap<String, String>,
    terms: Option<NodeSelector>,
}

static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    with(NodeAffinity::default())
}

fn with(affinity: NodeAffinity) -> Plugin {
    Plugin::named("NodeAffinity")
        .filter(affinity.clone(), Changes::NODE_ADDED.or(Changes::NODE_LABELS))
        .score(affinity)
        .configured_by(configure)
}

fn configure(given: &Value, path: &Path, errors: &mut Errors) -> Plugin {
    let args: Args = args::read(given, path, errors);
    let added = args.added_affinity.unwrap_or_default();
    let at = path.child("addedAffinity");
    let required = added.required_during_scheduling_ignored_during_execution;
    if required.as_ref().is_some_and(|required| required.node_selector_terms.is_empty()) {
        let at = at.child("requiredDuringSchedulingIgnoredDuringExecution").child("nodeSelectorTerms");
        errors.required(&at, "must have at least one node selector term");
    }
    let preferred = added.preferred_during_scheduling_ignored_during_execution.unwrap_or_default();
    let list = at.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (i, term) in preferred.iter().enumerate().filter(|(_, term)| !(1..=100).contains(&term.weight)) {
        errors.invalid(&list.index(i).child("weight"), term.weight, "must be in the range 1-100");
    }
    with(NodeAffinity {
        required: required.map(|required| NodeSelector::of(&required.node_selector_terms)),
        preferred: preferred.iter().map(weighted).collect(),
    })
}

impl Filter for NodeAffinity {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let demand = Demand::of(cycle.pod);
        if demand.is_nothing() && self.required.is_none() {
            return Check::Skip;
        }
        Check::Each(Box::new(move |node| {
            if self.required.as_ref().is_some_and(|required| !required.matches(&node.labels, &node.name)) {
                Verdict::hopeless("node(s) didn't match scheduler-enforced node affinity")
            } else if demand.met_by(node) {
                Verdict::Pass
            } else {
                Verdict::hopeless("node(s) didn't match Pod's node affinity/selector")
            }
        }))
    }
}

impl Score for NodeAffinity {
    fn weight(&self) -> i64 {
        2
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        let affinity = cycle.pod.affinity().and_then(|affinity| affinity.node_affinity.as_ref());
        let own = affinity.and_then(|affinity| affinity.preferred_during_scheduling_ignored_during_execution.as_ref());
        let mut terms = self.preferred.clone();
        terms.extend(own.into_iter().flatten().map(weighted));
        if terms.is_empty() {
            return None;
        }
        Some(Box::new(move |node| terms.iter().filter(|(_, term)| term.matches(&node.labels, &node.name)).map(|(weight, _)| weight).sum()))
    }

    fn normalise(&self, scores: &mut [i64]) {
        scale(scores, false);
    }
}

// === impl Demand ===

impl<'a> Demand<'a> {
    /// Reads a pod's demand.
    #[must_use]
    pub fn of(pod: &'a PodInfo) -> Self {
        let affinity = pod.affinity().and_then(|a| a.node_affinity.as_ref());
        let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
        Self {
            labels: pod.spec().and_then(|s| s.node_selector.as_ref()).unwrap_or(&NO_LABELS),
            terms: required.map(|r| NodeSelector::of(&r.node_selector_terms)),
        }
    }

    /// Whether any node will do.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.labels.is_empty() && self.terms.is_none()
    }

    /// Whether a node will do.
    #[must_use]
    pub fn met_by(&self, node: &Node) -> bool {
        self.labels.iter().all(|(key, value)| node.labels.get(key) == Some(value))
            && self.terms.as_ref().is_none_or(|terms| terms.matches(&node.labels, &node.name))
    }
}

fn weighted(term: &PreferredSchedulingTerm) -> (i64, Term) {
    (term.weight.into(), Term::of(&term.preference))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{node, pod, rates, verdict};

    #[test]
    fn the_selector_and_one_of_the_terms_must_match() {
        let refused = Verdict::hopeless("node(s) didn't match Pod's node affinity/selector");
        let ssd = || node("n").label("disk", "ssd").label("cores", "8");
        assert_eq!(verdict(plugin(), pod("a").select("disk", "ssd"), ssd()), Verdict::Pass);
        assert_eq!(verdict(plugin(), pod("a").select("disk", "hdd"), ssd()), refused);
        assert_eq!(verdict(plugin(), pod("a").require("cores", "Gt", &["4"]), ssd()), Verdict::Pass);
        assert_eq!(verdict(plugin(), pod("a").require("cores", "Lt", &["4"]), ssd()), refused);
        assert_eq!(verdict(plugin(), pod("a").require("x", "NotIn", &["y"]), ssd()), Verdict::Pass);
        let either = pod("a").require("disk", "In", &["hdd"]).require("cores", "Exists", &[]);
        assert_eq!(verdict(plugin(), either, ssd()), Verdict::Pass);
    }

    #[test]
    fn preferred_terms_add_their_weights() {
        let nodes = [node("both").label("a", "1").label("b", "1"), node("one").label("b", "1"), node("none")];
        let wish = pod("p").prefer("a", 30).prefer("b", 10);
        assert_eq!(rates(plugin(), wish, nodes), [100, 25, 0]);
    }
}
