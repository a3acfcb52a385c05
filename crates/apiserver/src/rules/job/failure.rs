//! `podFailurePolicy`: what the failure of a pod means, by its exit codes or its conditions.

use std::collections::BTreeSet;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::{
    JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
};
use serde_json::Value;

use crate::rules::check::{list, qualified, text};

const MOST_RULES: usize = 20;
const MOST_VALUES: usize = 255;
const MOST_PATTERNS: usize = 20;
const ACTIONS: &[&str] = &["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: &[&str] = &["In", "NotIn"];
const STATUSES: &[&str] = &["False", "True", "Unknown"];

/// All rules.
pub(super) fn validate(errors: &mut Errors, path: &Path, policy: &PodFailurePolicy, spec: &JobSpec) {
    let at = path.child("rules");
    at_most(errors, &at, policy.rules.len(), MOST_RULES);
    for (i, one) in policy.rules.iter().enumerate() {
        rule(errors, &at.index(i), one, spec);
    }
}

fn rule(errors: &mut Errors, path: &Path, rule: &PodFailurePolicyRule, spec: &JobSpec) {
    let at = path.child("action");
    match rule.action.as_str() {
        "FailIndex" if spec.backoff_limit_per_index.is_none() => {
            errors.invalid(&at, "FailIndex", "requires the backoffLimitPerIndex to be set");
        }
        other => one_of(errors, &at, other, ACTIONS),
    }
    let patterns = list(&rule.on_pod_conditions);
    if let Some(codes) = &rule.on_exit_codes {
        exit_codes(errors, &path.child("onExitCodes"), codes, spec);
    }
    conditions(errors, &path.child("onPodConditions"), patterns);
    match (&rule.on_exit_codes, patterns.is_empty()) {
        (Some(_), false) => {
            errors.unfit(path, "specifying both OnExitCodes and OnPodConditions is not supported");
        }
        (None, true) => errors.unfit(path, "specifying one of OnExitCodes and OnPodConditions is required"),
        _ => {}
    }
}

fn conditions(errors: &mut Errors, path: &Path, patterns: &[PodFailurePolicyOnPodConditionsPattern]) {
    at_most(errors, path, patterns.len(), MOST_PATTERNS);
    for (i, pattern) in patterns.iter().enumerate() {
        let at = path.index(i);
        qualified(errors, &at.child("type"), &pattern.type_);
        one_of(errors, &at.child("status"), text(&pattern.status), STATUSES);
    }
}

fn exit_codes(errors: &mut Errors, path: &Path, codes: &PodFailurePolicyOnExitCodesRequirement, spec: &JobSpec) {
    one_of(errors, &path.child("operator"), &codes.operator, OPERATORS);
    let pod = spec.template.spec.as_ref();
    let containers = pod.into_iter().flat_map(|p| p.containers.iter().chain(list(&p.init_containers)));
    let mut names = containers.map(|c| c.name.as_str());
    if let Some(name) = codes.container_name.as_deref().filter(|name| !names.any(|n| n == *name)) {
        let why = "must be one of the container or initContainer names in the pod template";
        errors.invalid(&path.child("containerName"), name, why);
    }
    let (at, values) = (path.child("values"), &codes.values);
    if values.is_empty() {
        errors.invalid(&at, Value::Null, "at least one value is required");
    }
    at_most(errors, &at, values.len(), MOST_VALUES);
    let mut seen = BTreeSet::new();
    for (i, value) in values.iter().enumerate() {
        if codes.operator == "In" && *value == 0 {
            errors.invalid(&at.index(i), 0, "must not be 0 for the In operator");
        }
        if !seen.insert(value) {
            errors.duplicate(&at.index(i), *value);
        }
    }
    if !values.is_sorted() {
        errors.invalid(&at, values.clone(), "must be ordered");
    }
}

fn at_most(errors: &mut Errors, path: &Path, count: usize, limit: usize) {
    if count > limit {
        errors.too_many(path, count, limit);
    }
}

fn one_of(errors: &mut Errors, path: &Path, value: &str, values: &[&str]) {
    if value.is_empty() {
        let quoted: Vec<_> = values.iter().map(|v| format!("{v:?}")).collect();
        errors.required(path, format!("valid values: [{}]", quoted.join(" ")));
    } else if !values.contains(&value) {
        errors.not_supported(path, value, values);
    }
}
