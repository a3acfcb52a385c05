//! No process gains more than its parent has.

use super::{Check, Fault, Level, Subject, text};

pub(super) const CHECK: Check = Check {
    id: "allowPrivilegeEscalation",
    level: Level::Restricted,
    versions: &[(8, all), (25, but_windows)],
    instead_of: None,
};

fn all(pod: &Subject<'_>) -> Option<Fault> {
    let bad = pod.named(|one| one.security.and_then(|s| s.allow_privilege_escalation) != Some(false));
    let told = || format!("{} must set securityContext.allowPrivilegeEscalation=false", text::containers(&bad));
    if bad.is_empty() { None } else { Fault::new("allowPrivilegeEscalation != false", told()) }
}

fn but_windows(pod: &Subject<'_>) -> Option<Fault> {
    if pod.is_windows() { None } else { all(pod) }
}
