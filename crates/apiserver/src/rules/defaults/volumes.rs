//! Defaults of volumes.

use nakhoda_api::kinds::core::{
    AzureDiskVolumeSource, DownwardAPIVolumeFile, PersistentVolumeSpec, Volume, VolumeProjection,
};
use serde_json::Value;

use super::{fill, pull_policy, quantities};
use crate::rules::volume::claim;

/// The mode of files that a volume makes.
const FILE_MODE: i32 = 0o644;

pub(super) fn volume(volume: &mut Volume) {
    if is_bare(volume) {
        volume.empty_dir = Some(Default::default());
    }
    if let Some(secret) = &mut volume.secret {
        secret.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(config_map) = &mut volume.config_map {
        config_map.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(downward) = &mut volume.downward_api {
        downward.default_mode.get_or_insert(FILE_MODE);
        downward.items.iter_mut().flatten().for_each(file);
    }
    if let Some(projected) = &mut volume.projected {
        projected.default_mode.get_or_insert(FILE_MODE);
        projected.sources.iter_mut().flatten().for_each(projection);
    }
    if let Some(host_path) = &mut volume.host_path {
        host_path.type_.get_or_insert_default();
    }
    if let Some(image) = &mut volume.image {
        let policy = pull_policy(image.reference.as_deref().unwrap_or_default());
        fill(&mut image.pull_policy, policy);
    }
    if let Some(template) = volume.ephemeral.as_mut().and_then(|e| e.volume_claim_template.as_mut()) {
        claim::default(&mut template.spec);
    }
    storage_system(volume);
}

/// Volumes of storage systems; their drivers are gone, their defaults stay.
fn storage_system(volume: &mut Volume) {
    if let Some(iscsi) = &mut volume.iscsi {
        fill(&mut iscsi.iscsi_interface, "default");
    }
    if let Some(rbd) = &mut volume.rbd {
        fill(&mut rbd.pool, "rbd");
        fill(&mut rbd.user, "admin");
        fill(&mut rbd.keyring, "/etc/ceph/keyring");
    }
    volume.azure_disk.iter_mut().for_each(azure_disk);
    if let Some(scale) = &mut volume.scale_io {
        fill(&mut scale.storage_mode, "ThinProvisioned");
        fill(&mut scale.fs_type, "xfs");
    }
}

/// The source of a PersistentVolume.
pub(crate) fn persistent(spec: &mut PersistentVolumeSpec) {
    quantities(&mut spec.capacity);
    if let Some(host_path) = &mut spec.host_path {
        host_path.type_.get_or_insert_default();
    }
    if let Some(iscsi) = &mut spec.iscsi {
        fill(&mut iscsi.iscsi_interface, "default");
    }
    if let Some(rbd) = &mut spec.rbd {
        fill(&mut rbd.pool, "rbd");
        fill(&mut rbd.user, "admin");
        fill(&mut rbd.keyring, "/etc/ceph/keyring");
    }
    spec.azure_disk.iter_mut().for_each(azure_disk);
    if let Some(scale) = &mut spec.scale_io {
        fill(&mut scale.storage_mode, "ThinProvisioned");
        fill(&mut scale.fs_type, "xfs");
    }
}

fn azure_disk(disk: &mut AzureDiskVolumeSource) {
    disk.caching_mode.get_or_insert_with(|| "ReadWrite".into());
    disk.fs_type.get_or_insert_with(|| "ext4".into());
    disk.kind.get_or_insert_with(|| "Shared".into());
    disk.read_only.get_or_insert(false);
}

/// Whether only the name is given.
fn is_bare(volume: &Volume) -> bool {
    match serde_json::to_value(volume) {
        Ok(Value::Object(fields)) => fields.keys().all(|k| k == "name"),
        _ => false,
    }
}

fn projection(projection: &mut VolumeProjection) {
    if let Some(token) = &mut projection.service_account_token {
        token.expiration_seconds.get_or_insert(3600);
    }
    if let Some(downward) = &mut projection.downward_api {
        downward.items.iter_mut().flatten().for_each(file);
    }
}

fn file(file: &mut DownwardAPIVolumeFile) {
    if let Some(field) = &mut file.field_ref {
        fill(&mut field.api_version, "v1");
    }
}
