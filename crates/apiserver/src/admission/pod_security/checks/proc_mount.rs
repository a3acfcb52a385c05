//! What runtimes hide of `/proc` stays hidden, unless the pod has users of its own.

use std::collections::BTreeSet;

use super::super::subject::Part;
use super::{Check, Fault, Level, Subject, text};

pub(super) const ID: &str = "procMount";

pub(super) const CHECK: Check =
    Check { id: ID, level: Level::Baseline, versions: &[(0, all), (35, but_own_users)], instead_of: None };

pub(super) fn all(pod: &Subject<'_>) -> Option<Fault> {
    let kind = |one: &Part<'_>| {
        one.security.and_then(|s| s.proc_mount.clone()).filter(|kind| kind != "Default")
    };
    let bad = pod.named(|one| kind(one).is_some());
    let kinds: BTreeSet<String> = pod.containers.iter().filter_map(kind).collect();
    let told =
        || format!("{} must not set securityContext.procMount to {}", text::containers(&bad), text::quoted(&kinds));
    if bad.is_empty() { None } else { Fault::new("procMount", told()) }
}

fn but_own_users(pod: &Subject<'_>) -> Option<Fault> {
    if pod.has_own_users() { None } else { all(pod) }
}
