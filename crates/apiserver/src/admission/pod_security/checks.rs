//! The checks of the Pod Security Standards, by the versions in which they changed. One file for each; its line here
//! stands where its texts stand in a message.

use super::policy::{Level, Standard, Version};
use super::subject::Subject;

mod text;

/// What a check has against a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// In few words.
    pub(crate) reason: String,
    /// Which containers, which values.
    pub(crate) detail: String,
}

type Looks = fn(&Subject<'_>) -> Option<Fault>;

/// A check.
struct Check {
    id: &'static str,
    level: Level,
    /// From which minor version it looks how.
    versions: &'static [(u32, Looks)],
    /// The weaker check that it stands for.
    instead_of: Option<&'static str>,
}

macro_rules! checks {
    ($($file:ident),* $(,)?) => {
        $(mod $file;)*
        const CHECKS: &[Check] = &[$($file::CHECK),*];
    };
}

checks! {
    app_armor_profile,
    capabilities_baseline,
    host_namespaces,
    host_path_volumes,
    host_ports,
    host_probes,
    privileged,
    proc_mount,
    se_linux_options,
    seccomp_baseline,
    sysctls,
    windows_host_process,
    // restricted
    allow_privilege_escalation,
    capabilities_restricted,
    proc_mount_restricted,
    restricted_volumes,
    run_as_non_root,
    run_as_user,
    seccomp_restricted,
}

// === impl Fault ===

impl Fault {
    fn new(reason: &str, detail: String) -> Option<Self> {
        Some(Self { reason: reason.into(), detail })
    }
}

// === impl Check ===

impl Check {
    fn at(&self, version: Version) -> Option<Looks> {
        self.versions.iter().rev().find(|(minor, _)| Version::Minor(*minor) <= version).map(|(_, looks)| *looks)
    }
}

/// All that a standard has against a pod.
pub(crate) fn faults(standard: Standard, pod: &Subject<'_>) -> Vec<Fault> {
    let asked: Vec<(&Check, Looks)> = CHECKS
        .iter()
        .filter(|check| check.level <= standard.level)
        .filter_map(|check| check.at(standard.version).map(|looks| (check, looks)))
        .collect();
    let replaced = |id: &str| asked.iter().any(|(check, _)| check.instead_of == Some(id));
    asked.iter().filter(|(check, _)| !replaced(check.id)).filter_map(|(_, looks)| looks(pod)).collect()
}

/// The reasons alone, where many pods are meant.
pub(crate) fn reasons(faults: &[Fault]) -> String {
    faults.iter().map(|fault| fault.reason.as_str()).collect::<Vec<_>>().join(", ")
}

/// Reasons with details.
pub(crate) fn details(faults: &[Fault]) -> String {
    let told = faults.iter().map(|fault| match fault.detail.as_str() {
        "" => fault.reason.clone(),
        detail => format!("{} ({detail})", fault.reason),
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
