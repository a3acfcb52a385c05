//! What of a claim may change: the volume is named once, the class as well, and a bound claim may ask for more.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PersistentVolumeClaim, PersistentVolumeClaimSpec};
use serde_json::Value;

use super::storage_of;
use crate::kinds::core::persistent_volume::CLASS;
use crate::rules::check::{self, IMMUTABLE, immutable, same, text};
use crate::rules::diff::Form::{Any, Inline, Pointer, Text};
use crate::rules::diff::{self, Fields};
use crate::rules::volume::claim::{self, Leniency};

const SPEC: Fields = &[
    ("AccessModes", "accessModes", Any),
    ("Selector", "selector", Any),
    ("Resources", "resources", Inline(&[("Limits", "limits", Any), ("Requests", "requests", Any)])),
    ("VolumeName", "volumeName", Text),
    ("StorageClassName", "storageClassName", Any),
    ("VolumeMode", "volumeMode", Any),
    ("DataSource", "dataSource", Pointer(&[("APIGroup", "apiGroup", Any), ("Kind", "kind", Text), ("Name", "name", Text)])),
    ("DataSourceRef", "dataSourceRef", Pointer(REFERENCE)),
    ("VolumeAttributesClassName", "volumeAttributesClassName", Any),
];
const REFERENCE: Fields =
    &[("APIGroup", "apiGroup", Any), ("Kind", "kind", Text), ("Name", "name", Text), ("Namespace", "namespace", Any)];
const FIXED: &str =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

pub(super) fn validate(errors: &mut Errors, new: &PersistentVolumeClaim, old: &PersistentVolumeClaim) {
    let (spec, mut before) = (new.spec.clone().unwrap_or_default(), old.spec.clone().unwrap_or_default());
    let path = Path::new("spec");
    claim::validate_again(errors, &path, &spec, leniency(&before));
    claim::say_source_twice(&mut before);
    let mut now = spec.clone();
    let told = before.clone();
    if text(&before.volume_name).is_empty() {
        before.volume_name.clone_from(&now.volume_name);
    }
    class(errors, new, old, &mut now, &before);
    if new.status.as_ref().is_some_and(|s| text(&s.phase) == "Bound") {
        let asked = |s: &PersistentVolumeClaimSpec| s.resources.as_ref().and_then(|r| r.requests.as_ref()?.get("storage")).cloned();
        if let (Some(requests), Some(amount)) = (now.resources.as_mut().and_then(|r| r.requests.as_mut()), asked(&before)) {
            requests.insert("storage".into(), amount);
        }
        now.volume_attributes_class_name.clone_from(&before.volume_attributes_class_name);
    }
    if !same_spec(&now, &before) {
        let value = |s: &PersistentVolumeClaimSpec| serde_json::to_value(s).unwrap_or(Value::Null);
        errors.forbidden(&path, format!("{FIXED}\n{}", diff::internal(&value(&before), &value(&now), SPEC)));
    }
    size(errors, &path, &spec, &told, old);
    immutable(errors, &Path::new("volumeMode"), &spec.volume_mode, &told.volume_mode);
    attributes(errors, &path.child("volumeAttributesClassName"), &spec, old);
}

/// Amounts are the same whatever their suffixes.
fn same_spec(a: &PersistentVolumeClaimSpec, b: &PersistentVolumeClaimSpec) -> bool {
    let plain = |spec: &PersistentVolumeClaimSpec| {
        let mut spec = spec.clone();
        let resources = spec.resources.iter_mut().flat_map(|r| [&mut r.limits, &mut r.requests]);
        for amount in resources.flatten().flat_map(|amounts| amounts.values_mut()) {
            if let Ok(read) = nakhoda_api::quantity::Quantity::try_from(&*amount) {
                amount.0 = read.nano().to_string();
            }
        }
        spec
    };
    // what is there and says nothing is not absent
    let there = |s: &PersistentVolumeClaimSpec| [s.selector.is_some(), s.data_source.is_some(), s.data_source_ref.is_some()];
    there(a) == there(b) && same(&plain(a), &plain(b))
}

fn leniency(old: &PersistentVolumeClaimSpec) -> Leniency {
    let mut faults = Errors::default();
    check::selector(&mut faults, &Path::default(), old.selector.as_ref());
    let group = old.data_source.as_ref().is_some_and(|s| s.api_group.is_some())
        || old.data_source_ref.as_ref().is_some_and(|s| s.api_group.is_some());
    Leniency { selector: !faults.is_empty(), group }
}

/// The class may be named where none was, and move from the annotation into the field.
fn class(
    errors: &mut Errors,
    new: &PersistentVolumeClaim,
    old: &PersistentVolumeClaim,
    now: &mut PersistentVolumeClaimSpec,
    before: &PersistentVolumeClaimSpec,
) {
    fn noted(claim: &PersistentVolumeClaim) -> Option<&str> {
        claim.metadata.annotations.as_ref()?.get(CLASS).map(String::as_str)
    }
    let (is_noted, was_noted) = (noted(new), noted(old));
    let named = now.storage_class_name.as_deref().filter(|_| before.storage_class_name.is_none());
    let moved = was_noted.is_some() && named == was_noted && is_noted.is_none_or(|class| Some(class) == was_noted);
    if moved {
        now.storage_class_name = None;
        return;
    }
    if is_noted.unwrap_or_default() != was_noted.unwrap_or_default() {
        let at = Path::new("metadata").child("annotations").child(CLASS);
        errors.invalid(&at, is_noted.unwrap_or_default(), IMMUTABLE);
    }
    if named.is_some() && was_noted.is_none_or(|class| named == Some(class)) {
        now.storage_class_name.clone_from(&before.storage_class_name);
    }
}

/// Less is right only as long as the volume has not grown to it.
fn size(
    errors: &mut Errors,
    path: &Path,
    spec: &PersistentVolumeClaimSpec,
    before: &PersistentVolumeClaimSpec,
    old: &PersistentVolumeClaim,
) {
    let asked = |s: &PersistentVolumeClaimSpec| storage_of(s.resources.as_ref().and_then(|r| r.requests.as_ref()));
    let has = storage_of(old.status.as_ref().and_then(|s| s.capacity.as_ref()));
    if asked(spec) < asked(before) && asked(spec) <= has {
        let at = path.child("resources").child("requests").child("storage");
        errors.forbidden(&at, "field can not be less than status.capacity");
    }
}

/// A class that was applied can be replaced by another only.
fn attributes(errors: &mut Errors, path: &Path, spec: &PersistentVolumeClaimSpec, old: &PersistentVolumeClaim) {
    let applied = old.status.as_ref().is_some_and(|s| s.current_volume_attributes_class_name.is_some());
    let before = old.spec.as_ref().and_then(|s| s.volume_attributes_class_name.as_deref());
    let what = match spec.volume_attributes_class_name.as_deref() {
        now if now == before || !applied => return,
        None => "nil",
        Some("") => "empty string",
        Some(_) => return,
    };
    let why = format!("update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil");
    errors.forbidden(path, why);
}
