//! The specification of a PersistentVolume, of its own or within a VolumeAttachment.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PersistentVolumeSpec, SecretReference};
use nakhoda_api::quantity::Quantity;
use serde_json::Value;

use super::sources::{self, all_required};
use super::{Sole, VOLUME_MODES, access_modes, iscsi};
use crate::rules::check::{list, required, subdomain, supported, text};
use crate::rules::pod::affinity;

mod source;

pub use source::SOURCE;

const INLINE: &str = "in the context of inline volumes";

/// A volume of a name.
pub fn validate(errors: &mut Errors, path: &Path, spec: &PersistentVolumeSpec, name: &str) {
    modes(errors, path, spec);
    capacity(errors, &path.child("capacity"), spec);
    let policy = text(&spec.persistent_volume_reclaim_policy);
    let at = path.child("persistentVolumeReclaimPolicy");
    if !policy.is_empty() {
        supported(errors, &at, policy, &["Delete", "Recycle", "Retain"]);
    }
    if let Some(node) = &spec.node_affinity {
        let at = path.child("nodeAffinity").child("required");
        match &node.required {
            Some(nodes) => affinity::terms(errors, &at.child("nodeSelectorTerms"), &nodes.node_selector_terms),
            None => errors.required(&at, "must specify required node constraints"),
        }
    }
    source(errors, path, spec, name);
    let is_root = |p: &str| p.starts_with('/') && p.split('/').all(|part| part.is_empty() || part == ".");
    if policy == "Recycle" && spec.host_path.as_ref().is_some_and(|h| is_root(&h.path)) {
        errors.forbidden(&at, "may not be 'recycle' for a hostPath mount of '/'");
    }
    if !text(&spec.storage_class_name).is_empty() {
        subdomain(errors, &path.child("storageClassName"), text(&spec.storage_class_name));
    }
    if let Some(mode) = &spec.volume_mode {
        supported(errors, &path.child("volumeMode"), mode, VOLUME_MODES);
    }
    attributes(errors, path, spec);
}

/// A volume that is known to its attachment only: what a driver needs, and nothing else.
pub fn inline(errors: &mut Errors, path: &Path, spec: &PersistentVolumeSpec) {
    if spec.claim_ref.is_some() {
        errors.forbidden(&path.child("claimRef"), format!("may not be specified {INLINE}"));
    }
    if spec.capacity.as_ref().is_some_and(|c| !c.is_empty()) {
        errors.forbidden(&path.child("capacity"), format!("may not be specified {INLINE}"));
    }
    if spec.csi.is_none() {
        errors.required(&path.child("csi"), format!("has to be specified {INLINE}"));
    }
    modes(errors, path, spec);
    if !["", "Retain"].contains(&text(&spec.persistent_volume_reclaim_policy)) {
        let why = format!("may only be Retain {INLINE}");
        errors.forbidden(&path.child("persistentVolumeReclaimPolicy"), why);
    }
    if spec.node_affinity.is_some() {
        errors.forbidden(&path.child("nodeAffinity"), format!("may not be specified {INLINE}"));
    }
    source(errors, path, spec, "");
    if !text(&spec.storage_class_name).is_empty() {
        errors.forbidden(&path.child("storageClassName"), format!("may not be specified {INLINE}"));
    }
    if spec.volume_mode.as_deref().is_some_and(|mode| mode != "Filesystem") {
        let why = format!("may not specify volumeMode other than Filesystem {INLINE}");
        errors.forbidden(&path.child("volumeMode"), why);
    }
}

fn modes(errors: &mut Errors, path: &Path, spec: &PersistentVolumeSpec) {
    let at = path.child("accessModes");
    if list(&spec.access_modes).is_empty() {
        errors.required(&at, "");
    }
    access_modes(errors, &at, list(&spec.access_modes));
}

fn capacity(errors: &mut Errors, path: &Path, spec: &PersistentVolumeSpec) {
    let amounts = spec.capacity.clone().unwrap_or_default();
    if amounts.is_empty() {
        errors.required(path, "");
    }
    if amounts.len() != 1 || !amounts.contains_key("storage") {
        let shown = spec.capacity.as_ref().map_or(Value::Null, |c| serde_json::to_value(c).unwrap_or_default());
        errors.not_supported(path, shown, &["storage"]);
    }
    for (resource, amount) in &amounts {
        positive(errors, &path.key(resource), amount);
    }
}

/// More than nothing.
pub fn positive(errors: &mut Errors, path: &Path, amount: &nakhoda_api::kinds::Quantity) {
    match Quantity::try_from(amount) {
        Ok(amount) => {
            if amount.is_negative() {
                errors.invalid(path, amount.value(), "must be a valid resource quantity");
            }
            if amount <= Quantity::ZERO {
                errors.invalid(path, amount.to_string(), "must be greater than zero");
            }
        }
        Err(why) => errors.invalid(path, amount.0.as_str(), why.to_string()),
    }
}

