//! What pods and pod templates may be. The parts of a spec each have a module.
//!
//! Absent: volume types that need a driver this cluster does not have are only counted, not looked
//! into; resource claims; options of Windows.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Pod, PodSpec, PodTemplateSpec};

use crate::rules::check::{self, list, text};

pub mod affinity;
pub mod annotations;
pub mod claims;
pub mod containers;
pub mod downward;
pub mod env;
pub mod ephemeral;
pub mod handlers;
pub mod label_keys;
pub mod mounts;
pub mod network;
pub mod ports;
pub mod projected;
pub mod resize;
pub mod resources;
pub mod scheduling;
pub mod security;
pub mod spec;
pub mod status;
pub mod update;
pub mod volumes;
pub mod warnings;
pub mod windows;

/// A new pod.
pub fn create(errors: &mut Errors, pod: &Pod) {
    let none = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&none);
    whole(errors, pod, spec);
    if !list(&spec.ephemeral_containers).is_empty() {
        errors.forbidden(&Path::new("spec.ephemeralContainers"), "cannot be set on create");
    }
}

/// What holds for a pod at all times.
pub fn whole(errors: &mut Errors, pod: &Pod, spec: &PodSpec) {
    annotations::validate(errors, &Path::new("metadata.annotations"), pod.metadata.annotations.as_ref(), spec);
    let path = Path::new("spec");
    spec::validate(errors, &path, spec, text(&pod.metadata.name), true);
    if text(&spec.service_account_name).is_empty() {
        projected::without_account(errors, &path.child("volumes"), list(&spec.volumes));
    }
    for (field, containers) in [("containers", &spec.containers[..]), ("initContainers", list(&spec.init_containers))] {
        for (i, container) in containers.iter().enumerate() {
            containers::image_is_trimmed(errors, &path.child(field).index(i), text(&container.image));
        }
    }
}

/// A template of pods.
pub fn template(errors: &mut Errors, path: &Path, template: &PodTemplateSpec) {
    let none = PodSpec::default();
    let spec = template.spec.as_ref().unwrap_or(&none);
    template_metadata(errors, path, template);
    let at = path.child("spec");
    spec::validate(errors, &at, spec, "", false);
    if !list(&spec.ephemeral_containers).is_empty() {
        errors.forbidden(&at.child("ephemeralContainers"), "ephemeral containers not allowed in pod template");
    }
}

/// Labels and annotations of a template.
pub fn template_metadata(errors: &mut Errors, path: &Path, template: &PodTemplateSpec) {
    let none = PodSpec::default();
    let metadata = template.metadata.as_ref();
    check::labels(errors, &path.child("labels"), metadata.and_then(|m| m.labels.as_ref()));
    let (at, given) = (path.child("annotations"), metadata.and_then(|m| m.annotations.as_ref()));
    check::annotations(errors, &at, given);
    annotations::validate(errors, &at, given, template.spec.as_ref().unwrap_or(&none));
}

#[cfg(test)]
mod tests;
