//! PersistentVolume: storage that outlives pods. Its source never changes once it is made.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeSpec, PersistentVolumeStatus};

use crate::kind::{Columns, Cx, Fields, Info, Kind, STATUS};
use crate::rules::check::text;
use crate::rules::defaults::{fill, volumes};
use crate::rules::volume::persistent;

mod cells;
mod update;
mod warnings;

pub(crate) use cells::CLASS;
pub(in crate::kinds::core) use cells::{UNSET, class, modes, phase, storage};

/// The kind.
pub struct PersistentVolumes;

/// Where mount options stood before there was a field for them.
const MOUNT_OPTIONS: &str = "volume.beta.kubernetes.io/mount-options";

impl Kind for PersistentVolumes {
    type Object = PersistentVolume;

    fn info() -> Info {
        Info {
            short: &["pv"],
            subresources: &[STATUS],
            returns_deleted: true,
            ..Info::of::<PersistentVolume>("persistentvolumes", "persistentvolume", Scope::Cluster)
        }
    }

    fn default(volume: &mut PersistentVolume) {
        fill(&mut volume.status.get_or_insert_default().phase, "Pending");
        let spec = volume.spec.get_or_insert_default();
        fill(&mut spec.persistent_volume_reclaim_policy, "Retain");
        spec.volume_mode.get_or_insert_with(|| "Filesystem".into());
        volumes::persistent(spec);
    }

    fn prepare(cx: &Cx, new: &mut PersistentVolume, old: Option<&PersistentVolume>) {
        let now = Some(nakhoda_api::time::time(cx.now));
        let Some(old) = old.map(|o| o.status.clone().unwrap_or_default()) else {
            let phase = Some("Pending".into());
            let first = PersistentVolumeStatus { phase, last_phase_transition_time: now, ..Default::default() };
            new.status = Some(first);
            return;
        };
        if cx.subresource.is_empty() {
            new.status = Some(old);
            return;
        }
        let status = new.status.get_or_insert_default();
        let told = &status.last_phase_transition_time;
        if status.phase == old.phase && told.is_none() {
            status.last_phase_transition_time = old.last_phase_transition_time;
        } else if status.phase != old.phase && (told.is_none() || *told == old.last_phase_transition_time) {
            status.last_phase_transition_time = now;
        }
    }

    fn validate(cx: &Cx, new: &PersistentVolume, old: Option<&PersistentVolume>, errors: &mut Errors) {
        if cx.subresource == "status" {
            return;
        }
        let none = PersistentVolumeSpec::default();
        let (spec, name) = (new.spec.as_ref().unwrap_or(&none), text(&new.metadata.name));
        persistent::validate(errors, &Path::new("spec"), spec, name);
        let noted = new.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(MOUNT_OPTIONS));
        if noted && !has_mount_options(spec) {
            let at = Path::new("metadata").child("annotations").child(MOUNT_OPTIONS);
            errors.forbidden(&at, "may not specify mount options for this volume type");
        }
        if let Some(old) = old {
            // upstream tells them twice
            persistent::validate(errors, &Path::new("spec"), spec, name);
            update::validate(errors, spec, old.spec.as_ref().unwrap_or(&none));
        }
    }

    fn warnings(new: &PersistentVolume, _: Option<&PersistentVolume>) -> Vec<String> {
        warnings::all(new)
    }

    fn fields(volume: &PersistentVolume) -> Fields {
        // upstream's mistake, which clients may rely on
        vec![("name", text(&volume.metadata.name).to_owned())]
    }

    fn columns() -> Columns<PersistentVolume> {
        cells::columns()
    }
}

/// Whether the source is one that was mounted with options before drivers took over.
fn has_mount_options(spec: &PersistentVolumeSpec) -> bool {
    spec.gce_persistent_disk.is_some()
        || spec.aws_elastic_block_store.is_some()
        || spec.glusterfs.is_some()
        || spec.nfs.is_some()
        || spec.rbd.is_some()
        || spec.quobyte.is_some()
        || spec.iscsi.is_some()
        || spec.cinder.is_some()
        || spec.cephfs.is_some()
        || spec.azure_file.is_some()
        || spec.vsphere_volume.is_some()
        || spec.azure_disk.is_some()
        || spec.photon_persistent_disk.is_some()
}

#[cfg(test)]
mod tests;
