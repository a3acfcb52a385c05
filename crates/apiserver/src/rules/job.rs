//! What a Job may be, made by hand or by a CronJob.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::{JobSpec, PodFailurePolicyRule};
use nakhoda_api::names;

use super::check::{each, nonnegative, text};
use super::defaults::{self, fill};
use super::pod;

pub mod failure;
pub mod indexed;
pub mod indexes;
pub mod success;

/// Fills what Jobs and templates of Jobs have in common.
pub fn default(spec: &mut JobSpec) {
    defaults::template(&mut spec.template);
    let rules = spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules);
    let patterns = rules.flat_map(|rule: &mut PodFailurePolicyRule| rule.on_pod_conditions.iter_mut().flatten());
    patterns.for_each(|pattern| fill(&mut pattern.status, "True"));
}

/// Whether each completion has a number.
#[must_use]
pub fn is_indexed(spec: &JobSpec) -> bool {
    text(&spec.completion_mode) == "Indexed"
}

/// All of the spec but the selector.
pub fn validate(errors: &mut Errors, path: &Path, spec: &JobSpec) {
    counts(errors, path, spec);
    if let Some(manager) = &spec.managed_by {
        managed_by(errors, &path.child("managedBy"), manager);
    }
    indexed::validate(errors, path, spec);
    if let Some(policy) = &spec.pod_failure_policy {
        failure::validate(errors, &path.child("podFailurePolicy"), policy, spec);
    }
    if let Some(policy) = &spec.success_policy {
        success::validate(errors, &path.child("successPolicy"), policy, spec);
    }
    let at = path.child("podReplacementPolicy");
    match (&spec.pod_replacement_policy, &spec.pod_failure_policy) {
        (Some(policy), Some(_)) if policy != "Failed" => errors.not_supported(&at, policy.as_str(), &["Failed"]),
        (Some(policy), None) if !["Failed", "TerminatingOrFailed"].contains(&policy.as_str()) => {
            errors.not_supported(&at, policy.as_str(), &["Failed", "TerminatingOrFailed"]);
        }
        _ => {}
    }
    pod::template(errors, &path.child("template"), &spec.template);
    restart_policy(errors, &path.child("template").child("spec").child("restartPolicy"), spec);
}

/// Texts about what is allowed but unlikely to go well, without those about the name.
#[must_use]
pub fn warnings(path: &str, spec: &JobSpec) -> Vec<String> {
    let mut warnings = Vec::new();
    let many = spec.completions.unwrap_or(0) > 100_000 && spec.parallelism.unwrap_or(0) > 10_000;
    if is_indexed(spec) && many {
        warnings.push(format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    warnings.extend(pod::warnings::template(&format!("{path}.template.spec"), &spec.template));
    warnings
}

fn counts(errors: &mut Errors, path: &Path, spec: &JobSpec) {
    let wide = |n: Option<i32>| n.map(i64::from);
    for (field, count) in [
        ("parallelism", wide(spec.parallelism)),
        ("completions", wide(spec.completions)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", wide(spec.backoff_limit)),
        ("ttlSecondsAfterFinished", wide(spec.ttl_seconds_after_finished)),
        ("backoffLimitPerIndex", wide(spec.backoff_limit_per_index)),
        ("maxFailedIndexes", wide(spec.max_failed_indexes)),
    ] {
        nonnegative(errors, &path.child(field), count);
    }
    if spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none() {
        errors.required(&path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
}

/// A path below a domain: `acme.io/foo`.
fn managed_by(errors: &mut Errors, path: &Path, manager: &str) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/-._~%!$&'()*+,;=:".contains(c);
    match manager.split_once('/') {
        _ if manager.is_empty() => errors.required(path, ""),
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => {
            each(errors, path, host, names::is_dns1123_subdomain(host));
            if !rest.chars().all(allowed) {
                let text = r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')";
                errors.invalid(path, rest, text);
            }
        }
        _ => errors.invalid(path, manager, "must be a domain-prefixed path (such as \"acme.io/foo\")"),
    }
    if manager.len() > 63 {
        errors.too_long(path, 63);
    }
}

/// Pods that end; if their failures are judged, they are not started again on the spot.
fn restart_policy(errors: &mut Errors, path: &Path, spec: &JobSpec) {
    let policy = spec.template.spec.as_ref().map_or("", |pod| text(&pod.restart_policy));
    match policy {
        "" | "Always" => errors.required(path, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if spec.pod_failure_policy.is_some() => {
            errors.invalid(path, policy, "only \"Never\" is supported when podFailurePolicy is specified");
        }
        "OnFailure" | "Never" => {}
        _ => errors.not_supported(path, policy, &["OnFailure", "Never"]),
    }
}

#[cfg(test)]
mod tests;
