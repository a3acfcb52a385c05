//! The filter of system calls is not switched off, by annotations of old and by field since.

use std::collections::BTreeSet;

use nakhoda_api::kinds::core::SeccompProfile;

use super::super::subject::Part;
use super::{Check, Fault, Level, Subject, text};

pub(super) const ID: &str = "seccompProfile_baseline";

const POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

pub(super) const CHECK: Check =
    Check { id: ID, level: Level::Baseline, versions: &[(0, annotations), (19, explicit)], instead_of: None };

fn annotations(pod: &Subject<'_>) -> Option<Fault> {
    let keys = pod.containers.iter().map(|one| format!("{CONTAINER}{}", one.name)).chain([POD.to_owned()]);
    let allowed = |value: &str| ["runtime/default", "docker/default"].contains(&value) || value.starts_with("localhost/");
    let bad: BTreeSet<String> = keys
        .filter_map(|key| pod.annotations.get(&key).filter(|value| !allowed(value)).map(|v| format!("{key}={v:?}")))
        .collect();
    let shown = bad.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let told = || format!("forbidden {} {shown}", text::plural(bad.len(), "annotation", "annotations"));
    if bad.is_empty() { None } else { Fault::new("seccompProfile", told()) }
}

/// Profiles that are set, and wrong.
pub(super) fn explicit(pod: &Subject<'_>) -> Option<Fault> {
    let of_pod = profile(pod).filter(|profile| !is_allowed(profile));
    let of = |one: &Part<'_>| {
        let profile = one.security.and_then(|s| s.seccomp_profile.as_ref());
        profile.filter(|profile| !is_allowed(profile)).map(|profile| profile.type_.clone())
    };
    let setters = text::setters(of_pod.is_some(), &pod.named(|one| of(one).is_some()))?;
    let kinds = pod.containers.iter().filter_map(of).chain(of_pod.map(|profile| profile.type_.clone()));
    let kinds: BTreeSet<String> = kinds.collect();
    let told = format!("{setters} must not set securityContext.seccompProfile.type to {}", text::quoted(&kinds));
    Fault::new("seccompProfile", told)
}

pub(super) fn profile<'a>(pod: &Subject<'a>) -> Option<&'a SeccompProfile> {
    pod.spec.security_context.as_ref().and_then(|s| s.seccomp_profile.as_ref())
}

pub(super) fn is_allowed(profile: &SeccompProfile) -> bool {
    ["RuntimeDefault", "Localhost"].contains(&profile.type_.as_str())
}
