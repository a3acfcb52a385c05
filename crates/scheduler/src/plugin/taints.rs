//! A tainted node repels pods that do not tolerate it; `PreferNoSchedule` counts against it.
//!
//! Absent: the comparing operators `Lt` and `Gt`, which upstream has behind a gate.

use nakhoda_api::kinds::core::{Taint, Toleration};

use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Rate, Score, Verdict, scale};
use crate::node::Node;

struct Taints;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named("TaintToleration").filter(Taints, Changes::NODE_ADDED.or(Changes::NODE_TAINTS)).score(Taints)
}

impl Filter for Taints {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let tolerations = cycle.pod.tolerations();
        Check::Each(Box::new(move |node| {
            if repels(node, tolerations) {
                Verdict::hopeless("node(s) had untolerated taint(s)")
            } else {
                Verdict::Pass
            }
        }))
    }
}

impl Score for Taints {
    fn weight(&self) -> i64 {
        3
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        let tolerations = cycle.pod.tolerations();
        Some(Box::new(move |node| {
            let unwelcome = |taint: &&Taint| taint.effect == "PreferNoSchedule" && !tolerated(taint, tolerations);
            i64::try_from(node.taints.iter().filter(unwelcome).count()).unwrap_or(i64::MAX)
        }))
    }

    fn normalise(&self, scores: &mut [i64]) {
        scale(scores, true);
    }
}

/// Whether a node has a taint that keeps pods with these tolerations away.
#[must_use]
pub fn repels(node: &Node, tolerations: &[Toleration]) -> bool {
    let hard = |taint: &Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    node.taints.iter().any(|taint| hard(taint) && !tolerated(taint, tolerations))
}

/// Whether one of the tolerations covers a taint.
#[must_use]
pub fn tolerated(taint: &Taint, tolerations: &[Toleration]) -> bool {
    tolerations.iter().any(|toleration| covers(toleration, taint))
}

fn covers(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (effect, key) = (text(&toleration.effect), text(&toleration.key));
    if !(effect.is_empty() || effect == taint.effect) || !(key.is_empty() || key == taint.key) {
        return false;
    }
    match toleration.operator.as_deref().unwrap_or_default() {
        "" | "Equal" => text(&toleration.value) == text(&taint.value),
        "Exists" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{node, pod, rates, verdict};

    #[test]
    fn an_untolerated_taint_repels_whatever_leaves_the_node() {
        let refused = Verdict::hopeless("node(s) had untolerated taint(s)");
        let tainted = || node("n").taint("k", "v", "NoSchedule");
        assert_eq!(verdict(plugin(), pod("a"), tainted()), refused);
        assert_eq!(verdict(plugin(), pod("a").tolerate("k", "Exists"), tainted()), Verdict::Pass);
        assert_eq!(verdict(plugin(), pod("a").tolerate("", "Exists"), tainted()), Verdict::Pass);
        assert_eq!(verdict(plugin(), pod("a").tolerate("other", "Exists"), tainted()), refused);
        assert_eq!(verdict(plugin(), pod("a").tolerate("k", "Equal"), tainted()), refused);
        assert_eq!(verdict(plugin(), pod("a"), node("n").taint("k", "v", "PreferNoSchedule")), Verdict::Pass);
    }

    #[test]
    fn unwelcome_taints_count_against_a_node() {
        let two = node("two").taint("a", "", "PreferNoSchedule").taint("b", "", "PreferNoSchedule");
        let one = node("one").taint("a", "", "PreferNoSchedule");
        assert_eq!(rates(plugin(), pod("a"), [node("none"), one, two]), [100, 50, 0]);
    }
}
