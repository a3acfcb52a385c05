//! Environment variables and where their values come from.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{EnvFromSource, EnvVar, EnvVarSource, FileKeySelector, PodSpec};
use nakhoda_api::names;

use super::{downward, windows};
use crate::rules::check::{each, label, list, required, subdomain, text};
use crate::rules::volume::sources::no_backsteps;

/// Fields of a pod that a variable may show, sorted.
const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

/// `env`.
pub fn variables(errors: &mut Errors, path: &Path, variables: &[EnvVar]) {
    for (i, variable) in variables.iter().enumerate() {
        let at = path.index(i);
        match variable.name.as_str() {
            "" => errors.required(&at.child("name"), ""),
            name => each(errors, &at.child("name"), name, names::is_relaxed_env_var_name(name)),
        }
        if let Some(source) = &variable.value_from {
            value_from(errors, &at.child("valueFrom"), source, text(&variable.value));
        }
    }
}

fn value_from(errors: &mut Errors, path: &Path, source: &EnvVarSource, value: &str) {
    let mut count = 0;
    if let Some(field) = &source.field_ref {
        count += 1;
        downward::field(errors, &path.child("fieldRef"), field, FIELDS);
    }
    if let Some(resource) = &source.resource_field_ref {
        count += 1;
        downward::resource(errors, &path.child("resourceFieldRef"), resource, false);
    }
    if let Some(map) = &source.config_map_key_ref {
        count += 1;
        key(errors, &path.child("configMapKeyRef"), &map.name, &map.key);
    }
    if let Some(secret) = &source.secret_key_ref {
        count += 1;
        key(errors, &path.child("secretKeyRef"), &secret.name, &secret.key);
    }
    if let Some(file) = &source.file_key_ref {
        count += 1;
        file_key(errors, &path.child("fileKeyRef"), file);
    }
    let fault = match count {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        _ if !value.is_empty() => "may not be specified when `value` is not empty",
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    errors.invalid(path, "", fault);
}

fn key(errors: &mut Errors, path: &Path, name: &str, key: &str) {
    subdomain(errors, &path.child("name"), name);
    match key {
        "" => errors.required(&path.child("key"), ""),
        key => each(errors, &path.child("key"), key, names::is_config_map_key(key)),
    }
}

fn file_key(errors: &mut Errors, path: &Path, file: &FileKeySelector) {
    match file.key.as_str() {
        "" => errors.required(&path.child("key"), ""),
        key => each(errors, &path.child("key"), key, names::is_relaxed_env_var_name(key)),
    }
    let at = path.child("volumeName");
    match file.volume_name.as_str() {
        "" => errors.required(&at, ""),
        name => label(errors, &at, name),
    }
    required(errors, &path.child("path"), &file.path);
    no_backsteps(errors, &path.child("path"), &file.path);
}

/// Files that variables are read from lie in empty directories. This is told last of all that is wrong with a pod.
pub fn files(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    let volumes = list(&spec.volumes);
    for (at, container) in windows::containers(path, spec) {
        for (i, variable) in list(&container.env).iter().enumerate() {
            let Some(file) = variable.value_from.as_ref().and_then(|source| source.file_key_ref.as_ref()) else {
                continue;
            };
            let at = at.child("env").index(i).child("valueFrom.fileKeyRef.volumeName");
            match volumes.iter().find(|volume| volume.name == file.volume_name) {
                None => errors.not_found(&at, file.volume_name.as_str()),
                Some(volume) if volume.empty_dir.is_none() => {
                    errors.invalid(&at, file.volume_name.as_str(), "referenced volume must be of type emptyDir");
                }
                Some(_) => {}
            }
        }
    }
}

/// `envFrom`.
pub fn sources(errors: &mut Errors, path: &Path, sources: &[EnvFromSource]) {
    for (i, source) in sources.iter().enumerate() {
        let at = path.index(i);
        if let Some(prefix) = source.prefix.as_deref().filter(|p| !p.is_empty()) {
            each(errors, &at.child("prefix"), prefix, names::is_relaxed_env_var_name(prefix));
        }
        let named = [
            ("configMapRef", source.config_map_ref.as_ref().map(|s| &s.name)),
            ("secretRef", source.secret_ref.as_ref().map(|s| &s.name)),
        ];
        for (field, name) in named {
            match name.map(String::as_str) {
                Some("") => errors.required(&at.child(field).child("name"), ""),
                Some(name) => subdomain(errors, &at.child(field).child("name"), name),
                None => {}
            }
        }
        match named.iter().filter(|(_, name)| name.is_some()).count() {
            0 => errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid(path, "", "may not have more than one field specified at a time"),
        }
    }
}
