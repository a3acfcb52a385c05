//! Nobody asks to be user 0, unless the pod has users of its own.

use super::{Check, Fault, Level, Subject, text};

pub(super) const CHECK: Check =
    Check { id: "runAsUser", level: Level::Restricted, versions: &[(23, all), (35, but_own_users)], instead_of: None };

fn all(pod: &Subject<'_>) -> Option<Fault> {
    let of_pod = pod.spec.security_context.as_ref().and_then(|s| s.run_as_user) == Some(0);
    let names = pod.named(|one| one.security.and_then(|s| s.run_as_user) == Some(0));
    let setters = text::setters(of_pod, &names)?;
    Fault::new("runAsUser=0", format!("{setters} must not set runAsUser=0"))
}

fn but_own_users(pod: &Subject<'_>) -> Option<Fault> {
    if pod.has_own_users() { None } else { all(pod) }
}
