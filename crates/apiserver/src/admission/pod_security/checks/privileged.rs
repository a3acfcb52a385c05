//! No container that may do what the node may.

use super::{Check, Fault, Level, Subject, text};

pub(super) const CHECK: Check =
    Check { id: "privileged", level: Level::Baseline, versions: &[(0, look)], instead_of: None };

fn look(pod: &Subject<'_>) -> Option<Fault> {
    let bad = pod.named(|one| one.security.and_then(|s| s.privileged) == Some(true));
    let told = || format!("{} must not set securityContext.privileged=true", text::containers(&bad));
    if bad.is_empty() { None } else { Fault::new("privileged", told()) }
}
