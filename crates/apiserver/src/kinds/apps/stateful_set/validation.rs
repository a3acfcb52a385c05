//! What the spec of a StatefulSet may be.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apps::{
    RollingUpdateStatefulSetStrategy, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec,
    StatefulSetUpdateStrategy,
};
use nakhoda_api::kinds::core::{PersistentVolumeClaimVolumeSource, PodTemplateSpec, Volume};

use crate::rules::check::{label, list, nonnegative, supported, text};
use crate::rules::volume::claim;
use crate::rules::{pod, workload};

/// All of it. What cannot change is not looked at again, nor is a template that was at fault before.
pub(super) fn spec(
    errors: &mut Errors,
    path: &Path,
    (spec, missing): (&StatefulSetSpec, bool),
    old: Option<&StatefulSetSpec>,
) {
    let mut before = Errors::default();
    if let Some(old) = old {
        checked(&mut before, path, (old, false), false, true);
    }
    checked(errors, path, (spec, missing), old.is_none(), before.is_empty());
}

/// `missing`: the selector was left out.
fn checked(
    errors: &mut Errors,
    path: &Path,
    (spec, missing): (&StatefulSetSpec, bool),
    new: bool,
    template: bool,
) {
    let at = path.child("podManagementPolicy");
    match text(&spec.pod_management_policy) {
        "" => errors.required(&at, ""),
        "OrderedReady" | "Parallel" => {}
        other => errors.invalid(&at, other, "must be 'OrderedReady' or 'Parallel'"),
    }
    strategy(errors, &path.child("updateStrategy"), spec.update_strategy.as_ref());
    if let Some(policy) = &spec.persistent_volume_claim_retention_policy {
        retention(errors, &path.child("persistentVolumeClaimRetentionPolicy"), policy);
    }
    for (i, template) in list(&spec.volume_claim_templates).iter().enumerate().filter(|_| new) {
        let at = path.child("volumeClaimTemplates").index(i).child("spec");
        claim::validate(errors, &at, template.spec.as_ref().unwrap_or(&Default::default()));
    }
    nonnegative(errors, &path.child("replicas"), spec.replicas);
    nonnegative(errors, &path.child("minReadySeconds"), spec.min_ready_seconds);
    nonnegative(errors, &path.child("ordinals.start"), spec.ordinals.as_ref().and_then(|o| o.start));
    if new && !text(&spec.service_name).is_empty() {
        label(errors, &path.child("serviceName"), text(&spec.service_name));
    }
    let at = path.child("template");
    match workload::selector(errors, &path.child("selector"), &spec.selector, (missing, "statefulset")) {
        Some(selector) => {
            let resolved = resolved(spec);
            workload::labels_match(errors, &at, &resolved, &selector);
            if template {
                pod::template(errors, &at, &resolved);
            }
            pod::template_metadata(errors, &at, &resolved);
        }
        // what is wrong with it was told already
        None => errors.invalid(&path.child("selector"), serde_json::to_value(&spec.selector).unwrap_or_default(), ""),
    }
    workload::runs_for_ever(errors, &at, &spec.template, "StatefulSet");
}

fn strategy(errors: &mut Errors, path: &Path, strategy: Option<&StatefulSetUpdateStrategy>) {
    let given = strategy.cloned().unwrap_or_default();
    let at = path.child("rollingUpdate");
    match (text(&given.type_), &given.rolling_update) {
        ("", _) => errors.required(path, ""),
        ("OnDelete" | "RollingUpdate", None) => {}
        ("OnDelete", Some(rolling)) => {
            let shown = serde_json::to_value(rolling).unwrap_or_default();
            errors.invalid(&at, shown, "only allowed for updateStrategy 'RollingUpdate'");
        }
        ("RollingUpdate", Some(rolling)) => rolling_update(errors, &at, rolling),
        _ => {
            let shown = serde_json::to_value(&given).unwrap_or_default();
            errors.invalid(path, shown, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

fn rolling_update(errors: &mut Errors, path: &Path, rolling: &RollingUpdateStatefulSetStrategy) {
    nonnegative(errors, &path.child("partition"), rolling.partition);
    let Some(unavailable) = &rolling.max_unavailable else { return };
    let at = path.child("maxUnavailable");
    workload::int_or_percent(errors, &at, unavailable);
    if workload::number(Some(unavailable)) == 0 {
        errors.invalid(&at, serde_json::to_value(unavailable).unwrap_or_default(), "cannot be 0");
    }
    workload::at_most_all(errors, &at, unavailable);
}

fn retention(errors: &mut Errors, path: &Path, policy: &StatefulSetPersistentVolumeClaimRetentionPolicy) {
    for (field, value) in [("whenDeleted", &policy.when_deleted), ("whenScaled", &policy.when_scaled)] {
        supported(errors, &path.child(field), text(value), &["Retain", "Delete"]);
    }
}

/// The template as the pods will have it: names come from the set, and so do the volumes of its claims.
fn resolved(spec: &StatefulSetSpec) -> PodTemplateSpec {
    let mut template = spec.template.clone();
    let Some(pod) = &mut template.spec else { return template };
    pod.subdomain = None;
    pod.hostname = None;
    let claims = list(&spec.volume_claim_templates);
    if claims.is_empty() {
        return template;
    }
    let own = pod.volumes.take().unwrap_or_default();
    let named = claims.iter().filter_map(|c| c.metadata.name.as_ref());
    let claimed = |name: &String| named.clone().any(|n| n == name);
    let kept = own.into_iter().filter(|v| !claimed(&v.name));
    pod.volumes = Some(claims.iter().map(|c| mounted(text(&c.metadata.name))).chain(kept).collect());
    template
}

fn mounted(name: &str) -> Volume {
    let source = PersistentVolumeClaimVolumeSource { claim_name: name.into(), read_only: None };
    Volume { name: name.into(), persistent_volume_claim: Some(source), ..Volume::default() }
}
