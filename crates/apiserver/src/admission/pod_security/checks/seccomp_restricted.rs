//! The filter of system calls is switched on.

use super::{Check, Fault, Level, Subject, seccomp_baseline, text};

pub(super) const CHECK: Check = Check {
    id: "seccompProfile_restricted",
    level: Level::Restricted,
    versions: &[(19, all), (25, but_windows)],
    instead_of: Some(seccomp_baseline::ID),
};

fn all(pod: &Subject<'_>) -> Option<Fault> {
    if let Some(fault) = seccomp_baseline::explicit(pod) {
        return Some(fault);
    }
    let silent = pod.named(|one| one.security.is_none_or(|s| s.seccomp_profile.is_none()));
    let told = || {
        let who = text::containers(&silent);
        format!("pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"")
    };
    let set = seccomp_baseline::profile(pod).is_some_and(seccomp_baseline::is_allowed);
    if silent.is_empty() || set { None } else { Fault::new("seccompProfile", told()) }
}

fn but_windows(pod: &Subject<'_>) -> Option<Fault> {
    if pod.is_windows() { None } else { all(pod) }
}