fn source(errors: &mut Errors, path: &Path, spec: &PersistentVolumeSpec, name: &str) {
    let mut sole = Sole::new(errors, path);
    sole.take("hostPath", spec.host_path.as_ref(), sources::host_path);
    sole.take_as("gcePersistentDisk", "persistentDisk", spec.gce_persistent_disk.as_ref(), sources::gce);
    sole.take("awsElasticBlockStore", spec.aws_elastic_block_store.as_ref(), sources::aws);
    sole.take("glusterfs", spec.glusterfs.as_ref(), sources::glusterfs);
    sole.take("flocker", spec.flocker.as_ref(), sources::flocker);
    sole.take("nfs", spec.nfs.as_ref(), sources::nfs);
    sole.take("rbd", spec.rbd.as_ref(), |errors, at, s| {
        all_required(errors, at, &[("monitors", s.monitors.first().map_or("", |_| "given")), ("image", &s.image)]);
    });
    sole.take("quobyte", spec.quobyte.as_ref(), sources::quobyte);
    sole.take_as("cephFS", "cephfs", spec.cephfs.as_ref(), |errors, at, s| {
        required(errors, &at.child("monitors"), s.monitors.first().map_or("", |_| "given"));
    });
    sole.take("iscsi", spec.iscsi.as_ref(), |errors, at, s| iscsi::persistent(errors, at, s, name));
    sole.take("cinder", spec.cinder.as_ref(), |errors, at, s| {
        required(errors, &at.child("volumeID"), &s.volume_id);
        secret(errors, &at.child("secretRef"), s.secret_ref.as_ref());
    });
    sole.take("fc", spec.fc.as_ref(), sources::fc);
    sole.beside("flexVolume", spec.flex_volume.as_ref(), |errors, at, s| {
        sources::flex(errors, at, &s.driver, s.options.as_ref());
    });
    sole.take("azureFile", spec.azure_file.as_ref(), |errors, at, s| {
        all_required(errors, at, &[("secretName", &s.secret_name), ("shareName", &s.share_name)]);
        required(errors, &at.child("secretNamespace"), s.secret_namespace.as_deref().unwrap_or("default"));
    });
    last_sources(&mut sole, spec);
    sole.take("local", spec.local.as_ref(), |errors, at, s| {
        sources::local(errors, at, s);
        if spec.node_affinity.is_none() {
            errors.required(&path.child("nodeAffinity"), "Local volume requires node affinity");
        }
    });
    sole.take("storageos", spec.storageos.as_ref(), |errors, at, s| {
        let secret = s.secret_ref.as_ref().map(|r| [("name", text(&r.name)), ("namespace", text(&r.namespace))]);
        let (name, namespace) = (text(&s.volume_name), text(&s.volume_namespace));
        sources::storage_os(errors, at, name, namespace, secret.as_ref().map_or(&[], |s| s));
    });
    sole.take("csi", spec.csi.as_ref(), sources::csi_persistent);
    sole.finish();
}

fn last_sources(sole: &mut Sole<'_>, spec: &PersistentVolumeSpec) {
    sole.take("vsphereVolume", spec.vsphere_volume.as_ref(), |errors, at, s| {
        required(errors, &at.child("volumePath"), &s.volume_path);
    });
    sole.take("photonPersistentDisk", spec.photon_persistent_disk.as_ref(), |errors, at, s| {
        required(errors, &at.child("pdID"), &s.pd_id);
    });
    sole.take("portworxVolume", spec.portworx_volume.as_ref(), |errors, at, s| {
        required(errors, &at.child("volumeID"), &s.volume_id);
    });
    sole.take("azureDisk", spec.azure_disk.as_ref(), sources::azure_disk);
    sole.take("scaleIO", spec.scale_io.as_ref(), |errors, at, s| {
        let fields = [("gateway", &*s.gateway), ("system", &s.system), ("volumeName", text(&s.volume_name))];
        all_required(errors, at, &fields);
    });
}

fn secret(errors: &mut Errors, path: &Path, secret: Option<&SecretReference>) {
    if let Some(secret) = secret {
        all_required(errors, path, &[("name", text(&secret.name)), ("namespace", text(&secret.namespace))]);
    }
}

fn attributes(errors: &mut Errors, path: &Path, spec: &PersistentVolumeSpec) {
    let Some(class) = &spec.volume_attributes_class_name else { return };
    match class.as_str() {
        "" => errors.required(&path.child("volumeAttributesClassName"), "an empty string is disallowed"),
        class => subdomain(errors, &path.child("volumeAttributesClassName"), class),
    }
    if spec.csi.is_none() {
        errors.required(&path.child("csi"), "has to be specified when using volumeAttributesClassName");
    }
}
