//! What `kubectl get persistentvolumes` prints.

use std::collections::BTreeMap;

use nakhoda_api::kinds::Quantity;
use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeSpec};
use nakhoda_api::kinds::meta::ObjectMeta;

use crate::kind::Columns;
use crate::rules::check::{list, text};

/// What is printed for a field that was left out.
pub(in crate::kinds::core) const UNSET: &str = "<unset>";
/// Where the class stood before there was a field for it.
pub(crate) const CLASS: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn columns() -> Columns<PersistentVolume> {
    Columns::<PersistentVolume>::named()
        .text("Capacity", |v, _| spec(v).map_or_else(|| "0".into(), |s| storage(&s.capacity)).into())
        .text("Access Modes", |v, _| spec(v).map_or_else(String::new, |s| modes(list(&s.access_modes))).into())
        .text("Reclaim Policy", |v, _| spec(v).map_or("", |s| text(&s.persistent_volume_reclaim_policy)).into())
        .text("Status", |v, _| phase(&v.metadata, v.status.as_ref().and_then(|s| s.phase.as_deref())).into())
        .text("Claim", |v, _| claim(v).into())
        .text("StorageClass", |v, _| class(&v.metadata, spec(v).map_or("", |s| text(&s.storage_class_name))).into())
        .text("VolumeAttributesClass", |v, _| given(v, |s| &s.volume_attributes_class_name).into())
        .text("Reason", |v, _| v.status.as_ref().map_or("", |s| text(&s.reason)).into())
        .age()
        .wide("VolumeMode", |v, _| given(v, |s| &s.volume_mode).into())
}

fn spec(volume: &PersistentVolume) -> Option<&PersistentVolumeSpec> {
    volume.spec.as_ref()
}

fn given(volume: &PersistentVolume, field: fn(&PersistentVolumeSpec) -> &Option<String>) -> &str {
    spec(volume).and_then(|s| field(s).as_deref()).unwrap_or(UNSET)
}

fn claim(volume: &PersistentVolume) -> String {
    let claim = spec(volume).and_then(|s| s.claim_ref.as_ref());
    claim.map_or_else(String::new, |c| format!("{}/{}", text(&c.namespace), text(&c.name)))
}

/// The amount of storage.
pub(in crate::kinds::core) fn storage(amounts: &Option<BTreeMap<String, Quantity>>) -> String {
    amounts.as_ref().and_then(|a| a.get("storage")).map_or_else(|| "0".into(), |q| q.0.clone())
}

/// The phase, unless it is on its way out.
pub(in crate::kinds::core) fn phase<'a>(metadata: &ObjectMeta, phase: Option<&'a str>) -> &'a str {
    if metadata.deletion_timestamp.is_some() { "Terminating" } else { phase.unwrap_or_default() }
}

/// The class: the annotation counts before the field.
pub(in crate::kinds::core) fn class<'a>(metadata: &'a ObjectMeta, field: &'a str) -> &'a str {
    metadata.annotations.as_ref().and_then(|a| a.get(CLASS)).map_or(field, String::as_str)
}

/// `RWO,ROX,RWX,RWOP`, as far as given.
pub(in crate::kinds::core) fn modes(modes: &[String]) -> String {
    let short = [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let given = short.into_iter().filter(|(mode, _)| modes.iter().any(|m| m == mode));
    given.map(|(_, short)| short).collect::<Vec<_>>().join(",")
}
