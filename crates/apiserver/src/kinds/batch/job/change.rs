//! What of a Job may change: its parallelism and limits; the completions of an indexed Job together with its
//! parallelism; and, while it is suspended and no pod of it is there, where its pods go and what they ask for.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::batch::{JobSpec, JobStatus};
use nakhoda_api::kinds::core::{Affinity, Container, PodSpec, PodTemplateSpec};

use super::status::is_true;
use crate::rules::check::{immutable, same};
use crate::rules::job::is_indexed;

/// A changed spec.
pub(super) fn validate(errors: &mut Errors, new: &JobSpec, old: &JobSpec, status: &JobStatus) {
    let path = Path::new("spec");
    completions(errors, &path, new, old);
    immutable(errors, &path.child("selector"), &new.selector, &old.selector);
    template(errors, &path, new, old, status);
    immutable(errors, &path.child("completionMode"), &new.completion_mode, &old.completion_mode);
    immutable(errors, &path.child("podFailurePolicy"), &new.pod_failure_policy, &old.pod_failure_policy);
    let at = path.child("backoffLimitPerIndex");
    immutable(errors, &at, &new.backoff_limit_per_index, &old.backoff_limit_per_index);
    immutable(errors, &path.child("managedBy"), &new.managed_by, &old.managed_by);
    immutable(errors, &path.child("successPolicy"), &new.success_policy, &old.success_policy);
}

fn completions(errors: &mut Errors, path: &Path, new: &JobSpec, old: &JobSpec) {
    let at = path.child("completions");
    if !is_indexed(new) {
        return immutable(errors, &at, &new.completions, &old.completions);
    }
    if new.completions.is_some() && new.completions != old.completions && new.completions != new.parallelism {
        errors.invalid(&at, new.completions, "can only be modified in tandem with spec.parallelism");
    }
}

fn template(errors: &mut Errors, path: &Path, new: &JobSpec, old: &JobSpec, status: &JobStatus) {
    let suspended = old.suspend == Some(true);
    let idle = status.active.unwrap_or(0) == 0 && (status.start_time.is_none() || is_true(status, "Suspended"));
    let (new, mut old) = (&new.template, old.template.clone());
    if !(suspended && idle) {
        return immutable(errors, &path.child("template"), new, &old);
    }
    directives(&mut old, new);
    let none = PodSpec::default();
    let mut before = old.spec.unwrap_or_default();
    let now = new.spec.as_ref().unwrap_or(&none);
    amounts(&mut before.containers, &now.containers);
    if let (Some(before), Some(now)) = (&mut before.init_containers, &now.init_containers) {
        amounts(before, now);
    }
    immutable(errors, &path.child("template.spec"), now, &before);
}

/// Takes over what says where the pods go.
fn directives(old: &mut PodTemplateSpec, new: &PodTemplateSpec) {
    old.metadata.clone_from(&new.metadata);
    let (Some(before), Some(now)) = (&mut old.spec, &new.spec) else { return };
    before.node_selector.clone_from(&now.node_selector);
    before.tolerations.clone_from(&now.tolerations);
    before.scheduling_gates.clone_from(&now.scheduling_gates);
    let to_nodes = now.affinity.as_ref().and_then(|a| a.node_affinity.clone());
    let affinity = Affinity { node_affinity: to_nodes, ..before.affinity.clone().unwrap_or_default() };
    let alone = now.affinity.is_none() && same(&affinity, &Affinity::default());
    before.affinity = (!alone).then_some(affinity);
}

/// Takes over what the containers ask for, if they are the same containers.
fn amounts(old: &mut [Container], new: &[Container]) {
    if old.len() == new.len() {
        for (before, now) in old.iter_mut().zip(new).filter(|(before, now)| before.name == now.name) {
            before.resources.clone_from(&now.resources);
        }
    }
}
