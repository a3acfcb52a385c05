//! What of a pod may change once it is made: images, a shorter deadline, more tolerations, fewer gates.

use nakhoda_api::GroupVersionKind;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Container, Pod, PodSpec, Toleration};
use nakhoda_api::schema::internal;

use super::annotations;
use super::containers::image_is_trimmed;
use crate::rules::check::{list, required, same, text};
use crate::rules::{diff, taint};

const MAY_CHANGE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// A changed pod.
pub fn validate(errors: &mut Errors, new: &Pod, old: &Pod) {
    let at = Path::new("metadata.annotations");
    annotations::update(errors, &at, new.metadata.annotations.as_ref(), old.metadata.annotations.as_ref());
    let none = PodSpec::default();
    let (spec, old) = (new.spec.as_ref().unwrap_or(&none), old.spec.as_ref().unwrap_or(&none));
    super::whole(errors, new, spec);
    let path = Path::new("spec");
    let pairs = [
        ("containers", &spec.containers[..], &old.containers[..]),
        ("initContainers", list(&spec.init_containers), list(&old.init_containers)),
    ];
    for (field, new, old) in pairs {
        if !containers(errors, &path.child(field), new, old) {
            return;
        }
    }
    if !deadline(errors, &path.child("activeDeadlineSeconds"), spec, old) {
        return;
    }
    tolerations(errors, &path.child("tolerations"), &spec.tolerations, list(&old.tolerations));
    gates(errors, &path.child("schedulingGates"), spec, old);
    let fixed = with_changes_undone(spec, old);
    if !same(&fixed, old) {
        let why = format!("pod updates may not change fields other than {MAY_CHANGE}\n{}", difference(old, &fixed));
        errors.forbidden(&path, why);
    }
}

/// Whether the rest can be compared.
fn containers(errors: &mut Errors, path: &Path, new: &[Container], old: &[Container]) -> bool {
    if new.len() != old.len() {
        errors.forbidden(path, "pod updates may not add or remove containers");
        return false;
    }
    for (i, container) in new.iter().enumerate() {
        required(errors, &path.index(i).child("image"), text(&container.image));
        image_is_trimmed(errors, &path.index(i), text(&container.image));
    }
    true
}

/// May come, and may come nearer.
fn deadline(errors: &mut Errors, path: &Path, new: &PodSpec, old: &PodSpec) -> bool {
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(now), _) if !(0..=i64::from(i32::MAX)).contains(&now) => {
            errors.invalid(path, now, format!("must be between 0 and {}, inclusive", i32::MAX));
            false
        }
        (Some(now), Some(before)) if before < now => {
            errors.invalid(path, now, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            let why = "must not update from a positive integer to nil value";
            errors.invalid(path, serde_json::Value::Null, why);
            true
        }
        _ => true,
    }
}

/// Only the seconds of a toleration may change.
fn tolerations(errors: &mut Errors, path: &Path, spec: &Option<Vec<Toleration>>, old: &[Toleration]) {
    let new = list(spec);
    let kept = |before: &Toleration| {
        new.iter().any(|now| Toleration { toleration_seconds: now.toleration_seconds, ..before.clone() } == *now)
    };
    if !old.iter().all(kept) {
        return errors.forbidden(path, "existing toleration can not be modified except its tolerationSeconds");
    }
    // a second time: a change is looked at as a whole, and by itself
    taint::tolerations(errors, path, spec);
}

fn gates(errors: &mut Errors, path: &Path, new: &PodSpec, old: &PodSpec) {
    for (i, gate) in list(&new.scheduling_gates).iter().enumerate() {
        if !list(&old.scheduling_gates).contains(gate) {
            let why = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            errors.forbidden(&path.index(i).child("name"), why);
        }
    }
}

/// The new spec with everything put back that may change.
fn with_changes_undone(new: &PodSpec, old: &PodSpec) -> PodSpec {
    let mut spec = new.clone();
    let images = |new: &mut [Container], old: &[Container]| {
        new.iter_mut().zip(old).for_each(|(n, o)| n.image.clone_from(&o.image));
    };
    images(&mut spec.containers, &old.containers);
    images(spec.init_containers.as_deref_mut().unwrap_or_default(), list(&old.init_containers));
    spec.active_deadline_seconds = old.active_deadline_seconds;
    spec.scheduling_gates.clone_from(&old.scheduling_gates);
    spec.tolerations.clone_from(&old.tolerations);
    if old.termination_grace_period_seconds.is_some_and(|s| s < 0) && spec.termination_grace_period_seconds == Some(1) {
        spec.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    if !list(&old.scheduling_gates).is_empty() {
        while_gated(&mut spec, old);
    }
    spec
}

/// A pod that waits may be bound to fewer nodes.
fn while_gated(spec: &mut PodSpec, old: &PodSpec) {
    let more = |new: &PodSpec| {
        let kept = |(k, v): (&String, &String)| new.node_selector.as_ref().and_then(|s| s.get(k)) == Some(v);
        old.node_selector.iter().flatten().all(kept)
    };
    if more(spec) {
        spec.node_selector.clone_from(&old.node_selector);
    }
    if old.affinity.as_ref().is_none_or(|a| a.node_affinity.is_none())
        && let Some(affinity) = &mut spec.affinity
    {
        affinity.node_affinity = None;
        if old.affinity.is_none() && same(affinity, &Default::default()) {
            spec.affinity = None;
        }
    }
}

/// As the internal types show it.
fn difference(old: &PodSpec, new: &PodSpec) -> String {
    let pod = GroupVersionKind::new("", "v1", "Pod");
    let shown = |spec: &PodSpec| internal::shown(&pod, "spec", &serde_json::to_value(spec).unwrap_or_default());
    diff::values(&shown(old), &shown(new))
}
