//! Whether labels match a selector of meta/v1. An invalid operator matches nothing.

use std::collections::BTreeMap;

use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::selector::labels;

/// Labels of an object.
pub type Labels = BTreeMap<String, String>;

/// Whether the labels satisfy every requirement. An empty selector matches everything, one that cannot
/// be read nothing.
#[must_use]
pub fn matches(selector: &LabelSelector, labels: Option<&Labels>) -> bool {
    const NONE: &Labels = &Labels::new();
    labels::from_typed(Some(selector)).is_ok_and(|selector| selector.matches(labels.unwrap_or(NONE)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::meta::LabelSelectorRequirement;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    fn expression(operator: &str) -> LabelSelector {
        let values = ["In", "NotIn"].contains(&operator).then(|| vec!["a".into(), "b".into()]);
        let requirement = LabelSelectorRequirement { key: "tier".into(), operator: operator.into(), values };
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
