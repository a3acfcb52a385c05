//! Volumes: each has a name of its own and one source.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{HostPathVolumeSource, KeyToPath, NFSVolumeSource, Volume};
use nakhoda_api::names;
use nakhoda_api::quantity::Quantity;
use serde_json::Value;

use super::{downward, projected};
use crate::rules::check::{each, label, list, mode, required, supported, text};

/// Volumes that were found valid, and can be mounted.
pub type Known<'a> = Vec<&'a Volume>;

/// Fields of a pod that a file may show, sorted.
pub(super) const FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const HOST_PATHS: &[&str] =
    &["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

/// All volumes; gives those that are valid.
pub fn validate<'a>(errors: &mut Errors, path: &Path, volumes: &'a [Volume], pod: &str) -> Known<'a> {
    let claims: Vec<_> =
        volumes.iter().filter(|v| v.ephemeral.is_some()).map(|v| format!("{pod}-{}", v.name)).collect();
    let mut known: Known<'a> = Vec::new();
    for (i, volume) in volumes.iter().enumerate() {
        let at = path.index(i);
        let mut found = Errors::default();
        source(&mut found, &at, volume);
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

fn source(errors: &mut Errors, path: &Path, volume: &Volume) {
    let named = match serde_json::to_value(volume) {
        Ok(Value::Object(fields)) => fields.into_iter().map(|(k, _)| k).filter(|k| k != "name").collect(),
        _ => Vec::new(),
    };
    if named.is_empty() {
        return errors.required(path, "must specify a volume type");
    }
    for more in &named[1..] {
        errors.forbidden(&path.child(more), "may not specify more than 1 volume type");
    }
    first(errors, path, volume);
}

/// The sources that this cluster mounts.
fn first(errors: &mut Errors, path: &Path, volume: &Volume) {
    if let Some(empty) = &volume.empty_dir {
        let limit = empty.size_limit.as_ref().map(Quantity::try_from);
        if limit.is_some_and(|l| l.is_ok_and(Quantity::is_negative)) {
            let at = path.child("emptyDir").child("sizeLimit");
            errors.forbidden(&at, "SizeLimit field must be a valid resource quantity");
        }
    } else if let Some(host) = &volume.host_path {
        host_path(errors, &path.child("hostPath"), host);
    } else if let Some(secret) = &volume.secret {
        let at = path.child("secret");
        required(errors, &at.child("secretName"), text(&secret.secret_name));
        files(errors, &at, secret.default_mode, list(&secret.items));
    } else if let Some(map) = &volume.config_map {
        let at = path.child("configMap");
        required(errors, &at.child("name"), &map.name);
        files(errors, &at, map.default_mode, list(&map.items));
    } else if let Some(source) = &volume.downward_api {
        let at = path.child("downwardAPI");
        mode(errors, &at.child("defaultMode"), source.default_mode);
        for file in list(&source.items) {
            downward_file(errors, &at, file);
        }
    } else if let Some(source) = &volume.projected {
        projected::validate(errors, &path.child("projected"), source);
    } else if let Some(claim) = &volume.persistent_volume_claim {
        required(errors, &path.child("persistentVolumeClaim").child("claimName"), &claim.claim_name);
    } else if let Some(nfs) = &volume.nfs {
        network_share(errors, &path.child("nfs"), nfs);
    } else if let Some(csi) = &volume.csi {
        driver(errors, &path.child("csi").child("driver"), &csi.driver);
    } else if let Some(image) = &volume.image {
        let policies = ["Always", "IfNotPresent", "Never"];
        supported(errors, &path.child("image").child("pullPolicy"), text(&image.pull_policy), &policies);
    }
}

fn host_path(errors: &mut Errors, path: &Path, source: &HostPathVolumeSource) {
    if source.path.is_empty() {
        return errors.required(&path.child("path"), "");
    }
    no_backsteps(errors, &path.child("path"), &source.path);
    if let Some(kind) = &source.type_ {
        supported(errors, &path.child("type"), kind, HOST_PATHS);
    }
}

fn network_share(errors: &mut Errors, path: &Path, source: &NFSVolumeSource) {
    required(errors, &path.child("server"), &source.server);
    required(errors, &path.child("path"), &source.path);
    if !source.path.starts_with('/') {
        errors.invalid(&path.child("path"), source.path.as_str(), "must be an absolute path");
    }
}

fn driver(errors: &mut Errors, path: &Path, name: &str) {
    required(errors, path, name);
    if name.len() > 63 {
        errors.too_long(path, 63);
    }
    each(errors, path, name, names::is_dns1123_subdomain(&name.to_lowercase()));
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

/// Without a way up.
pub(super) fn no_backsteps(errors: &mut Errors, path: &Path, target: &str) {
    if target.split('/').any(|part| part == "..") {
        errors.invalid(path, target, "must not contain '..'");
    }
}
