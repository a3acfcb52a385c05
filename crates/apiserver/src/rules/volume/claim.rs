//! The specification of a PersistentVolumeClaim: of its own, in a pod's ephemeral volume, in a StatefulSet.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{
    PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate, TypedLocalObjectReference, TypedObjectReference,
};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_api::quantity::Quantity;
use serde_json::{Value, json};

use super::persistent::positive;
use super::{VOLUME_MODES, access_modes};
use crate::rules::check::{self, label, list, required, subdomain, supported, text};
use crate::rules::defaults::quantities;

/// What an older claim has is let through again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Leniency {
    /// Its selector has faults.
    pub selector: bool,
    /// Its source of data names an API group.
    pub group: bool,
}

/// Defaults.
pub fn default(spec: &mut PersistentVolumeClaimSpec) {
    spec.volume_mode.get_or_insert_with(|| "Filesystem".into());
    if let Some(resources) = &mut spec.resources {
        quantities(&mut resources.limits);
        quantities(&mut resources.requests);
    }
}

/// All of a new one.
pub fn validate(errors: &mut Errors, path: &Path, spec: &PersistentVolumeClaimSpec) {
    validate_again(errors, path, spec, Leniency::default());
}

/// All of one that is there already.
pub fn validate_again(errors: &mut Errors, path: &Path, spec: &PersistentVolumeClaimSpec, leniency: Leniency) {
    let modes = path.child("accessModes");
    if list(&spec.access_modes).is_empty() {
        errors.required(&modes, "at least 1 access mode is required");
    }
    if !leniency.selector {
        check::selector(errors, &path.child("selector"), spec.selector.as_ref());
    }
    access_modes(errors, &modes, list(&spec.access_modes));
    let request = spec.resources.as_ref().and_then(|r| r.requests.as_ref()).and_then(|r| r.get("storage"));
    let at = path.child("resources").key("storage");
    match request.map(|r| (r, Quantity::try_from(r))) {
        None => errors.required(&at, ""),
        Some((_, Ok(amount))) if amount <= Quantity::ZERO => {
            errors.invalid(&at, amount.to_string(), "must be greater than zero");
        }
        Some((amount, _)) => positive(errors, &at, amount),
    }
    if !text(&spec.storage_class_name).is_empty() {
        subdomain(errors, &path.child("storageClassName"), text(&spec.storage_class_name));
    }
    if let Some(mode) = &spec.volume_mode {
        supported(errors, &path.child("volumeMode"), mode, VOLUME_MODES);
    }
    data(errors, path, spec, leniency);
    if !text(&spec.volume_attributes_class_name).is_empty() {
        let at = path.child("volumeAttributesClassName");
        subdomain(errors, &at, text(&spec.volume_attributes_class_name));
    }
}

/// What the volume is filled with, said in the old way, in the new one, or alike in both.
fn data(errors: &mut Errors, path: &Path, spec: &PersistentVolumeClaimSpec, leniency: Leniency) {
    if let Some(source) = &spec.data_source {
        let (group, kind, name) = (text(&source.api_group), &source.kind, &source.name);
        reference(errors, &path.child("dataSource"), group, kind, name, leniency);
    }
    let namespace = spec.data_source_ref.as_ref().map_or("", |r| text(&r.namespace));
    if let Some(source) = &spec.data_source_ref {
        let at = path.child("dataSourceRef");
        reference(errors, &at, text(&source.api_group), &source.kind, &source.name, leniency);
        if !namespace.is_empty() {
            label(errors, &at.child("namespace"), namespace);
        }
    }
    let (Some(old), Some(new)) = (&spec.data_source, &spec.data_source_ref) else { return };
    // upstream prints the path of the field as the value, and that is an empty object
    if !namespace.is_empty() {
        errors.invalid(path, json!({}), "may not be specified when dataSourceRef.namespace is specified");
    } else if (&old.api_group, &old.kind, &old.name) != (&new.api_group, &new.kind, &new.name) {
        errors.invalid(path, json!({}), "must match dataSourceRef");
    }
}

fn reference(errors: &mut Errors, path: &Path, group: &str, kind: &str, name: &str, leniency: Leniency) {
    required(errors, &path.child("name"), name);
    required(errors, &path.child("kind"), kind);
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.invalid(path, kind, why);
    }
    if !group.is_empty() && !leniency.group {
        subdomain(errors, &path.child("apiGroup"), group);
    }
}

/// A claim that is made for a volume: only labels and annotations of its metadata can be said.
pub fn template(errors: &mut Errors, path: &Path, template: &PersistentVolumeClaimTemplate) {
    let at = path.child("metadata");
    if let Some(metadata) = &template.metadata {
        check::annotations(errors, &at.child("annotations"), metadata.annotations.as_ref());
        check::labels(errors, &at.child("labels"), metadata.labels.as_ref());
        metadata_is_bare(errors, &at, metadata);
    }
    validate(errors, &path.child("spec"), &template.spec);
}

fn metadata_is_bare(errors: &mut Errors, path: &Path, metadata: &ObjectMeta) {
    let order = [
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "ownerReferences",
        "finalizers",
        "managedFields",
    ];
    let said = serde_json::to_value(metadata).unwrap_or_default();
    for field in order.into_iter().filter(|field| !matches!(said.get(field), None | Some(Value::Null))) {
        // upstream makes the path of the Go name
        let shown = if field == "uid" { "uID" } else { field };
        errors.forbidden(&path.child(shown), "cannot be set");
    }
}

/// Drops what only newer servers than the first knew to be no source of data, unless the claim has one already.
pub fn drop_unknown_source(spec: &mut PersistentVolumeClaimSpec, old: Option<&PersistentVolumeClaimSpec>) {
    let in_use = old.is_some_and(|old| old.data_source.is_some() || old.data_source_ref.is_some());
    let known = |s: &TypedLocalObjectReference| {
        let kind = (text(&s.api_group), s.kind.as_str());
        [("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot")].contains(&kind)
    };
    if !in_use && spec.data_source_ref.is_none() && spec.data_source.as_ref().is_some_and(|s| !known(s)) {
        spec.data_source = None;
    }
}

/// Says in both ways what is said in one.
pub fn say_source_twice(spec: &mut PersistentVolumeClaimSpec) {
    match (&spec.data_source, &spec.data_source_ref) {
        (Some(TypedLocalObjectReference { api_group, kind, name }), None) => {
            spec.data_source_ref = Some(TypedObjectReference {
                api_group: api_group.clone(),
                kind: kind.clone(),
                name: name.clone(),
                namespace: None,
            });
        }
        (None, Some(TypedObjectReference { api_group, kind, name, namespace })) if text(namespace).is_empty() => {
            spec.data_source = Some(TypedLocalObjectReference {
                api_group: api_group.clone(),
                kind: kind.clone(),
                name: name.clone(),
            });
        }
        _ => {}
    }
}

/// Bytes have no parts.
#[must_use]
pub fn warnings(path: &Path, spec: &PersistentVolumeClaimSpec) -> Vec<String> {
    let Some(resources) = &spec.resources else { return Vec::new() };
    let fields = [("requests", &resources.requests), ("limits", &resources.limits)];
    let amount = |(field, amounts): (&str, &Option<crate::rules::defaults::Resources>)| {
        let amount = Quantity::try_from(amounts.as_ref()?.get("storage")?).ok().filter(|a| a.milli() % 1000 != 0)?;
        let at = path.child("resources").child(field).key("storage");
        Some(format!("{at}: fractional byte value \"{amount}\" is invalid, must be an integer"))
    };
    fields.into_iter().filter_map(amount).collect()
}
