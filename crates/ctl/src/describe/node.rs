//! Nodes, with their lease and their pods.

pub mod usage;

use nakhoda_client::Selection;
use serde_json::Value;

use super::config_map::sorted;
use super::sheet::Sheet;
use super::values::{labels_and_annotations, or_none, scalar, time};
use crate::cluster::{items, text};
use crate::{Cluster, Error};

/// Roles are labels.
const ROLE: &str = "node-role.kubernetes.io/";

/// Writes a node.
pub async fn describe(sheet: &mut Sheet, cluster: &Cluster, object: &Value) -> Result<(), Error> {
    let name = text(object, "/metadata/name");
    let leases = cluster.mapping.find("leases.coordination.k8s.io")?;
    let lease = cluster.get(leases, "kube-node-lease", name).await;
    let fields = format!("spec.nodeName={name},status.phase!=Succeeded,status.phase!=Failed");
    let pods = cluster.list(cluster.mapping.find("pods")?, "", &Selection::fields(fields)).await?;
    head(sheet, object);
    match lease {
        Ok(lease) => write_lease(sheet, &lease),
        Err(error) => sheet.field(0, "Lease", format!("Failed to get lease: {error}")),
    }
    body(sheet, object);
    usage::write(sheet, object, &pods);
    Ok(())
}

fn head(sheet: &mut Sheet, node: &Value) {
    sheet.field(0, "Name", text(node, "/metadata/name"));
    let labels = node["metadata"]["labels"].as_object().into_iter().flatten();
    let roles: Vec<&str> = labels.filter_map(|(key, _)| key.strip_prefix(ROLE)).collect();
    sheet.field(0, "Roles", or_none(&roles.join(",")));
    labels_and_annotations(sheet, 0, &node["metadata"]);
    sheet.field(0, "CreationTimestamp", time(text(node, "/metadata/creationTimestamp")));
    let taints: Vec<String> = items(node, "/spec/taints").map(taint).collect();
    sheet.many(0, "Taints", &taints);
    sheet.field(0, "Unschedulable", node["spec"]["unschedulable"] == true);
}

/// `key=value:Effect`.
#[must_use]
pub fn taint(taint: &Value) -> String {
    let (key, effect) = (text(taint, "/key"), text(taint, "/effect"));
    match text(taint, "/value") {
        "" => format!("{key}:{effect}"),
        value => format!("{key}={value}:{effect}"),
    }
}

fn write_lease(sheet: &mut Sheet, lease: &Value) {
    sheet.line(0, "Lease:");
    let holder = Some(text(lease, "/spec/holderIdentity")).filter(|h| !h.is_empty()).unwrap_or("<unset>");
    sheet.field(1, "HolderIdentity", holder);
    sheet.field(1, "AcquireTime", time(text(lease, "/spec/acquireTime")));
    sheet.field(1, "RenewTime", time(text(lease, "/spec/renewTime")));
}

fn body(sheet: &mut Sheet, node: &Value) {
    sheet.line(0, "Conditions:");
    sheet.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
    sheet.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for c in items(node, "/status/conditions") {
        let field = |path| text(c, path);
        let (beat, transition) = (time(field("/lastHeartbeatTime")), time(field("/lastTransitionTime")));
        sheet.line(
            1,
            format!("{} \t{} \t{beat} \t{transition} \t{} \t{}", field("/type"), field("/status"), field("/reason"), field("/message")),
        );
    }
    sheet.line(0, "Addresses:");
    items(node, "/status/addresses").for_each(|a| sheet.field(1, text(a, "/type"), text(a, "/address")));
    for (label, field) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        sheet.line(0, format!("{label}:"));
        sorted(&node["status"][field]).iter().for_each(|(name, quantity)| sheet.field(1, name, scalar(quantity)));
    }
    sheet.line(0, "System Info:");
    let facts = [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ];
    facts.iter().for_each(|(label, field)| sheet.field(1, label, scalar(&node["status"]["nodeInfo"][*field])));
    sheet.field_if(0, "PodCIDR", text(node, "/spec/podCIDR"));
    let ranges: Vec<&str> = items(node, "/spec/podCIDRs").filter_map(Value::as_str).collect();
    sheet.field_if(0, "PodCIDRs", &ranges.join(","));
    sheet.field_if(0, "ProviderID", text(node, "/spec/providerID"));
}
