//! Which pods a kubelet may write, and for which it may ask tokens.

use nakhoda_api::Object;
use nakhoda_api::kinds::core::{Node, Pod};
use serde_json::Value;

use super::super::{Attributes, Operation};
use super::{audience, references};

const MIRROR: &str = "kubernetes.io/config.mirror";

pub(super) fn check(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    match (attributes.subresource(), attributes.operation) {
        ("", Operation::Create) => object.map_or(Ok(()), |pod| check_mirror(attributes, pod, node)),
        ("", Operation::Delete) => own(attributes, node, "delete pods"),
        ("", _) => Err(format!("unexpected operation, node {node:?} can only create and delete mirror pods")),
        ("status", Operation::Update) => check_status(attributes, object, node),
        ("eviction", Operation::Create) => own(attributes, node, "evict pods"),
        ("status" | "eviction", _) => Err("unexpected operation".into()),
        (other, _) => Err(format!("unexpected pod subresource {other:?}, only 'status' and 'eviction' are allowed")),
    }
}

fn own(attributes: &Attributes<'_>, node: &str, what: &str) -> Result<(), String> {
    let call = attributes.call;
    let named = match attributes.old {
        Some(old) => old.str_at(&["spec", "nodeName"]).map(str::to_owned),
        None => call.pipeline.storage().get::<Pod>(call.namespace(), &call.target.name).and_then(|pod| pod.spec?.node_name),
    };
    if named.as_deref() == Some(node) {
        return Ok(());
    }
    Err(format!("node {node:?} can only {what} with spec.nodeName set to itself"))
}

fn check_mirror(attributes: &Attributes<'_>, pod: &Object, node: &str) -> Result<(), String> {
    if !pod.annotations().any(|(key, _)| key == MIRROR) {
        return Err(format!("pod does not have {MIRROR:?} annotation, node {node:?} can only create mirror pods"));
    }
    if pod.str_at(&["spec", "nodeName"]) != Some(node) {
        return Err(format!("node {node:?} can only create pods with spec.nodeName set to itself"));
    }
    let owners = pod.at(&["metadata", "ownerReferences"]).and_then(Value::as_array).cloned().unwrap_or_default();
    match owners.as_slice() {
        [owner] => check_owner(attributes, owner, node)?,
        [] => return Err(format!("node {node:?} can only create pods with an owner reference set to itself")),
        _ => return Err(format!("node {node:?} can only create pods with a single owner reference set to itself")),
    }
    match references::first(pod) {
        Some(what) => Err(format!("node {node:?} can not create pods that reference {what}")),
        None => Ok(()),
    }
}

/// A mirror pod goes with its node, and never keeps it.
fn check_owner(attributes: &Attributes<'_>, owner: &Value, node: &str) -> Result<(), String> {
    if owner["kind"] != "Node" || owner["apiVersion"] != "v1" || owner["name"] != node {
        return Err(format!("node {node:?} can only create pods with an owner reference set to itself"));
    }
    if owner["controller"] != true {
        return Err(format!("node {node:?} can only create pods with a controller owner reference set to itself"));
    }
    if owner["blockOwnerDeletion"] == true {
        return Err(format!("node {node:?} must not set blockOwnerDeletion on an owner reference"));
    }
    let object = attributes.call.pipeline.storage().get::<Node>("", node);
    let Some(object) = object else { return Err(format!("nodes {node:?} not found")) };
    let (expected, got) = (object.metadata.uid.unwrap_or_default(), owner["uid"].as_str().unwrap_or_default());
    if expected == got { Ok(()) } else { Err(format!("node {node} UID mismatch: expected {got} got {expected}")) }
}

fn check_status(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    let (Some(old), Some(new)) = (attributes.old, object) else { return Ok(()) };
    if old.str_at(&["spec", "nodeName"]) != Some(node) {
        return Err(format!("node {node:?} can only update pod status for pods with spec.nodeName set to itself"));
    }
    let fields: [(&[&str], &str); 3] = [
        (&["metadata", "labels"], "labels through pod status"),
        // by the claims that are named here a node comes to read them
        (&["status", "resourceClaimStatuses"], "resource claim statues"),
        (&["status", "extendedResourceClaimStatus"], "extended resource claim status"),
    ];
    match fields.iter().find(|(path, _)| old.at(path) != new.at(path)) {
        Some((_, what)) => Err(format!("node {node:?} cannot update {what}")),
        None => Ok(()),
    }
}

pub(super) fn check_token(attributes: &Attributes<'_>, request: Option<&Object>, node: &str) -> Result<(), String> {
    let Some(request) = request else { return Ok(()) };
    let bound = |field: &str| request.str_at(&["spec", "boundObjectRef", field]).unwrap_or_default();
    if bound("apiVersion") != "v1" || bound("kind") != "Pod" || bound("name").is_empty() {
        return Err("node requested token not bound to a pod".into());
    }
    if bound("uid").is_empty() {
        return Err("node requested token with a pod binding without a uid".into());
    }
    let call = attributes.call;
    let pod = call.pipeline.storage().get::<Pod>(call.namespace(), bound("name"));
    let Some(pod) = pod else { return Err(format!("pods {:?} not found", bound("name"))) };
    if pod.metadata.uid.as_deref() != Some(bound("uid")) {
        return Err(format!(
            "the UID in the bound object reference ({}) does not match the UID in record. The object might have been deleted and then recreated",
            bound("uid")
        ));
    }
    if pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) != Some(node) {
        return Err("node requested token bound to a pod scheduled on a different node".into());
    }
    audience::check(attributes, request, &pod)
}
