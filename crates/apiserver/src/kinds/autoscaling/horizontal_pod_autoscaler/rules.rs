//! Validation of an autoscaler: bounds, target and behaviour.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::autoscaling::{
    CrossVersionObjectReference, HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler,
    HorizontalPodAutoscalerSpec,
};
use nakhoda_api::quantity::Quantity;

use super::metrics;
use crate::rules::check::{list, nonnegative, text};
use crate::rules::reference::segment;

/// How an API version of a reference is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// Anything goes.
    Any,
    /// It must be one, of the core group or of another.
    Known,
    /// It must name a group.
    Grouped,
}

/// Faults of the status.
pub(crate) fn status(errors: &mut Errors, hpa: &HorizontalPodAutoscaler) {
    let path = Path::new("status");
    let status = hpa.status.as_ref();
    nonnegative(errors, &path.child("currentReplicas"), status.and_then(|s| s.current_replicas));
    nonnegative(errors, &path.child("desiredReplicas"), status.map(|s| s.desired_replicas));
}

/// Faults of the specification.
pub(crate) fn spec(errors: &mut Errors, new: &HorizontalPodAutoscaler, old: Option<&HorizontalPodAutoscaler>) {
    let (spec, path) = (&new.spec, Path::new("spec"));
    let old = old.map(|o| &o.spec);
    bounds(errors, &path, spec, old);
    reference(errors, &path.child("scaleTargetRef"), &spec.scale_target_ref, target_version(spec, old));
    metrics::check(errors, &path.child("metrics"), spec, old);
    let behavior = path.child("behavior");
    for (name, rules) in [
        ("scaleUp", spec.behavior.as_ref().and_then(|b| b.scale_up.as_ref())),
        ("scaleDown", spec.behavior.as_ref().and_then(|b| b.scale_down.as_ref())),
    ] {
        if let Some(rules) = rules {
            scaling(errors, &behavior.child(name), rules);
        }
    }
}

fn bounds(
    errors: &mut Errors,
    path: &Path,
    spec: &HorizontalPodAutoscalerSpec,
    old: Option<&HorizontalPodAutoscalerSpec>,
) {
    let lowest = i32::from(old.and_then(|o| o.min_replicas) != Some(0));
    let max = path.child("maxReplicas");
    if let Some(least) = spec.min_replicas.filter(|least| *least < lowest) {
        errors.invalid(&path.child("minReplicas"), least, format!("must be greater than or equal to {lowest}"));
    }
    match spec.max_replicas {
        0 => errors.required(&max, "must be set and greater than 0"),
        most if most < 0 => errors.invalid(&max, most, "must be greater than or equal to 1"),
        _ => {}
    }
    if spec.min_replicas.is_some_and(|least| spec.max_replicas < least) {
        errors.invalid(&max, spec.max_replicas, "must be greater than or equal to `minReplicas`");
    }
}

/// A target that stays is not judged again; only one scalable kind has no group.
fn target_version(spec: &HorizontalPodAutoscalerSpec, old: Option<&HorizontalPodAutoscalerSpec>) -> Version {
    let new = &spec.scale_target_ref;
    let stays = |old: &HorizontalPodAutoscalerSpec| {
        text(&old.scale_target_ref.api_version) == text(&new.api_version) && old.scale_target_ref.kind == new.kind
    };
    match old {
        Some(old) if stays(old) => Version::Any,
        _ if new.kind == "ReplicationController" => Version::Known,
        _ => Version::Grouped,
    }
}

/// A reference to an object of any kind.
pub(crate) fn reference(errors: &mut Errors, path: &Path, reference: &CrossVersionObjectReference, version: Version) {
    segment(errors, &path.child("kind"), &reference.kind);
    segment(errors, &path.child("name"), &reference.name);
    let given = text(&reference.api_version);
    if let Some(fault) = version_fault(given, version) {
        errors.invalid(&path.child("apiVersion"), given, fault);
    }
}

/// What is wrong with an API version.
pub(crate) fn version_fault(given: &str, version: Version) -> Option<String> {
    let groupless = || (version == Version::Grouped).then(|| "apiVersion must specify API group".to_owned());
    match given.split('/').count() {
        _ if version == Version::Any => None,
        1 => groupless(),
        2 if given.starts_with('/') => groupless(),
        2 => None,
        _ => Some(format!("unexpected GroupVersion string: {given}")),
    }
}

fn scaling(errors: &mut Errors, path: &Path, rules: &HPAScalingRules) {
    let window = path.child("stabilizationWindowSeconds");
    match rules.stabilization_window_seconds {
        Some(seconds) if seconds < 0 => errors.invalid(&window, seconds, "must be greater than or equal to zero"),
        Some(seconds) if seconds > 3600 => errors.invalid(&window, seconds, "must be less than or equal to 3600"),
        _ => {}
    }
    if let Some(policy) = rules.select_policy.as_deref().filter(|p| !["Disabled", "Max", "Min"].contains(p)) {
        errors.not_supported(&path.child("selectPolicy"), policy, &["Disabled", "Max", "Min"]);
    }
    let (policies, at) = (list(&rules.policies), path.child("policies"));
    if policies.is_empty() {
        errors.required(&at, "must specify at least one Policy");
    }
    for (i, one) in policies.iter().enumerate() {
        policy(errors, &at.index(i), one);
    }
    if let Some(tolerance) = &rules.tolerance
        && Quantity::parse(&tolerance.0).is_ok_and(Quantity::is_negative)
    {
        errors.invalid(&path.child("tolerance"), tolerance.0.as_str(), "must be greater than or equal to 0");
    }
}

fn policy(errors: &mut Errors, path: &Path, policy: &HPAScalingPolicy) {
    if !["Percent", "Pods"].contains(&policy.type_.as_str()) {
        errors.not_supported(&path.child("type"), policy.type_.as_str(), &["Percent", "Pods"]);
    }
    if policy.value <= 0 {
        errors.invalid(&path.child("value"), policy.value, "must be greater than zero");
    }
    let period = path.child("periodSeconds");
    match policy.period_seconds {
        seconds if seconds <= 0 => errors.invalid(&period, seconds, "must be greater than zero"),
        seconds if seconds > 1800 => errors.invalid(&period, seconds, "must be less than or equal to 1800"),
        _ => {}
    }
}
