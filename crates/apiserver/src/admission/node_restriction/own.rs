//! What bears a node's name: its lease, its CSINode, its slices of devices, its requests for certificates; and the
//! status of claims, which has none.

use nakhoda_api::Object;
use nakhoda_api::kinds::certificates::CertificateSigningRequest;
use serde_json::Value;

use super::super::{Attributes, Operation};
use crate::kinds::certificates::certificate_signing_request;

/// The signers whose certificates make a node of who has one.
const SIGNERS: [&str; 2] = ["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"];
/// What a kubelet that grows a volume says of a claim.
const GROWN: [&[&str]; 4] = [
    &["status", "capacity"],
    &["status", "conditions"],
    &["status", "allocatedResourceStatuses"],
    &["status", "allocatedResources"],
];
/// What the server itself changes with every write.
const WRITTEN: [&[&str]; 2] = [&["metadata", "resourceVersion"], &["metadata", "managedFields"]];

pub(super) fn check_lease(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    if attributes.call.namespace() != "kube-node-lease" {
        return Err("can only access leases in the \"kube-node-lease\" system namespace".into());
    }
    bears(attributes, object, node, "node lease")
}

pub(super) fn check_csi_node(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    bears(attributes, object, node, "CSINode")
}

fn bears(attributes: &Attributes<'_>, object: Option<&Object>, node: &str, what: &str) -> Result<(), String> {
    let name = match attributes.operation {
        Operation::Create => object.map_or("", Object::name),
        _ => attributes.call.target.name.as_str(),
    };
    if name == node {
        Ok(())
    } else {
        Err(format!("can only access {what} with the same name as the requesting node"))
    }
}

/// What exists already is the authorizer's, but for a collection that is deleted.
pub(super) fn check_slice(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    let (judged, what) = match attributes.operation {
        Operation::Create => (object, "create"),
        Operation::Delete => (attributes.old, "delete"),
        Operation::Update | Operation::Connect => return Ok(()),
    };
    if judged.is_none_or(|slice| slice.str_at(&["spec", "nodeName"]) == Some(node)) {
        return Ok(());
    }
    Err(format!("can only {what} ResourceSlice with the same NodeName as the requesting node"))
}

pub(super) fn check_request(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    let Some(object) = object.filter(|_| attributes.operation == Operation::Create) else { return Ok(()) };
    let request: CertificateSigningRequest = object.typed().map_err(|error| error.to_string())?;
    if !SIGNERS.contains(&request.spec.signer_name.as_str()) {
        return Ok(());
    }
    let name = certificate_signing_request::common_name(&request.spec.request.0)
        .map_err(|why| format!("unable to parse csr: {why}"))?;
    if name == format!("system:node:{node}") {
        return Ok(());
    }
    Err(format!("can only create a node CSR with CN=system:node:{node}"))
}

pub(super) fn check_claim(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    let (Some(old), Some(new)) = (attributes.old, object) else { return Err("may only update PVC status".into()) };
    if attributes.subresource() != "status" || attributes.operation != Operation::Update {
        return Err("may only update PVC status".into());
    }
    if rest(old) == rest(new) {
        return Ok(());
    }
    Err(format!("node {node:?} is not allowed to update fields other than status.quantity and status.conditions"))
}

/// A claim without what a kubelet may change.
fn rest(claim: &Object) -> Value {
    let mut claim = claim.clone();
    for path in GROWN.iter().chain(&WRITTEN) {
        claim.remove_at(path);
    }
    claim.into_value()
}
