//! PersistentVolumeClaim: somebody's wish for storage. Once it is bound only its size and the class of its
//! attributes can be changed.
//!
//! Absent: sources of data in other namespaces, whose switch is off.

use std::collections::BTreeMap;

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeClaimStatus};

use crate::kind::{Columns, Cx, Fields, Info, Kind, STATUS};
use crate::kinds::core::persistent_volume::UNSET;
use crate::kinds::core::persistent_volume::{CLASS, class, modes, phase, storage};
use crate::rules::check::{list, text};
use crate::rules::defaults::{fill, quantities};
use crate::rules::volume::claim;

mod status;
mod update;

/// The kind.
pub struct PersistentVolumeClaims;

impl Kind for PersistentVolumeClaims {
    type Object = PersistentVolumeClaim;

    fn info() -> Info {
        Info {
            short: &["pvc"],
            subresources: &[STATUS],
            returns_deleted: true,
            ..Info::of::<PersistentVolumeClaim>("persistentvolumeclaims", "persistentvolumeclaim", Scope::Namespaced)
        }
    }

    fn default(claim: &mut PersistentVolumeClaim) {
        claim::default(claim.spec.get_or_insert_default());
        let status = claim.status.get_or_insert_default();
        fill(&mut status.phase, "Pending");
        quantities(&mut status.capacity);
        quantities(&mut status.allocated_resources);
    }

    fn prepare(cx: &Cx, new: &mut PersistentVolumeClaim, old: Option<&PersistentVolumeClaim>) {
        if !cx.subresource.is_empty() {
            // its switch is off
            new.status.get_or_insert_default().health_status = None;
            return;
        }
        let pending = || PersistentVolumeClaimStatus { phase: Some("Pending".into()), ..Default::default() };
        new.status = old.map_or_else(|| Some(pending()), |old| old.status.clone());
        let (spec, before) = (new.spec.get_or_insert_default(), old.and_then(|o| o.spec.as_ref()));
        let foreign = spec.data_source_ref.as_ref().is_some_and(|r| !text(&r.namespace).is_empty());
        if foreign && before.is_none_or(|b| b.data_source_ref.is_none()) {
            spec.data_source_ref = None;
        }
        claim::drop_unknown_source(spec, before);
        claim::say_source_twice(spec);
    }

    fn validate(cx: &Cx, new: &PersistentVolumeClaim, old: Option<&PersistentVolumeClaim>, errors: &mut Errors) {
        let none = PersistentVolumeClaimSpec::default();
        let spec = new.spec.as_ref().unwrap_or(&none);
        match (cx.subresource.as_str(), old) {
            ("", None) => claim::validate(errors, &Path::new("spec"), spec),
            ("", Some(old)) => update::validate(errors, new, old),
            _ => status::validate(errors, new.status.as_ref()),
        }
    }

    fn warnings(new: &PersistentVolumeClaim, _: Option<&PersistentVolumeClaim>) -> Vec<String> {
        let noted = new.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(CLASS));
        let text = "deprecated since v1.8; use \"storageClassName\" attribute instead";
        let mut warnings: Vec<String> =
            noted.then(|| format!("metadata.annotations[{CLASS}]: {text}")).into_iter().collect();
        warnings.extend(new.spec.iter().flat_map(|spec| claim::warnings(&Path::new("spec"), spec)));
        warnings
    }

    fn fields(claim: &PersistentVolumeClaim) -> Fields {
        // upstream's mistake, which clients may rely on
        vec![("name", text(&claim.metadata.name).to_owned())]
    }

    fn columns() -> Columns<PersistentVolumeClaim> {
        Columns::<PersistentVolumeClaim>::named()
            .text("Status", |c, _| phase(&c.metadata, c.status.as_ref().and_then(|s| s.phase.as_deref())).into())
            .text("Volume", |c, _| volume(c).into())
            .text("Capacity", |c, _| of_volume(c, |s| storage(&s.capacity)).into())
            .text("Access Modes", |c, _| of_volume(c, |s| modes(list(&s.access_modes))).into())
            .text("StorageClass", |c, _| {
                class(&c.metadata, c.spec.as_ref().map_or("", |s| text(&s.storage_class_name))).into()
            })
            .text("VolumeAttributesClass", |c, _| given(c, |s| &s.volume_attributes_class_name).into())
            .age()
            .wide("VolumeMode", |c, _| given(c, |s| &s.volume_mode).into())
    }
}

fn volume(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().map_or("", |s| text(&s.volume_name))
}

/// What the volume has, once there is one.
fn of_volume(claim: &PersistentVolumeClaim, cell: fn(&PersistentVolumeClaimStatus) -> String) -> String {
    let none = PersistentVolumeClaimStatus::default();
    if volume(claim).is_empty() { String::new() } else { cell(claim.status.as_ref().unwrap_or(&none)) }
}

fn given(claim: &PersistentVolumeClaim, field: fn(&PersistentVolumeClaimSpec) -> &Option<String>) -> &str {
    claim.spec.as_ref().and_then(|s| field(s).as_deref()).unwrap_or(UNSET)
}

/// The amount of storage in a list of amounts.
fn storage_of(amounts: Option<&BTreeMap<String, nakhoda_api::kinds::Quantity>>) -> nakhoda_api::quantity::Quantity {
    amounts.and_then(|a| a.get("storage")).and_then(|q| q.try_into().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
