//! Which pods a kubelet may write, and for which it may ask tokens.

use nakhoda_api::kinds::core::Pod;
use nakhoda_api::Object;
use serde_json::Value;

use super::super::{Attributes, Operation};

const MIRROR: &str = "kubernetes.io/config.mirror";

pub(super) fn check(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    match (attributes.subresource(), attributes.operation) {
        ("", Operation::Create) => object.map_or(Ok(()), |pod| check_mirror(pod, node)),
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

fn check_mirror(pod: &Object, node: &str) -> Result<(), String> {
    if !pod.annotations().any(|(key, _)| key == MIRROR) {
        return Err(format!("pod does not have {MIRROR:?} annotation, node {node:?} can only create mirror pods"));
    }
    if pod.str_at(&["spec", "nodeName"]) != Some(node) {
        return Err(format!("node {node:?} can only create pods with spec.nodeName set to itself"));
    }
    let owners = pod.at(&["metadata", "ownerReferences"]).and_then(Value::as_array).cloned().unwrap_or_default();
    match owners.as_slice() {
        [owner] if owner["kind"] == "Node" && owner["apiVersion"] == "v1" && owner["name"] == node => {
            if owner["controller"] == true {
                Ok(())
            } else {
                Err(format!("node {node:?} can only create pods with a controller owner reference set to itself"))
            }
        }
        _ => Err(format!("node {node:?} can only create pods with an owner reference set to itself")),
    }
}

fn check_status(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    let (Some(old), Some(new)) = (attributes.old, object) else { return Ok(()) };
    if old.str_at(&["spec", "nodeName"]) != Some(node) {
        return Err(format!("node {node:?} can only update pod status for pods with spec.nodeName set to itself"));
    }
    let labels = |object: &Object| object.at(&["metadata", "labels"]).cloned();
    if labels(old) == labels(new) { Ok(()) } else { Err(format!("node {node:?} cannot update labels through pod status")) }
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
    if pod.spec.and_then(|spec| spec.node_name).as_deref() == Some(node) {
        Ok(())
    } else {
        Err("node requested token bound to a pod scheduled on a different node".into())
    }
}
