//! Whether labels match a selector of meta/v1. An invalid operator matches nothing.

use std::collections::BTreeMap;

use nakhoda_api::kinds::meta::{LabelSelector, LabelSelectorRequirement};

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// Whether the labels satisfy every requirement. An empty selector matches everything.
#[must_use]
pub fn matches(selector: &LabelSelector, labels: Option<&Labels>) -> bool {
    matches_all(selector.match_labels.as_ref(), labels)
        && selector.match_expressions.iter().flatten().all(|r| satisfied(r, labels))
}

/// Whether the labels hold every pair of a plain selector.
#[must_use]
pub fn matches_all(pairs: Option<&Labels>, labels: Option<&Labels>) -> bool {
    pairs.into_iter().flatten().all(|(k, v)| labels.and_then(|l| l.get(k)) == Some(v))
}

/// Whether a selector has no requirement at all.
#[must_use]
pub fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

fn satisfied(requirement: &LabelSelectorRequirement, labels: Option<&Labels>) -> bool {
    let value = labels.and_then(|l| l.get(&requirement.key));
    let listed = |v: &String| requirement.values.iter().flatten().any(|x| x == v);
    match requirement.operator.as_str() {
        "In" => value.is_some_and(listed),
        "NotIn" => !value.is_some_and(listed),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    fn expression(operator: &str) -> LabelSelector {
        let requirement = LabelSelectorRequirement {
            key: "tier".into(),
            operator: operator.into(),
            values: Some(vec!["a".into(), "b".into()]),
        };
        LabelSelector { match_labels: None, match_expressions: Some(vec![requirement]) }
    }

    #[test]
    fn every_operator_has_its_meaning_with_and_without_the_label() {
        let (with, other, none) = (labels(&[("tier", "a")]), labels(&[("tier", "z")]), labels(&[]));
        let table = [
            ("In", [true, false, false]),
            ("NotIn", [false, true, true]),
            ("Exists", [true, true, false]),
            ("DoesNotExist", [false, false, true]),
            ("Odd", [false, false, false]),
        ];
        for (operator, expected) in table {
            let selector = expression(operator);
            let found = [&with, &other, &none].map(|l| matches(&selector, Some(l)));
            assert_eq!(found, expected, "{operator}");
        }
        assert!(is_empty(&LabelSelector::default()) && !is_empty(&expression("In")));
    }
}
