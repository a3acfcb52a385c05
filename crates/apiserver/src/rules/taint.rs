//! Taints of nodes and tolerations of pods.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Taint, Toleration};
use nakhoda_api::names;

use crate::rules::check::{chosen, list, qualified, supported, text};

const EFFECTS: &[&str] = &["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// Taints, unique by key and effect.
pub fn taints(errors: &mut Errors, path: &Path, taints: &[Taint]) {
    let mut seen = Vec::new();
    for (i, taint) in taints.iter().enumerate() {
        let at = path.index(i);
        qualified(errors, &at.child("key"), &taint.key);
        let faults = names::is_label_value(text(&taint.value));
        if !faults.is_empty() {
            errors.invalid(&at.child("value"), text(&taint.value), faults.join(";"));
        }
        chosen(errors, &at.child("effect"), &taint.effect, EFFECTS);
        let key = (&taint.key, &taint.effect);
        if seen.contains(&key) {
            let value = serde_json::to_value(taint).unwrap_or_default();
            let fault = nakhoda_api::field::Fault::Duplicate(value);
            errors.push(&at, fault, "taints must be unique by key and effect pair");
        } else {
            seen.push(key);
        }
    }
}

/// Tolerations without those that others cover; of equal ones the first stays.
#[must_use]
pub fn merge(all: Vec<Toleration>) -> Vec<Toleration> {
    let mut merged: Vec<Toleration> = Vec::new();
    for (i, one) in all.iter().enumerate() {
        let later = all[i + 1..].iter().any(|other| other != one && covers(other, one));
        if !later && !merged.iter().any(|other| covers(other, one)) {
            merged.push(one.clone());
        }
    }
    merged
}

/// Whether all that is tolerated by the second is tolerated by the first.
#[must_use]
pub fn covers(wide: &Toleration, narrow: &Toleration) -> bool {
    let (operator, key, effect) = (text(&wide.operator), text(&wide.key), text(&wide.effect));
    let shorter = |limit: i64| narrow.toleration_seconds.is_some_and(|seconds| seconds <= limit);
    if wide == narrow {
        return true;
    }
    if (text(&narrow.key) != key && (!key.is_empty() || operator != "Exists"))
        || (text(&narrow.effect) != effect && !effect.is_empty())
        || (effect == "NoExecute" && !wide.toleration_seconds.is_none_or(shorter))
    {
        return false;
    }
    match operator {
        "Equal" | "" => text(&narrow.operator) == "Equal" && text(&narrow.value) == text(&wide.value),
        other => other == "Exists",
    }
}

/// Tolerations of a pod.
pub fn tolerations(errors: &mut Errors, path: &Path, tolerations: &Option<Vec<Toleration>>) {
    for (i, toleration) in list(tolerations).iter().enumerate() {
        one(errors, &path.index(i), toleration);
    }
}

fn one(errors: &mut Errors, path: &Path, toleration: &Toleration) {
    let (key, operator) = (text(&toleration.key), text(&toleration.operator));
    let (value, effect) = (text(&toleration.value), text(&toleration.effect));
    if !key.is_empty() {
        qualified(errors, &path.child("key"), key);
    }
    if key.is_empty() && operator != "Exists" {
        let why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        errors.invalid(&path.child("operator"), operator, why);
    }
    if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
        let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        errors.invalid(&path.child("effect"), effect, why);
    }
    match operator {
        "Equal" | "" => {
            let faults = names::is_label_value(value);
            if !faults.is_empty() {
                errors.invalid(&path.child("operator"), value, faults.join(";"));
            }
        }
        "Exists" if !value.is_empty() => {
            errors.invalid(&path.child("operator"), value, "value must be empty when `operator` is 'Exists'");
        }
        "Exists" => {}
        other => errors.not_supported(&path.child("operator"), other, &["Equal", "Exists"]),
    }
    if !effect.is_empty() {
        supported(errors, &path.child("effect"), effect, EFFECTS);
    }
}
