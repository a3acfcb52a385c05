//! Users, groups, profiles and namespaces.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{AppArmorProfile, PodSpec, SeccompProfile, SecurityContext, Sysctl};
use nakhoda_api::names::{is_valid_group_id, is_valid_user_id};

use super::volumes::descending;
use super::windows;
use crate::rules::check::{each, list, supported, text};

const PROFILES: &[&str] = &["Localhost", "RuntimeDefault", "Unconfined"];
const SYSCTL_RE: &str = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
const SYSCTL_MAX: usize = 253;

/// The pod's own settings.
pub fn of_pod(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    let Some(context) = &spec.security_context else { return };
    let at = path.child("securityContext");
    ids(
        errors,
        &at,
        &[
            ("fsGroup", context.fs_group, is_valid_group_id),
            ("runAsUser", context.run_as_user, is_valid_user_id),
            ("runAsGroup", context.run_as_group, is_valid_group_id),
        ],
    );
    for (i, group) in list(&context.supplemental_groups).iter().enumerate() {
        each(errors, &at.child("supplementalGroups").index(i), *group, is_valid_group_id(*group));
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid(&at.child("shareProcessNamespace"), true, why);
    }
    sysctls(errors, &at.child("sysctls"), list(&context.sysctls));
    if let Some(policy) = &context.fs_group_change_policy {
        supported(errors, &at.child("fsGroupChangePolicy"), policy, &["Always", "OnRootMismatch"]);
    }
    seccomp(errors, &at.child("seccompProfile"), context.seccomp_profile.as_ref());
    app_armor(errors, &at.child("appArmorProfile"), context.app_armor_profile.as_ref());
    windows::options(errors, &at.child("windowsOptions"), context.windows_options.as_ref());
    if let Some(policy) = &context.supplemental_groups_policy {
        supported(errors, &at.child("supplementalGroupsPolicy"), policy, &["Merge", "Strict"]);
    }
    if let Some(policy) = &context.se_linux_change_policy {
        supported(errors, &at.child("seLinuxChangePolicy"), policy, &["MountOption", "Recursive"]);
    }
}

/// A container's settings.
pub fn of_container(errors: &mut Errors, path: &Path, context: &SecurityContext, host_users: bool) {
    ids(
        errors,
        path,
        &[
            ("runAsUser", context.run_as_user, is_valid_user_id),
            ("runAsGroup", context.run_as_group, is_valid_group_id),
        ],
    );
    if let Some(mount) = &context.proc_mount {
        let at = path.child("procMount");
        supported(errors, &at, mount, &["Default", "Unmasked"]);
        if host_users && mount == "Unmasked" {
            errors.invalid(&at, mount.as_str(), "`hostUsers` must be false to use `Unmasked`");
        }
    }
    seccomp(errors, &path.child("seccompProfile"), context.seccomp_profile.as_ref());
    if context.allow_privilege_escalation == Some(false) {
        let shown = || serde_json::to_value(context).unwrap_or_default();
        if context.privileged == Some(true) {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.invalid(path, shown(), why);
        }
        let added = context.capabilities.as_ref().map_or(&[][..], |c| list(&c.add));
        if added.iter().any(|c| c == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.invalid(path, shown(), why);
        }
    }
    windows::options(errors, &path.child("windowsOptions"), context.windows_options.as_ref());
    app_armor(errors, &path.child("appArmorProfile"), context.app_armor_profile.as_ref());
}

type Id = (&'static str, Option<i64>, fn(i64) -> Vec<String>);

fn ids(errors: &mut Errors, path: &Path, ids: &[Id]) {
    for (field, id, rule) in ids {
        if let Some(id) = id {
            each(errors, &path.child(field), *id, rule(*id));
        }
    }
}

fn sysctls(errors: &mut Errors, path: &Path, all: &[Sysctl]) {
    for (i, sysctl) in all.iter().enumerate() {
        let (at, name) = (path.index(i).child("name"), sysctl.name.as_str());
        if name.is_empty() {
            errors.required(&at, "");
        } else if !is_sysctl(name) {
            let why = format!("must have at most {SYSCTL_MAX} characters and match regex {SYSCTL_RE}");
            errors.invalid(&at, name, why);
        } else if all[..i].iter().any(|s| s.name == name) {
            errors.duplicate(&at, name);
        }
    }
}

fn is_sysctl(name: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(b);
    let part = |p: &str| edge(p.as_bytes().first()) && edge(p.as_bytes().last()) && p.as_bytes().iter().all(inner);
    name.len() <= SYSCTL_MAX && name.split(['.', '/']).all(part)
}

fn seccomp(errors: &mut Errors, path: &Path, profile: Option<&SeccompProfile>) {
    let Some(profile) = profile else { return };
    match profile.type_.as_str() {
        "" => errors.required(&path.child("type"), "type is required when seccompProfile is set"),
        kind => supported(errors, &path.child("type"), kind, PROFILES),
    }
    let at = path.child("localhostProfile");
    match (profile.type_.as_str(), &profile.localhost_profile) {
        ("Localhost", None) => errors.required(&at, "must be set when seccomp type is Localhost"),
        ("Localhost", Some(file)) => descending(errors, &at, file),
        (_, Some(_)) => {
            let shown = serde_json::to_value(profile).unwrap_or_default();
            errors.invalid(&at, shown, "can only be set when seccomp type is Localhost");
        }
        _ => {}
    }
}

fn app_armor(errors: &mut Errors, path: &Path, profile: Option<&AppArmorProfile>) {
    let Some(profile) = profile else { return };
    let (at, name) = (path.child("localhostProfile"), text(&profile.localhost_profile));
    match (profile.type_.as_str(), &profile.localhost_profile) {
        ("Localhost", Some(given)) if given.trim() != given => {
            errors.invalid(&at, name, "must not be padded with whitespace");
        }
        ("Localhost", _) if name.is_empty() => errors.required(&at, "must be set when AppArmor type is Localhost"),
        ("Localhost", _) if name.len() > 4095 => errors.too_long(&at, 4095),
        ("RuntimeDefault" | "Unconfined", Some(given)) => {
            errors.invalid(&at, given.as_str(), "can only be set when AppArmor type is Localhost");
        }
        ("Localhost" | "RuntimeDefault" | "Unconfined", _) => {}
        ("", _) => errors.required(&path.child("type"), "type is required when appArmorProfile is set"),
        (other, _) => errors.not_supported(&path.child("type"), other, PROFILES),
    }
}

/// Users of its own do not go with the node's namespaces.
pub fn host_users(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    if spec.host_users != Some(false) {
        return;
    }
    for (field, set) in [("hostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc)] {
        if set == Some(true) {
            errors.forbidden(&path.child(field), "when `hostUsers` is false");
        }
    }
}
