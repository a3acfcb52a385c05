//! The selectors of a question: how they may be written (`pkg/apis/authorization/validation`), and what authorizers
//! are told of them (`pkg/registry/authorization/util`). All terms must hold, so leaving out one that means nothing
//! here asks for more than was meant.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::authorization::{FieldSelectorAttributes, LabelSelectorAttributes, ResourceAttributes};
use nakhoda_api::kinds::meta::{FieldSelectorRequirement, LabelSelectorRequirement};
use nakhoda_api::names;
use nakhoda_api::selector::fields::Term;
use nakhoda_api::selector::labels::{Operator, Requirement};
use nakhoda_api::selector::{FieldSelector, LabelSelector};

/// What is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selectors {
    /// By fields.
    pub fields: FieldSelector,
    /// By labels.
    pub labels: LabelSelector,
    /// What was left out, as `evaluationError` tells it.
    pub faults: Vec<String>,
}

/// The selectors of a question.
#[must_use]
pub fn of(asked: &ResourceAttributes) -> Selectors {
    let mut faults = Vec::new();
    let mut tell = |field: &str, left_out: bool, empty: bool| {
        let how = if empty { "ignored" } else { "partially ignored" };
        if left_out {
            faults.push(format!("spec.resourceAttributes.{field} {how} due to parse error"));
        }
    };
    let (fields, left_out) = asked.field_selector.as_ref().map(fields).unwrap_or_default();
    tell("fieldSelector", left_out, fields.is_everything());
    let (labels, left_out) = asked.label_selector.as_ref().map(labels).unwrap_or_default();
    tell("labelSelector", left_out, labels.is_everything());
    Selectors { fields, labels, faults }
}

/// With whether something was left out.
fn fields(asked: &FieldSelectorAttributes) -> (FieldSelector, bool) {
    if let Some(raw) = asked.raw_selector.as_deref().filter(|raw| !raw.is_empty()) {
        let parsed = FieldSelector::parse(raw);
        return (parsed.clone().unwrap_or_default(), parsed.is_err());
    }
    let asked = asked.requirements.as_deref().unwrap_or_default();
    let term = |asked: &FieldSelectorRequirement| match (asked.operator.as_str(), asked.values.as_deref()) {
        (operator @ ("In" | "NotIn"), Some([value])) => {
            Some(Term { field: asked.key.clone(), equal: operator == "In", value: value.clone() })
        }
        _ => None,
    };
    let terms: Vec<Term> = asked.iter().filter_map(term).collect();
    let left_out = terms.len() < asked.len();
    (FieldSelector::of(terms), left_out)
}

fn labels(asked: &LabelSelectorAttributes) -> (LabelSelector, bool) {
    if let Some(raw) = asked.raw_selector.as_deref().filter(|raw| !raw.is_empty()) {
        let parsed = LabelSelector::parse(raw);
        return (parsed.as_ref().cloned().unwrap_or_default(), parsed.is_err());
    }
    let asked = asked.requirements.as_deref().unwrap_or_default();
    let term = |asked: &LabelSelectorRequirement| {
        let operator = match asked.operator.as_str() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            _ => return None,
        };
        Requirement::new(&asked.key, operator, asked.values.clone().unwrap_or_default()).ok()
    };
    let terms: Vec<Requirement> = asked.iter().filter_map(term).collect();
    let left_out = terms.len() < asked.len();
    (LabelSelector::of(terms), left_out)
}

/// How they may be written. Operators that nobody knows are left out later: clients may be newer.
pub fn check(asked: Option<&ResourceAttributes>, errors: &mut Errors) {
    let Some(asked) = asked else { return };
    let path = Path::new("spec.resourceAttributes");
    if let Some(selector) = &asked.field_selector {
        let path = path.child("fieldSelector");
        let requirements = selector.requirements.as_deref().unwrap_or_default();
        one_form(selector.raw_selector.as_deref(), requirements.is_empty(), &path, errors);
        for (i, term) in requirements.iter().enumerate() {
            let at = path.child("requirements").index(i);
            if term.key.is_empty() {
                errors.required(&at.child("key"), "must be specified");
            }
            check_count(&term.operator, term.values.as_deref(), &at, errors);
        }
    }
    if let Some(selector) = &asked.label_selector {
        let path = path.child("labelSelector");
        let requirements = selector.requirements.as_deref().unwrap_or_default();
        one_form(selector.raw_selector.as_deref(), requirements.is_empty(), &path, errors);
        for (i, term) in requirements.iter().enumerate() {
            check_labels(term, &path.child("requirements").index(i), errors);
        }
    }
}

