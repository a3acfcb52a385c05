//! What `kubectl get nodes` prints.

use std::collections::BTreeSet;

use nakhoda_api::kinds::core::{Node, NodeSystemInfo};

use crate::kind::Columns;
use crate::rules::check::list;
use crate::rules::print::{NONE, or_none};

pub(super) fn columns() -> Columns<Node> {
    Columns::<Node>::named()
        .text("Status", |n, _| status(n).into())
        .text("Roles", |n, _| roles(n).into())
        .age()
        .text("Version", |n, _| info(n, |i| &i.kubelet_version).into())
        .wide("Internal-IP", |n, _| address(n, "InternalIP").into())
        .wide("External-IP", |n, _| address(n, "ExternalIP").into())
        .wide("OS-Image", |n, _| known(info(n, |i| &i.os_image)).into())
        .wide("Kernel-Version", |n, _| kernel(n).into())
        .wide("Container-Runtime", |n, _| known(info(n, |i| &i.container_runtime_version)).into())
}

fn status(node: &Node) -> String {
    let conditions = node.status.as_ref().map_or(&[][..], |s| list(&s.conditions));
    let ready = match conditions.iter().find(|c| c.type_ == "Ready") {
        Some(ready) if ready.status == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let cordoned = node.spec.as_ref().and_then(|s| s.unschedulable) == Some(true);
    if cordoned { format!("{ready},SchedulingDisabled") } else { ready.into() }
}

fn roles(node: &Node) -> String {
    let label = |(key, value): (&String, &String)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) if !role.is_empty() => Some(role.to_owned()),
        None if key == "kubernetes.io/role" && !value.is_empty() => Some(value.clone()),
        _ => None,
    };
    let roles: BTreeSet<_> = node.metadata.labels.iter().flatten().filter_map(label).collect();
    or_none(&roles.into_iter().collect::<Vec<_>>().join(","))
}

fn info(node: &Node, part: fn(&NodeSystemInfo) -> &String) -> &str {
    node.status.as_ref().and_then(|s| s.node_info.as_ref()).map_or("", |i| part(i))
}

fn known(text: &str) -> &str {
    if text.is_empty() { "<unknown>" } else { text }
}

fn kernel(node: &Node) -> String {
    let kernel = known(info(node, |i| &i.kernel_version));
    match info(node, |i| &i.architecture) {
        "" => kernel.into(),
        architecture => format!("{kernel} ({architecture})"),
    }
}

fn address(node: &Node, kind: &str) -> String {
    let addresses = node.status.as_ref().map_or(&[][..], |s| list(&s.addresses));
    addresses.iter().find(|a| a.type_ == kind).map_or_else(|| NONE.into(), |a| a.address.clone())
}
