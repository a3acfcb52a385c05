//! What a claim of storage may ask for, be it a claim itself or the template of one.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PersistentVolumeClaimSpec, TypedLocalObjectReference, TypedObjectReference};
use nakhoda_api::quantity::Quantity;

use super::check::{self, label, list, required, subdomain, supported, text};
use super::defaults::{Resources, quantities};
use super::pod::resources;

/// How a volume may be mounted, sorted.
pub const ACCESS_MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
/// What a volume is to its pod, sorted.
pub const VOLUME_MODES: &[&str] = &["Block", "Filesystem"];

/// Fills what was left out.
pub fn default(spec: &mut PersistentVolumeClaimSpec) {
    spec.volume_mode.get_or_insert_with(|| "Filesystem".into());
    if let Some(resources) = &mut spec.resources {
        quantities(&mut resources.limits);
        quantities(&mut resources.requests);
    }
}

/// The spec of a new claim.
pub fn validate(errors: &mut Errors, path: &Path, spec: &PersistentVolumeClaimSpec) {
    if list(&spec.access_modes).is_empty() {
        errors.required(&path.child("accessModes"), "at least 1 access mode is required");
    }
    check::selector(errors, &path.child("selector"), spec.selector.as_ref());
    access_modes(errors, &path.child("accessModes"), list(&spec.access_modes));
    let asked = spec.resources.as_ref().and_then(|r| r.requests.as_ref());
    size(errors, &path.child("resources").key("storage"), asked);
    class(errors, &path.child("storageClassName"), &spec.storage_class_name);
    if let Some(mode) = &spec.volume_mode {
        supported(errors, &path.child("volumeMode"), mode, VOLUME_MODES);
    }
    sources(errors, path, spec);
    class(errors, &path.child("volumeAttributesClassName"), &spec.volume_attributes_class_name);
}

/// Texts about sizes that have parts of bytes.
#[must_use]
pub fn warnings(path: &Path, spec: &PersistentVolumeClaimSpec) -> Vec<String> {
    let Some(resources) = &spec.resources else { return Vec::new() };
    let amounts = [("requests", &resources.requests), ("limits", &resources.limits)];
    let size = |amounts: &Option<Resources>| {
        let size = amounts.as_ref().and_then(|a| a.get("storage"));
        size.and_then(|q| Quantity::try_from(q).ok()).filter(|q| q.milli() % 1000 != 0)
    };
    let odd = amounts.into_iter().filter_map(|(field, amounts)| Some((field, size(amounts)?)));
    odd.map(|(field, size)| {
        let at = path.child("resources").child(field).key("storage");
        format!("{at}: fractional byte value \"{size}\" is invalid, must be an integer")
    })
    .collect()
}

fn access_modes(errors: &mut Errors, path: &Path, modes: &[String]) {
    for mode in modes {
        supported(errors, path, mode, ACCESS_MODES);
    }
    let alone = |mode: &&String| mode.as_str() == "ReadWriteOncePod";
    let others = modes.iter().any(|m| !alone(&m) && ACCESS_MODES.contains(&m.as_str()));
    if others && modes.iter().any(|m| alone(&m)) {
        errors.forbidden(path, "may not use ReadWriteOncePod with other access modes");
    }
}

fn size(errors: &mut Errors, path: &Path, requests: Option<&Resources>) {
    let Some(asked) = requests.and_then(|r| r.get("storage")) else {
        return errors.required(path, "");
    };
    match Quantity::try_from(asked) {
        Ok(size) if size <= Quantity::default() => {
            errors.invalid(path, size.to_string(), "must be greater than zero");
        }
        _ => resources::amount(errors, path, "storage", asked),
    }
}

fn class(errors: &mut Errors, path: &Path, name: &Option<String>) {
    if !text(name).is_empty() {
        subdomain(errors, path, text(name));
    }
}

fn sources(errors: &mut Errors, path: &Path, spec: &PersistentVolumeClaimSpec) {
    let (one, other) = (spec.data_source.as_ref(), spec.data_source_ref.as_ref());
    if let Some(TypedLocalObjectReference { api_group, kind, name }) = one {
        source(errors, &path.child("dataSource"), text(api_group), kind, name);
    }
    if let Some(TypedObjectReference { api_group, kind, name, namespace }) = other {
        let at = path.child("dataSourceRef");
        source(errors, &at, text(api_group), kind, name);
        if !text(namespace).is_empty() {
            label(errors, &at.child("namespace"), text(namespace));
        }
    }
    let (Some(one), Some(other)) = (one, other) else { return };
    let at = path.child("dataSource").to_string();
    if !text(&other.namespace).is_empty() {
        errors.invalid(path, at, "may not be specified when dataSourceRef.namespace is specified");
    } else if (&one.api_group, &one.kind, &one.name) != (&other.api_group, &other.kind, &other.name) {
        errors.invalid(path, at, "must match dataSourceRef");
    }
}

fn source(errors: &mut Errors, path: &Path, group: &str, kind: &str, name: &str) {
    required(errors, &path.child("name"), name);
    required(errors, &path.child("kind"), kind);
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        errors.invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
    }
    if !group.is_empty() {
        subdomain(errors, &path.child("apiGroup"), group);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn faults_read_as_upstream_words_them() {
        let spec = json!({"accessModes": ["ReadWriteOncePod", "ReadWriteOnce", "x"], "volumeMode": "y",
            "resources": {"requests": {"storage": "0"}}, "dataSource": {"kind": "VolumeSnapshot", "name": "s"}});
        let mut errors = Errors::default();
        validate(&mut errors, &Path::new("spec"), &serde_json::from_value(spec).expect("a spec"));
        assert_eq!(
            errors.to_string(),
            "[spec.accessModes: Unsupported value: \"x\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\", \
             spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes, \
             spec.resources[storage]: Invalid value: \"0\": must be greater than zero, \
             spec.volumeMode: Unsupported value: \"y\": supported values: \"Block\", \"Filesystem\", \
             spec.dataSource: Invalid value: \"VolumeSnapshot\": must be 'PersistentVolumeClaim' when referencing the default apiGroup]"
        );
    }
}