/// As text or as requirements.
fn one_form(raw: Option<&str>, no_requirements: bool, path: &Path, errors: &mut Errors) {
    let raw = raw.unwrap_or_default();
    if !raw.is_empty() && !no_requirements {
        errors.invalid(&path.child("rawSelector"), raw, "may not specified at the same time as requirements");
    }
    if raw.is_empty() && no_requirements {
        let path = (path.child("requirements"), path.as_str());
        errors.required(&path.0, format!("when {} is specified, requirements or rawSelector is required", path.1));
    }
}

fn check_labels(term: &LabelSelectorRequirement, at: &Path, errors: &mut Errors) {
    check_count(&term.operator, term.values.as_deref(), at, errors);
    for fault in names::is_qualified_name(&term.key) {
        errors.invalid(&at.child("key"), term.key.as_str(), fault);
    }
    for (i, value) in term.values.iter().flatten().enumerate() {
        for fault in names::is_label_value(value) {
            errors.invalid(&at.child("values").index(i), value.as_str(), fault);
        }
    }
}

fn check_count(operator: &str, values: Option<&[String]>, at: &Path, errors: &mut Errors) {
    let none = values.is_none_or(<[String]>::is_empty);
    match operator {
        "In" | "NotIn" if none => {
            errors.required(&at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if !none => {
            let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            errors.forbidden(&at.child("values"), why);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn asked(fields: Value, labels: Value) -> ResourceAttributes {
        serde_json::from_value(json!({"fieldSelector": fields, "labelSelector": labels})).expect("attributes")
    }

    #[test]
    fn what_means_nothing_is_left_out_and_told() {
        let term =
            |key: &str, operator: &str, values: &[&str]| json!({"key": key, "operator": operator, "values": values});
        let some = of(&asked(
            json!({"requirements": [term("a", "NotIn", &["b,c=d"]), term("a", "In", &["b", "c"])]}),
            json!({"requirements": [term("c", "In", &["d", "e"]), term("f", "Near", &[])]}),
        ));
        assert_eq!(some.fields.to_string(), r"a!=b\,c\=d");
        assert_eq!(some.labels.to_string(), "c in (d,e)");
        let told = ["fieldSelector partially", "labelSelector partially"];
        assert_eq!(some.faults, told.map(|t| format!("spec.resourceAttributes.{t} ignored due to parse error")));
        let raw = of(&asked(json!({"rawSelector": "a=b"}), json!({"rawSelector": "?"})));
        assert_eq!((raw.fields.to_string().as_str(), raw.labels.is_everything()), ("a=b", true));
        assert_eq!(raw.faults, ["spec.resourceAttributes.labelSelector ignored due to parse error"]);
    }

    #[test]
    fn a_selector_is_written_in_one_way() {
        let told = |fields: Value, labels: Value| {
            let mut errors = Errors::default();
            check(Some(&asked(fields, labels)), &mut errors);
            errors
                .iter()
                .map(|error| format!("{}: {}", error.path.as_str(), error.body()))
                .collect::<Vec<_>>()
                .join("; ")
        };
        let both = json!({"rawSelector": "a=b", "requirements": [{"key": "", "operator": "In"}]});
        assert_eq!(
            told(both, Value::Null),
            "spec.resourceAttributes.fieldSelector.rawSelector: Invalid value: \"a=b\": may not specified at the same \
             time as requirements; spec.resourceAttributes.fieldSelector.requirements[0].key: Required value: must be \
             specified; spec.resourceAttributes.fieldSelector.requirements[0].values: Required value: must be specified \
             when `operator` is 'In' or 'NotIn'"
        );
        assert_eq!(
            told(Value::Null, json!({})),
            "spec.resourceAttributes.labelSelector.requirements: Required value: when \
             spec.resourceAttributes.labelSelector is specified, requirements or rawSelector is required"
        );
        assert_eq!(told(json!({"rawSelector": "a=b"}), json!({"requirements": [{"key": "a", "operator": "New"}]})), "");
    }
}
