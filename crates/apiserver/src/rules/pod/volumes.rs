//! Volumes: each has a name of its own and one source.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{KeyToPath, Volume};
use nakhoda_api::names;
use nakhoda_api::quantity::Quantity;

use super::{downward, projected};
use crate::rules::check::{label, list, mode, required, supported, text};
use crate::rules::volume::sources::{self, all_required, no_backsteps};
use crate::rules::volume::{Sole, claim, iscsi};

/// Volumes that were found valid, and can be mounted.
pub type Known<'a> = Vec<&'a Volume>;

/// Fields of a pod that a file may show, sorted.
pub(super) const FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];

/// All volumes; gives those that are valid.
pub fn validate<'a>(errors: &mut Errors, path: &Path, volumes: &'a [Volume], pod: &str) -> Known<'a> {
    let claims: Vec<_> =
        volumes.iter().filter(|v| v.ephemeral.is_some()).map(|v| format!("{pod}-{}", v.name)).collect();
    let mut known: Known<'a> = Vec::new();
    for (i, volume) in volumes.iter().enumerate() {
        let at = path.index(i);
        let mut found = Errors::default();
        source(&mut found, &at, volume, pod);
        match volume.name.as_str() {
            "" => found.required(&at.child("name"), ""),
            name => label(&mut found, &at.child("name"), name),
        }
        if known.iter().any(|v| v.name == volume.name) {
            found.duplicate(&at.child("name"), volume.name.as_str());
        }
        if found.is_empty() {
            known.push(volume);
        }
        errors.extend(found);
        if let Some(claim) = volume.persistent_volume_claim.as_ref().filter(|c| claims.contains(&c.claim_name)) {
            let why = "must not reference a PVC that gets created for an ephemeral volume";
            errors.invalid(&at.child("persistentVolumeClaim").child("claimName"), claim.claim_name.as_str(), why);
        }
    }
    known
}

