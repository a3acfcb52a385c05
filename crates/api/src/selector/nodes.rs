//! [`NodeSelector`]: which nodes a pod, or a volume, may be at.

use crate::kinds::core::{NodeSelectorRequirement, NodeSelectorTerm};
use crate::selector::Labels;
use crate::selector::labels::{Operator, Requirement};

/// Any of its terms must match; without terms it matches no node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSelector {
    terms: Vec<Term>,
}

/// All requirements must hold; a term without any matches no node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

// === impl NodeSelector ===

impl NodeSelector {
    /// Reads the terms of `nodeSelectorTerms`.
    #[must_use]
    pub fn of(terms: &[NodeSelectorTerm]) -> Self {
        Self { terms: terms.iter().map(Term::of).collect() }
    }

    /// Whether a node will do.
    #[must_use]
    pub fn matches(&self, labels: &(impl Labels + ?Sized), name: &str) -> bool {
        self.terms.iter().any(|term| term.matches(labels, name))
    }
}

// === impl Term ===

impl Term {
    /// Reads a term.
    #[must_use]
    pub fn of(term: &NodeSelectorTerm) -> Self {
        Self {
            labels: term.match_expressions.iter().flatten().map(requirement).collect(),
            fields: term.match_fields.iter().flatten().map(requirement).collect(),
        }
    }

    /// Whether a node will do. The only field there is, is `metadata.name`.
    #[must_use]
    pub fn matches(&self, labels: &(impl Labels + ?Sized), name: &str) -> bool {
        let some = !self.labels.is_empty() || !self.fields.is_empty();
        some && self.labels.iter().all(|r| r.matches(labels.value(&r.key)))
            && self.fields.iter().all(|r| r.key == "metadata.name" && r.matches(Some(name)))
    }
}

/// The API server has checked the operator; an unknown one matches nothing.
fn requirement(requirement: &NodeSelectorRequirement) -> Requirement {
    let values = requirement.values.clone().unwrap_or_default();
    let (operator, values) = match requirement.operator.as_str() {
        "In" => (Operator::In, values),
        "NotIn" => (Operator::NotIn, values),
        "Exists" => (Operator::Exists, values),
        "DoesNotExist" => (Operator::DoesNotExist, values),
        "Gt" => (Operator::GreaterThan, values),
        "Lt" => (Operator::LessThan, values),
        _ => (Operator::In, Vec::new()),
    };
    Requirement { key: requirement.key.clone(), operator, values }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn expression(key: &str, operator: &str, value: &str) -> NodeSelectorRequirement {
        NodeSelectorRequirement { key: key.into(), operator: operator.into(), values: Some(vec![value.into()]) }
    }

    #[test]
    fn terms_match_labels_and_the_name() {
        let labels = BTreeMap::from([("cores".to_owned(), "8".to_owned())]);
        let by_label = |r| NodeSelectorTerm { match_expressions: Some(vec![r]), match_fields: None };
        let by_name = |r| NodeSelectorTerm { match_expressions: None, match_fields: Some(vec![r]) };
        let cases = [
            (by_label(expression("cores", "Gt", "4")), true),
            (by_label(expression("cores", "Lt", "8")), false),
            (by_label(expression("gpu", "NotIn", "yes")), true),
            (by_label(expression("gpu", "In", "yes")), false),
            (by_name(expression("metadata.name", "In", "n1")), true),
            (by_name(expression("metadata.name", "In", "n2")), false),
            (NodeSelectorTerm::default(), false),
        ];
        for (term, expected) in cases {
            assert_eq!(NodeSelector::of(std::slice::from_ref(&term)).matches(&labels, "n1"), expected, "{term:?}");
        }
        assert!(!NodeSelector::default().matches(&labels, "n1"));
    }
}
