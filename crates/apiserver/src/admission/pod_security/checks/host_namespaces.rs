//! Neither network nor processes nor queues of the node.

use super::{Check, Fault, Level, Subject};

pub(super) const CHECK: Check =
    Check { id: "hostNamespaces", level: Level::Baseline, versions: &[(0, look)], instead_of: None };

fn look(pod: &Subject<'_>) -> Option<Fault> {
    let spec = pod.spec;
    let all = [("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc)];
    let set: Vec<String> =
        all.into_iter().filter(|(_, on)| *on == Some(true)).map(|(name, _)| format!("{name}=true")).collect();
    if set.is_empty() { None } else { Fault::new("host namespaces", set.join(", ")) }
}
