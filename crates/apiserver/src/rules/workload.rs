//! What controllers of pods have in common: selector, template, counts, and rolling updates.

use std::collections::BTreeMap;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::core::PodTemplateSpec;
use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::names;
use nakhoda_api::selector::{self, LabelSelector as Selector};

use crate::kind::FieldPath;
use crate::rules::check::{self, each, nonnegative, text};
use crate::rules::pod;

/// Where the kinds here have their selector.
pub const SELECTOR: FieldPath = &["spec", "selector"];

/// The selector of what is spoken of by `owner`, which must be given and not be empty; none if it cannot be read.
pub fn selector(
    errors: &mut Errors,
    path: &Path,
    selector: &LabelSelector,
    (missing, owner): (bool, &str),
) -> Option<Selector> {
    if missing {
        errors.required(path, "");
        return Some(Selector::nothing());
    }
    check::selector(errors, path, Some(selector));
    empty(errors, path, selector, owner);
    selector::labels::from_typed(Some(selector)).ok()
}

/// Fault of a selector that selects everything.
pub fn empty(errors: &mut Errors, path: &Path, selector: &LabelSelector, owner: &str) {
    let labels = selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty);
    if labels && check::list(&selector.match_expressions).is_empty() {
        errors.invalid(path, value(selector), format!("empty selector is invalid for {owner}"));
    }
}

/// A template of pods that run for ever.
pub fn template(
    errors: &mut Errors,
    path: &Path,
    template: Option<&PodTemplateSpec>,
    selector: &Selector,
    owner: &str,
) {
    let Some(template) = template else {
        errors.required(path, "");
        return;
    };
    labels_match(errors, path, template, selector);
    pod::template(errors, path, template);
    runs_for_ever(errors, path, template, owner);
}

/// Fault if the pods of a template would not be found by the selector.
pub fn labels_match(errors: &mut Errors, path: &Path, template: &PodTemplateSpec, selector: &Selector) {
    let labels = template.metadata.as_ref().and_then(|m| m.labels.as_ref());
    if !selector.is_everything() && !selector.matches(&labels) {
        let at = path.child("metadata").child("labels");
        errors.invalid(&at, value(&labels), "`selector` does not match template `labels`");
    }
}

/// Pods that are started again whenever they end.
pub fn runs_for_ever(errors: &mut Errors, path: &Path, template: &PodTemplateSpec, owner: &str) {
    let Some(spec) = &template.spec else { return };
    let at = path.child("spec");
    check::supported(errors, &at.child("restartPolicy"), text(&spec.restart_policy), &["Always"]);
    if spec.active_deadline_seconds.is_some() {
        let why = format!("activeDeadlineSeconds in {owner} is not Supported");
        errors.forbidden(&at.child("activeDeadlineSeconds"), why);
    }
}

fn value<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// A count, or a share in percent.
pub fn int_or_percent(errors: &mut Errors, path: &Path, value: &IntOrString) {
    match value {
        IntOrString::Int(n) => nonnegative(errors, path, Some(*n)),
        IntOrString::String(s) => each(errors, path, s.as_str(), names::is_valid_percent(s)),
    }
}

/// Not more than all.
pub fn at_most_all(errors: &mut Errors, path: &Path, value: &IntOrString) {
    if let IntOrString::String(s) = value
        && percent(s).is_some_and(|p| p > 100)
    {
        errors.invalid(path, s.as_str(), "must not be greater than 100%");
    }
}

/// The number, be it a count or a percentage; absent and unreadable count as zero.
#[must_use]
pub fn number(value: Option<&IntOrString>) -> i64 {
    match value {
        Some(IntOrString::Int(n)) => (*n).into(),
        Some(IntOrString::String(s)) => percent(s).unwrap_or(0),
        None => 0,
    }
}

fn percent(text: &str) -> Option<i64> {
    text.strip_suffix('%')?.parse().ok()
}

/// A count of a status, and whether it is part of `replicas`.
pub type Count<'a> = (&'a str, Option<i32>, bool);

/// Counts of a status; what is available is ready too.
pub fn counts(errors: &mut Errors, replicas: i32, counts: &[Count<'_>]) {
    parts(errors, replicas, counts);
    available(errors, counts, "cannot be greater than readyReplicas");
}

/// Counts of a status, none of which may be negative or more than the whole.
pub fn parts(errors: &mut Errors, replicas: i32, counts: &[Count<'_>]) {
    let path = Path::new("status");
    for (name, count, _) in counts {
        nonnegative(errors, &path.child(name), *count);
    }
    for (name, count, _) in counts.iter().filter(|(_, _, part)| *part) {
        if count.unwrap_or(0) > replicas {
            errors.invalid(&path.child(name), count.unwrap_or(0), "cannot be greater than status.replicas");
        }
    }
}

/// What is available is ready too.
pub fn available(errors: &mut Errors, counts: &[Count<'_>], why: &str) {
    let of = |wanted| counts.iter().find(|(name, ..)| *name == wanted).and_then(|(_, n, _)| *n).unwrap_or(0);
    if of("availableReplicas") > of("readyReplicas") {
        errors.invalid(&Path::new("status.availableReplicas"), of("availableReplicas"), why);
    }
}

/// A count that only grows.
pub fn not_decremented(errors: &mut Errors, field: &str, new: Option<i32>, old: Option<i32>) {
    if old > new {
        errors.invalid(&Path::new("status").child(field), new.unwrap_or(0), "cannot be decremented");
    }
}

/// Says that a selector, whose faults were told already, cannot be used.
pub fn unreadable(errors: &mut Errors, path: &Path, selector: &LabelSelector) {
    errors.invalid(path, value(selector), "invalid label selector");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_percentages_are_bounded() {
        let path = Path::new("p");
        let mut errors = Errors::default();
        for value in ["5%", "101%", "x"].map(|s| IntOrString::String(s.into())).iter().chain([&IntOrString::Int(-1)]) {
            int_or_percent(&mut errors, &path, value);
            at_most_all(&mut errors, &path, value);
        }
        assert_eq!(
            errors.to_string(),
            "[p: Invalid value: \"101%\": must not be greater than 100%, \
             p: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%'), \
             p: Invalid value: -1: must be greater than or equal to 0]"
        );
    }
}