fn source(errors: &mut Errors, path: &Path, volume: &Volume, pod: &str) {
    let mut sole = Sole::new(errors, path);
    sole.take("emptyDir", volume.empty_dir.as_ref(), |errors, at, s| {
        let limit = s.size_limit.as_ref().map(Quantity::try_from);
        if limit.is_some_and(|l| l.is_ok_and(Quantity::is_negative)) {
            errors.forbidden(&at.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
        }
    });
    sole.take("hostPath", volume.host_path.as_ref(), sources::host_path);
    sole.take("gitRepo", volume.git_repo.as_ref(), |errors, at, s| {
        required(errors, &at.child("repository"), &s.repository);
        descending(errors, &at.child("directory"), text(&s.directory));
    });
    sole.take_as("gcePersistentDisk", "persistentDisk", volume.gce_persistent_disk.as_ref(), sources::gce);
    sole.take("awsElasticBlockStore", volume.aws_elastic_block_store.as_ref(), sources::aws);
    sole.take("secret", volume.secret.as_ref(), |errors, at, s| {
        required(errors, &at.child("secretName"), text(&s.secret_name));
        files(errors, at, s.default_mode, list(&s.items));
    });
    sole.take("nfs", volume.nfs.as_ref(), sources::nfs);
    sole.take("iscsi", volume.iscsi.as_ref(), iscsi::of_pod);
    sole.take("glusterfs", volume.glusterfs.as_ref(), |errors, at, s| {
        all_required(errors, at, &[("endpoints", &s.endpoints), ("path", &s.path)]);
    });
    sole.take("flocker", volume.flocker.as_ref(), sources::flocker);
    sole.take("persistentVolumeClaim", volume.persistent_volume_claim.as_ref(), |errors, at, s| {
        required(errors, &at.child("claimName"), &s.claim_name);
    });
    more_sources(&mut sole, volume);
    sole.take("storageos", volume.storageos.as_ref(), |errors, at, s| {
        let secret = s.secret_ref.as_ref().map(|r| [("name", r.name.as_str())]);
        let (name, namespace) = (text(&s.volume_name), text(&s.volume_namespace));
        sources::storage_os(errors, at, name, namespace, secret.as_ref().map_or(&[], |s| s));
    });
    sole.take("projected", volume.projected.as_ref(), projected::validate);
    sole.take("scaleIO", volume.scale_io.as_ref(), |errors, at, s| {
        let fields = [("gateway", &*s.gateway), ("system", &s.system), ("volumeName", text(&s.volume_name))];
        all_required(errors, at, &fields);
    });
    sole.take("csi", volume.csi.as_ref(), sources::csi);
    sole.take("ephemeral", volume.ephemeral.as_ref(), |errors, at, s| match &s.volume_claim_template {
        None => errors.required(&at.child("volumeClaimTemplate"), ""),
        Some(template) => claim::template(errors, &at.child("volumeClaimTemplate"), template),
    });
    sole.take("image", volume.image.as_ref(), |errors, at, s| {
        if !pod.is_empty() {
            required(errors, &at.child("reference"), text(&s.reference));
        }
        let policies = ["Always", "IfNotPresent", "Never"];
        supported(errors, &at.child("pullPolicy"), text(&s.pull_policy), &policies);
    });
    sole.finish();
    if let Some(source) = &volume.iscsi {
        iscsi::session_name(errors, path, &volume.name, source);
    }
    ephemeral_name(errors, path, volume, pod);
}

fn more_sources(sole: &mut Sole<'_>, volume: &Volume) {
    sole.take("rbd", volume.rbd.as_ref(), |errors, at, s| {
        all_required(errors, at, &[("monitors", s.monitors.first().map_or("", |_| "given")), ("image", &s.image)]);
    });
    sole.take("cinder", volume.cinder.as_ref(), |errors, at, s| {
        required(errors, &at.child("volumeID"), &s.volume_id);
        let secret = s.secret_ref.as_ref().map_or("none", |secret| &secret.name);
        required(errors, &at.child("secretRef").child("name"), secret);
    });
    sole.take_as("cephFS", "cephfs", volume.cephfs.as_ref(), |errors, at, s| {
        required(errors, &at.child("monitors"), s.monitors.first().map_or("", |_| "given"));
    });
    sole.take("quobyte", volume.quobyte.as_ref(), sources::quobyte);
    // upstream's spelling
    sole.take_as("downwarAPI", "downwardAPI", volume.downward_api.as_ref(), |errors, at, s| {
        mode(errors, &at.child("defaultMode"), s.default_mode);
        list(&s.items).iter().for_each(|file| downward_file(errors, at, file));
    });
    sole.take("fc", volume.fc.as_ref(), sources::fc);
    sole.take("flexVolume", volume.flex_volume.as_ref(), |errors, at, s| {
        sources::flex(errors, at, &s.driver, s.options.as_ref());
    });
    sole.take("configMap", volume.config_map.as_ref(), |errors, at, s| {
        required(errors, &at.child("name"), &s.name);
        files(errors, at, s.default_mode, list(&s.items));
    });
    sole.take("azureFile", volume.azure_file.as_ref(), |errors, at, s| {
        all_required(errors, at, &[("secretName", &s.secret_name), ("shareName", &s.share_name)]);
    });
    sole.take("vsphereVolume", volume.vsphere_volume.as_ref(), |errors, at, s| {
        required(errors, &at.child("volumePath"), &s.volume_path);
    });
    sole.take("photonPersistentDisk", volume.photon_persistent_disk.as_ref(), |errors, at, s| {
        required(errors, &at.child("pdID"), &s.pd_id);
    });
    sole.take("portworxVolume", volume.portworx_volume.as_ref(), |errors, at, s| {
        required(errors, &at.child("volumeID"), &s.volume_id);
    });
    sole.take("azureDisk", volume.azure_disk.as_ref(), sources::azure_disk);
}

/// The claim of an ephemeral volume is named after pod and volume.
fn ephemeral_name(errors: &mut Errors, path: &Path, volume: &Volume, pod: &str) {
    if volume.ephemeral.is_none() || pod.is_empty() || volume.name.is_empty() {
        return;
    }
    let claim = format!("{pod}-{}", volume.name);
    for fault in names::is_dns1123_subdomain(&claim) {
        errors.invalid(&path.child("name"), volume.name.as_str(), format!("PVC name {claim:?}: {fault}"));
    }
}

fn files(errors: &mut Errors, path: &Path, default_mode: Option<i32>, items: &[KeyToPath]) {
    mode(errors, &path.child("defaultMode"), default_mode);
    for (i, item) in items.iter().enumerate() {
        key_to_path(errors, &path.child("items").index(i), item);
    }
}

pub(super) fn key_to_path(errors: &mut Errors, path: &Path, item: &KeyToPath) {
    required(errors, &path.child("key"), &item.key);
    required(errors, &path.child("path"), &item.path);
    local_path(errors, &path.child("path"), &item.path);
    mode(errors, &path.child("mode"), item.mode);
}

pub(super) fn downward_file(errors: &mut Errors, path: &Path, file: &nakhoda_api::kinds::core::DownwardAPIVolumeFile) {
    required(errors, &path.child("path"), &file.path);
    local_path(errors, &path.child("path"), &file.path);
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(field), resource) => {
            downward::field(errors, &path.child("fieldRef"), field, FIELDS);
            if resource.is_some() {
                let why = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.invalid(path, "resource", why);
            }
        }
        (None, Some(resource)) => downward::resource(errors, &path.child("resourceFieldRef"), resource, true),
        (None, None) => errors.required(path, "one of fieldRef and resourceFieldRef is required"),
    }
    mode(errors, &path.child("mode"), file.mode);
}

/// Below the volume, and not a name that the kubelet uses itself.
pub(super) fn local_path(errors: &mut Errors, path: &Path, target: &str) {
    descending(errors, path, target);
    if target.starts_with("..") && !target.starts_with("../") && target != ".." {
        errors.invalid(path, target, "must not start with '..'");
    }
}

/// Relative, and without a way up.
pub(super) fn descending(errors: &mut Errors, path: &Path, target: &str) {
    if target.starts_with('/') {
        errors.invalid(path, target, "must be a relative path");
    }
    no_backsteps(errors, path, target);
}
