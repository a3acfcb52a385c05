//! Whether a pod of a template may be on a node: its node selector, its required node affinity, the
//! node's taints. What a scheduler weighs beyond that is its own business.

use nakhoda_api::kinds::core::{Node, PodSpec, Toleration};
use nakhoda_api::selector::nodes::NodeSelector;
use nakhoda_client::Resource;

use crate::selector::matches_all;
use crate::taints::{self, NO_EXECUTE, NO_SCHEDULE, is_tolerated};

/// Whether pods come to a node, and whether those that are there stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// A pod should be there.
    pub runs: bool,
    /// One that is there may stay.
    pub stays: bool,
}

// === impl Placement ===

impl Placement {
    /// What holds for pods of this spec, with these tolerations, on a node.
    #[must_use]
    pub fn of(spec: &PodSpec, tolerations: &[Toleration], node: &Node) -> Self {
        let named = spec.node_name.as_deref().is_none_or(|n| n.is_empty() || n == node.name());
        if !named || !selects(spec, node) {
            return Self { runs: false, stays: false };
        }
        let repelled =
            |effect: &str| taints::of(node).iter().any(|t| t.effect == effect && !is_tolerated(t, tolerations));
        let expelled = repelled(NO_EXECUTE);
        Self { runs: !expelled && !repelled(NO_SCHEDULE), stays: !expelled }
    }
}

/// Whether the node selector and the required affinity of a spec fit a node.
fn selects(spec: &PodSpec, node: &Node) -> bool {
    let required = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
    let required = required.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    matches_all(spec.node_selector.as_ref(), node.metadata.labels.as_ref())
        && required.is_none_or(|s| NodeSelector::of(&s.node_selector_terms).matches(&node.metadata.labels, node.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::core::{NodeSpec, Taint};
    use nakhoda_api::kinds::meta::ObjectMeta;

    fn node(labels: &[(&str, &str)], taints: &[(&str, &str)]) -> Node {
        let taint =
            |&(key, effect): &(&str, &str)| Taint { key: key.into(), effect: effect.into(), ..Taint::default() };
        Node {
            metadata: ObjectMeta {
                name: Some("n1".into()),
                labels: Some(labels.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()),
                ..ObjectMeta::default()
            },
            spec: Some(NodeSpec { taints: Some(taints.iter().map(taint).collect()), ..NodeSpec::default() }),
            status: None,
        }
    }

    #[test]
    fn a_taint_keeps_pods_away_and_only_no_execute_drives_them_off() {
        let spec = PodSpec::default();
        let of = |taints: &[(&str, &str)]| Placement::of(&spec, &[], &node(&[], taints));
        assert_eq!(of(&[]), Placement { runs: true, stays: true });
        assert_eq!(of(&[("a", NO_SCHEDULE)]), Placement { runs: false, stays: true });
        assert_eq!(of(&[("a", NO_EXECUTE)]), Placement { runs: false, stays: false });
        assert_eq!(of(&[("a", "PreferNoSchedule")]), Placement { runs: true, stays: true });
    }
}
