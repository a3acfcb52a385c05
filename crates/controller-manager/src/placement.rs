//! Whether a pod of a template may be on a node: its node selector, its required node affinity, the
//! node's taints. What a scheduler weighs beyond that is its own business.

use nakhoda_api::kinds::core::{Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Toleration};
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
        && required.is_none_or(|s| s.node_selector_terms.iter().any(|t| fits(t, node)))
}

/// An empty term fits nothing.
fn fits(term: &NodeSelectorTerm, node: &Node) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    let label = |key: &str| node.metadata.labels.as_ref().and_then(|l| l.get(key)).map(String::as_str);
    let field = |key: &str| (key == "metadata.name").then(|| node.name());
    !(expressions.is_empty() && fields.is_empty())
        && expressions.iter().all(|r| satisfied(r, label(&r.key)))
        && fields.iter().all(|r| satisfied(r, field(&r.key)))
}

fn satisfied(requirement: &NodeSelectorRequirement, value: Option<&str>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let listed = value.is_some_and(|v| values.iter().any(|x| x == v));
    let number = |text: Option<&str>| text.and_then(|t| t.parse::<i64>().ok());
    let compared = number(value).zip(number(values.first().map(String::as_str)));
    match requirement.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => compared.is_some_and(|(v, limit)| v > limit),
        "Lt" => compared.is_some_and(|(v, limit)| v < limit),
        _ => false,
    }
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

    #[test]
    fn terms_match_labels_and_the_name_field() {
        let requirement = |key: &str, operator: &str, value: &str| NodeSelectorRequirement {
            key: key.into(),
            operator: operator.into(),
            values: Some(vec![value.into()]),
        };
        let node = node(&[("cores", "8")], &[]);
        let by_label = |r| fits(&NodeSelectorTerm { match_expressions: Some(vec![r]), match_fields: None }, &node);
        assert!(by_label(requirement("cores", "Gt", "4")) && !by_label(requirement("cores", "Lt", "8")));
        assert!(by_label(requirement("gpu", "NotIn", "yes")) && !by_label(requirement("gpu", "In", "yes")));
        let by_name = |r| fits(&NodeSelectorTerm { match_expressions: None, match_fields: Some(vec![r]) }, &node);
        assert!(
            by_name(requirement("metadata.name", "In", "n1")) && !by_name(requirement("metadata.name", "In", "n2"))
        );
        assert!(!fits(&NodeSelectorTerm::default(), &node));
    }
}
