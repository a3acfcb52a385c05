//! Where volumes appear in a container.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Container, VolumeDevice, VolumeMount};

use super::volumes::{Known, descending};
use crate::rules::check::{list, required, text};

/// Mounts and block devices of one container.
pub fn validate(errors: &mut Errors, path: &Path, container: &Container, known: &Known<'_>) {
    let (mounts, devices) = (list(&container.volume_mounts), list(&container.volume_devices));
    for i in 0..mounts.len() {
        mount(errors, &path.child("volumeMounts"), i, container, known);
    }
    for i in 0..devices.len() {
        device(errors, &path.child("volumeDevices"), i, container, known);
    }
}

fn mount(errors: &mut Errors, path: &Path, index: usize, container: &Container, known: &Known<'_>) {
    let (mounts, devices) = (list(&container.volume_mounts), list(&container.volume_devices));
    let (at, mount) = (path.index(index), &mounts[index]);
    let (name, target) = (mount.name.as_str(), mount.mount_path.as_str());
    required(errors, &at.child("name"), name);
    if !known.iter().any(|v| v.name == name) {
        errors.not_found(&at.child("name"), name);
    }
    required(errors, &at.child("mountPath"), target);
    if mounts[..index].iter().any(|m| m.mount_path == target) {
        errors.invalid(&at.child("mountPath"), target, "must be unique");
    }
    if devices.iter().any(|d| d.name == name) {
        errors.invalid(&at.child("name"), name, "must not already exist in volumeDevices");
    }
    if devices.iter().any(|d| d.device_path == target) {
        errors.invalid(&at.child("mountPath"), target, "must not already exist as a path in volumeDevices");
    }
    let (sub_path, expression) = (text(&mount.sub_path), text(&mount.sub_path_expr));
    descending(errors, &path.child("subPath"), sub_path);
    if !expression.is_empty() && !sub_path.is_empty() {
        let why = "subPathExpr and subPath are mutually exclusive";
        errors.invalid(&at.child("subPathExpr"), expression, why);
    }
    descending(errors, &path.child("subPathExpr"), expression);
    propagation(errors, &path.child("mountPropagation"), mount, container);
    recursive(errors, &path.child("recursiveReadOnly"), mount);
}

fn propagation(errors: &mut Errors, path: &Path, mount: &VolumeMount, container: &Container) {
    let Some(propagation) = mount.mount_propagation.as_deref() else { return };
    crate::rules::check::supported(errors, path, propagation, &["Bidirectional", "HostToContainer", "None"]);
    let privileged = container.security_context.as_ref().and_then(|s| s.privileged) == Some(true);
    if propagation == "Bidirectional" && !privileged {
        let why = "Bidirectional mount propagation is available only to privileged containers";
        errors.forbidden(path, why);
    }
}

fn recursive(errors: &mut Errors, path: &Path, mount: &VolumeMount) {
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                errors.forbidden(path, "may only be specified when readOnly is true");
            }
            if !["", "None"].contains(&text(&mount.mount_propagation)) {
                errors.forbidden(path, "may only be specified when mountPropagation is None or not specified");
            }
        }
        Some(other) => errors.not_supported(path, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

fn device(errors: &mut Errors, path: &Path, index: usize, container: &Container, known: &Known<'_>) {
    let (mounts, devices) = (list(&container.volume_mounts), list(&container.volume_devices));
    let (at, before) = (path.index(index), &devices[..index]);
    let VolumeDevice { name, device_path: target } = &devices[index];
    let volume = known.iter().find(|v| v.name == *name);
    required(errors, &at.child("name"), name);
    if !name.is_empty() && before.iter().any(|d| d.name == *name) {
        errors.invalid(&at.child("name"), name.as_str(), "must be unique");
    }
    match volume {
        None => errors.not_found(&at.child("name"), name.as_str()),
        Some(v) if v.persistent_volume_claim.is_none() && v.ephemeral.is_none() => {
            let why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
            errors.invalid(&at.child("name"), name.as_str(), why);
        }
        Some(_) => {}
    }
    required(errors, &at.child("devicePath"), target);
    if before.iter().any(|d| d.device_path == *target) {
        errors.invalid(&at.child("devicePath"), target.as_str(), "must be unique");
    }
    if target.split('/').any(|part| part == "..") {
        errors.invalid(&at.child("devicePath"), target.as_str(), "can not contain backsteps ('..')");
    }
    if mounts.iter().any(|m| m.name == *name) {
        errors.invalid(&at.child("name"), name.as_str(), "must not already exist in volumeMounts");
    }
    if mounts.iter().any(|m| m.mount_path == *target) {
        let why = "must not already exist as a path in volumeMounts";
        errors.invalid(&at.child("devicePath"), target.as_str(), why);
    }
}
