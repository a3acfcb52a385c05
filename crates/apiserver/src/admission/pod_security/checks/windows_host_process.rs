//! No container that is a process of a Windows node.

use super::{Check, Fault, Level, Subject, text};

pub(super) const CHECK: Check =
    Check { id: "windowsHostProcess", level: Level::Baseline, versions: &[(0, look)], instead_of: None };

fn look(pod: &Subject<'_>) -> Option<Fault> {
    let of_pod = pod.spec.security_context.as_ref().and_then(|s| s.windows_options.as_ref()?.host_process);
    let names = pod.named(|one| one.security.and_then(|s| s.windows_options.as_ref()?.host_process) == Some(true));
    let setters = text::setters(of_pod == Some(true), &names)?;
    Fault::new("hostProcess", format!("{setters} must not set securityContext.windowsOptions.hostProcess=true"))
}
