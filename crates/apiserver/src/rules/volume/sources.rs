//! The rules of single sources.

use std::collections::BTreeMap;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{
    AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, CSIPersistentVolumeSource, CSIVolumeSource,
    FCVolumeSource, FlockerVolumeSource, GCEPersistentDiskVolumeSource, GlusterfsPersistentVolumeSource,
    HostPathVolumeSource, LocalVolumeSource, NFSVolumeSource, QuobyteVolumeSource, SecretReference,
};
use nakhoda_api::names;

use crate::rules::check::{each, label, list, required, subdomain, supported, text};

const HOST_PATHS: &[&str] =
    &["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
const MANAGED: &str = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const BLOB: &str = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
const HOSTS: &str = "must be a host:port pair or multiple pairs separated by commas";

/// Several fields, each of which must be given.
pub fn all_required(errors: &mut Errors, path: &Path, fields: &[(&str, &str)]) {
    for (field, value) in fields {
        required(errors, &path.child(field), value);
    }
}

/// Without a way up.
pub fn no_backsteps(errors: &mut Errors, path: &Path, target: &str) {
    if target.split('/').any(|part| part == "..") {
        errors.invalid(path, target, "must not contain '..'");
    }
}

/// A place on the node.
pub fn host_path(errors: &mut Errors, path: &Path, source: &HostPathVolumeSource) {
    if source.path.is_empty() {
        return errors.required(&path.child("path"), "");
    }
    no_backsteps(errors, &path.child("path"), &source.path);
    if let Some(kind) = &source.type_ {
        supported(errors, &path.child("type"), kind, HOST_PATHS);
    }
}

/// A disk of the node.
pub fn local(errors: &mut Errors, path: &Path, source: &LocalVolumeSource) {
    required(errors, &path.child("path"), &source.path);
    no_backsteps(errors, &path.child("path"), &source.path);
}

/// A share in the network.
pub fn nfs(errors: &mut Errors, path: &Path, source: &NFSVolumeSource) {
    all_required(errors, path, &[("server", &source.server), ("path", &source.path)]);
    if !source.path.starts_with('/') {
        errors.invalid(&path.child("path"), source.path.as_str(), "must be an absolute path");
    }
}

/// A disk of Google's cloud.
pub fn gce(errors: &mut Errors, path: &Path, source: &GCEPersistentDiskVolumeSource) {
    required(errors, &path.child("pdName"), &source.pd_name);
    partition(errors, path, source.partition);
}

/// A disk of Amazon's cloud.
pub fn aws(errors: &mut Errors, path: &Path, source: &AWSElasticBlockStoreVolumeSource) {
    required(errors, &path.child("volumeID"), &source.volume_id);
    partition(errors, path, source.partition);
}

fn partition(errors: &mut Errors, path: &Path, partition: Option<i32>) {
    if let Some(partition) = partition.filter(|p| !(0..=255).contains(p)) {
        errors.invalid(&path.child("partition"), partition, "must be between 1 and 255, inclusive");
    }
}

/// A disk of Microsoft's cloud.
pub fn azure_disk(errors: &mut Errors, path: &Path, source: &AzureDiskVolumeSource) {
    all_required(errors, path, &[("diskName", &source.disk_name), ("diskURI", &source.disk_uri)]);
    if let Some(mode) = &source.caching_mode {
        supported(errors, &path.child("cachingMode"), mode, &["None", "ReadOnly", "ReadWrite"]);
    }
    let Some(kind) = &source.kind else { return };
    supported(errors, &path.child("kind"), kind, &["Dedicated", "Managed", "Shared"]);
    let (start, form) = if kind == "Managed" { ("/subscriptions/", MANAGED) } else { ("https://", BLOB) };
    if !source.disk_uri.starts_with(start) {
        errors.not_supported(&path.child("diskURI"), source.disk_uri.as_str(), &[form]);
    }
}

/// Fibre channel.
pub fn fc(errors: &mut Errors, path: &Path, source: &FCVolumeSource) {
    let (names, ids) = (list(&source.target_wwns), list(&source.wwids));
    let at = path.child("targetWWNs");
    match (names.is_empty(), ids.is_empty()) {
        (true, true) => errors.required(&at, "must specify either targetWWNs or wwids, but not both"),
        (false, false) => {
            errors.invalid(&at, names.to_vec(), "targetWWNs and wwids can not be specified simultaneously");
        }
        _ => {}
    }
    match source.lun {
        _ if names.is_empty() => {}
        None => errors.required(&path.child("lun"), "lun is required if targetWWNs is specified"),
        Some(lun) => unit(errors, path, lun),
    }
}

/// The number of a logical unit.
pub fn unit(errors: &mut Errors, path: &Path, lun: i32) {
    if !(0..=255).contains(&lun) {
        errors.invalid(&path.child("lun"), lun, "must be between 0 and 255, inclusive");
    }
}

/// Quobyte, whose driver is gone.
pub fn quobyte(errors: &mut Errors, path: &Path, source: &QuobyteVolumeSource) {
    if source.registry.is_empty() {
        errors.required(&path.child("registry"), HOSTS);
    } else if text(&source.tenant).len() >= 65 {
        let why = "must be a UUID and may not exceed a length of 64 characters";
        errors.required(&path.child("tenant"), why);
    } else {
        let pair =
            |host: &&str| host.rsplit_once(':').is_some_and(|(host, _)| host.starts_with('[') || !host.contains(':'));
        for _ in source.registry.split(',').filter(|host| !pair(host)) {
            errors.invalid(&path.child("registry"), source.registry.as_str(), HOSTS);
        }
    }
    required(errors, &path.child("volume"), &source.volume);
}

/// Flocker, whose driver is gone.
pub fn flocker(errors: &mut Errors, path: &Path, source: &FlockerVolumeSource) {
    let (name, uuid) = (text(&source.dataset_name), text(&source.dataset_uuid));
    match (name.is_empty(), uuid.is_empty()) {
        (true, true) => errors.required(path, "one of datasetName and datasetUUID is required"),
        (false, false) => {
            errors.invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously");
        }
        _ => {}
    }
    if name.contains('/') {
        errors.invalid(&path.child("datasetName"), name, "must not contain '/'");
    }
}

/// Gluster, whose driver is gone.
pub fn glusterfs(errors: &mut Errors, path: &Path, source: &GlusterfsPersistentVolumeSource) {
    all_required(errors, path, &[("endpoints", &source.endpoints), ("path", &source.path)]);
    let at = path.child("endpointsNamespace");
    match source.endpoints_namespace.as_deref() {
        Some("") => errors.invalid(&at, "", "if the endpointnamespace is set, it must be a valid namespace name"),
        Some(namespace) => label(errors, &at, namespace),
        None => {}
    }
}

/// Flexvolume: options of Kubernetes' own are not the user's to give.
pub fn flex(errors: &mut Errors, path: &Path, driver: &str, options: Option<&BTreeMap<String, String>>) {
    required(errors, &path.child("driver"), driver);
    for key in options.into_iter().flatten().map(|(key, _)| key) {
        let domain = format!(".{}", key.split_once('/').map_or(key.as_str(), |(domain, _)| domain).to_lowercase());
        if domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io") {
            let why = "kubernetes.io and k8s.io namespaces are reserved";
            errors.invalid(&path.child("options").key(key), key.as_str(), why);
        }
    }
}

