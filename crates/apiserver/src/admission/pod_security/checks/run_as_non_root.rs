//! Nobody runs as root, unless the pod has users of its own.

use super::{Check, Fault, Level, Subject, text};

pub(super) const CHECK: Check = Check {
    id: "runAsNonRoot",
    level: Level::Restricted,
    versions: &[(0, all), (35, but_own_users)],
    instead_of: None,
};

fn all(pod: &Subject<'_>) -> Option<Fault> {
    let reason = "runAsNonRoot != true";
    let of_pod = pod.spec.security_context.as_ref().and_then(|s| s.run_as_non_root);
    let says = |value| pod.named(|one| one.security.and_then(|s| s.run_as_non_root) == value);
    if let Some(setters) = text::setters(of_pod == Some(false), &says(Some(false))) {
        return Fault::new(reason, format!("{setters} must not set securityContext.runAsNonRoot=false"));
    }
    let silent = says(None);
    let told = || format!("pod or {} must set securityContext.runAsNonRoot=true", text::containers(&silent));
    if silent.is_empty() || of_pod == Some(true) { None } else { Fault::new(reason, told()) }
}

fn but_own_users(pod: &Subject<'_>) -> Option<Fault> {
    if pod.has_own_users() { None } else { all(pod) }
}
