//! No capability beyond those that runtimes give anyway.

use std::collections::BTreeSet;

use super::super::subject::Part;
use super::{Check, Fault, Level, Subject, text};

pub(super) const ID: &str = "capabilities_baseline";

const DEFAULT: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

pub(super) const CHECK: Check =
    Check { id: ID, level: Level::Baseline, versions: &[(0, look)], instead_of: None };

fn look(pod: &Subject<'_>) -> Option<Fault> {
    added(pod, DEFAULT).and_then(|told| Fault::new("non-default capabilities", told))
}

/// Who adds what else than what is allowed.
pub(super) fn added(pod: &Subject<'_>, allowed: &[&str]) -> Option<String> {
    let more = |one: &Part<'_>| -> Vec<String> {
        let added = one.security.and_then(|s| s.capabilities.as_ref()).and_then(|c| c.add.as_ref());
        added.into_iter().flatten().filter(|one| !allowed.contains(&one.as_str())).cloned().collect()
    };
    let names = pod.named(|one| !more(one).is_empty());
    let all: BTreeSet<String> = pod.containers.iter().flat_map(more).collect();
    let told = || {
        format!("{} must not include {} in securityContext.capabilities.add", text::containers(&names), text::quoted(&all))
    };
    (!names.is_empty()).then(told)
}