/// StorageOS, whose driver is gone. Gives what else must be named of its secret.
pub fn storage_os(errors: &mut Errors, path: &Path, name: &str, namespace: &str, secret: &[(&str, &str)]) {
    match name {
        "" => errors.required(&path.child("volumeName"), ""),
        name => label(errors, &path.child("volumeName"), name),
    }
    if !namespace.is_empty() {
        label(errors, &path.child("volumeNamespace"), namespace);
    }
    all_required(errors, &path.child("secretRef"), secret);
}

/// The name of a CSI driver.
pub fn driver(errors: &mut Errors, path: &Path, name: &str) {
    if name.is_empty() {
        return errors.required(path, "");
    }
    if name.len() > 63 {
        errors.too_long(path, 63);
    }
    each(errors, path, name, names::is_dns1123_subdomain(&name.to_lowercase()));
}

/// A volume that a CSI driver makes for one pod.
pub fn csi(errors: &mut Errors, path: &Path, source: &CSIVolumeSource) {
    driver(errors, &path.child("driver"), &source.driver);
    match source.node_publish_secret_ref.as_ref().map(|s| s.name.as_str()) {
        Some("") => errors.required(&path.child("nodePublishSecretRef").child("name"), ""),
        // upstream's path
        Some(name) => subdomain(errors, &path.child("name"), name),
        None => {}
    }
}

/// A volume that a CSI driver knows.
pub fn csi_persistent(errors: &mut Errors, path: &Path, source: &CSIPersistentVolumeSource) {
    driver(errors, &path.child("driver"), &source.driver);
    required(errors, &path.child("volumeHandle"), &source.volume_handle);
    let secrets = [
        ("controllerPublishSecretRef", &source.controller_publish_secret_ref),
        ("controllerExpandSecretRef", &source.controller_expand_secret_ref),
        ("nodePublishSecretRef", &source.node_publish_secret_ref),
        ("nodeExpandSecretRef", &source.node_expand_secret_ref),
    ];
    for (field, secret) in secrets {
        if let Some(secret) = secret {
            secret_reference(errors, &path.child(field), secret);
        }
    }
}

fn secret_reference(errors: &mut Errors, path: &Path, secret: &SecretReference) {
    for (field, value) in [("name", text(&secret.name)), ("namespace", text(&secret.namespace))] {
        let at = path.child(field);
        match (field, value) {
            (_, "") => errors.required(&at, ""),
            ("name", value) => subdomain(errors, &at, value),
            (_, value) => label(errors, &at, value),
        }
    }
}
