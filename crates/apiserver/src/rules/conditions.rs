//! The conditions of a status, as `meta/v1` has them for every kind.

use std::collections::HashSet;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::meta::Condition;
use nakhoda_api::names;

use super::check::{chosen, each};

const LONGEST_REASON: usize = 1024;
const LONGEST_MESSAGE: usize = 32 * 1024;
const REASON: &str = "a condition reason must start with alphabetic character, optionally followed by a string of \
    alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or \
    'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is \
    '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')";

/// All conditions: each type once, each whole.
pub fn conditions(errors: &mut Errors, path: &Path, conditions: &[Condition]) {
    let mut seen = HashSet::new();
    for (index, condition) in conditions.iter().enumerate() {
        let at = path.index(index);
        if !seen.insert(&condition.type_) {
            errors.duplicate(&at.child("type"), condition.type_.as_str());
        }
        one(errors, &at, condition);
    }
}

fn one(errors: &mut Errors, path: &Path, condition: &Condition) {
    each(errors, &path.child("type"), condition.type_.as_str(), names::is_qualified_name(&condition.type_));
    chosen(errors, &path.child("status"), &condition.status, &["False", "True", "Unknown"]);
    if let Some(generation) = condition.observed_generation.filter(|g| *g < 0) {
        errors.invalid(&path.child("observedGeneration"), generation, "must be greater than or equal to zero");
    }
    // What Go's zero time is read as.
    if condition.last_transition_time.0 < jiff::Timestamp::UNIX_EPOCH {
        errors.required(&path.child("lastTransitionTime"), "");
    }
    let at = path.child("reason");
    match condition.reason.as_str() {
        "" => errors.required(&at, ""),
        reason if !is_reason(reason) => errors.invalid(&at, reason, REASON),
        _ => {}
    }
    if condition.reason.len() > LONGEST_REASON {
        errors.too_long(&at, LONGEST_REASON);
    }
    if condition.message.len() > LONGEST_MESSAGE {
        errors.too_long(&path.child("message"), LONGEST_MESSAGE);
    }
}

fn is_reason(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(word)
        && text.chars().all(|c| word(c) || c == ',' || c == ':')
}

#[cfg(test)]
mod tests {
    use nakhoda_api::kinds::meta::Time;

    use super::*;

    fn condition(type_: &str, status: &str, reason: &str) -> Condition {
        Condition {
            type_: type_.into(),
            status: status.into(),
            reason: reason.into(),
            last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
            message: String::new(),
            observed_generation: None,
        }
    }

    fn faults(all: &[Condition]) -> String {
        let mut errors = Errors::default();
        conditions(&mut errors, &Path::new("status").child("conditions"), all);
        errors.to_string()
    }

    #[test]
    fn a_condition_is_whole_and_there_once() {
        let good = condition("Ready", "True", "AllGood");
        assert_eq!(faults(std::slice::from_ref(&good)), "");
        assert!(faults(&[good.clone(), good]).contains("status.conditions[1].type: Duplicate value: \"Ready\""));
        assert!(
            faults(&[condition("Ready", "Maybe", "A")]).contains("supported values: \"False\", \"True\", \"Unknown\"")
        );
        assert!(faults(&[condition("Ready", "True", "")]).contains("status.conditions[0].reason: Required value"));
        assert!(faults(&[condition("Ready", "True", "no blanks")]).contains("a condition reason must start with"));
    }
}
