//! Projected volumes: several sources in one directory.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{KeyToPath, ProjectedVolumeSource, Volume, VolumeProjection};

use super::volumes::{downward_file, key_to_path, local_path};
use crate::rules::check::{list, mode, required};

/// All sources; no two of them may make the same file.
pub fn validate(errors: &mut Errors, path: &Path, volume: &ProjectedVolumeSource) {
    mode(errors, &path.child("defaultMode"), volume.default_mode);
    let mut taken = Vec::new();
    for (i, one) in list(&volume.sources).iter().enumerate() {
        let at = path.child("sources").index(i);
        source(errors, path, &at, one, &mut taken);
        let kinds = [
            one.secret.is_some(),
            one.config_map.is_some(),
            one.downward_api.is_some(),
            one.service_account_token.is_some(),
            one.cluster_trust_bundle.is_some(),
            one.pod_certificate.is_some(),
        ];
        if kinds.iter().filter(|k| **k).count() > 1 {
            errors.forbidden(&at, "may not specify more than 1 volume type per source");
        }
    }
}

fn source<'a>(errors: &mut Errors, volume: &Path, path: &Path, source: &'a VolumeProjection, taken: &mut Vec<&'a str>) {
    if let Some(secret) = &source.secret {
        named(errors, volume, &path.child("secret"), &secret.name, list(&secret.items), taken);
    }
    if let Some(map) = &source.config_map {
        named(errors, volume, &path.child("configMap"), &map.name, list(&map.items), taken);
    }
    for file in source.downward_api.iter().flat_map(|d| list(&d.items)) {
        downward_file(errors, &path.child("downwardAPI"), file);
        take(errors, volume, &file.path, &file.path, taken);
    }
    let Some(token) = &source.service_account_token else { return };
    let at = path.child("serviceAccountToken").child("expirationSeconds");
    let seconds = token.expiration_seconds.unwrap_or(0);
    if seconds < 600 {
        errors.invalid(&at, seconds, "may not specify a duration less than 10 minutes");
    }
    if seconds > 1 << 32 {
        errors.invalid(&at, seconds, "may not specify a duration larger than 2^32 seconds");
    }
    match token.path.as_str() {
        "" => errors.required(&volume.child("path"), ""),
        target => local_path(errors, &volume.child("path"), target),
    }
}

fn named<'a>(
    errors: &mut Errors,
    volume: &Path,
    path: &Path,
    name: &str,
    items: &'a [KeyToPath],
    taken: &mut Vec<&'a str>,
) {
    required(errors, &path.child("name"), name);
    for (i, item) in items.iter().enumerate() {
        key_to_path(errors, &path.child("items").index(i), item);
        take(errors, volume, &item.path, name, taken);
    }
}

fn take<'a>(errors: &mut Errors, volume: &Path, target: &'a str, shown: &str, taken: &mut Vec<&'a str>) {
    if !target.is_empty() && taken.contains(&target) {
        errors.invalid(volume, shown, "conflicting duplicate paths");
    }
    taken.push(target);
}

/// A token needs an account.
pub fn without_account(errors: &mut Errors, path: &Path, volumes: &[Volume]) {
    for (i, volume) in volumes.iter().enumerate() {
        let sources = volume.projected.as_ref().map_or(&[][..], |p| list(&p.sources));
        for (j, _) in sources.iter().enumerate().filter(|(_, s)| s.service_account_token.is_some()) {
            let at = path.index(i).child("projected").child("sources").index(j).child("serviceAccountToken");
            errors.forbidden(&at, "must not be specified when serviceAccountName is not set");
        }
    }
}
