//! `pods/binding`, and the older `bindings` of a namespace: gives a pod its node, once.

use futures::future::BoxFuture;
use nakhoda_api::{Reason, GroupResource, GroupVersionKind, GroupVersionResource, Object, Status, time};
use serde_json::{Value, json};

use super::Handler;
use crate::admission::{Attributes, Operation};
use crate::request::{Action, Write};
use crate::response::{Answer, Response};
use crate::verb::update::{Mode, change};
use crate::verb::{Call, body, meta};

/// The handler.
pub struct Binding;

impl Handler for Binding {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Create(write) => bind(call, write).await,
                _ => Err(call.unsupported("binding")),
            }
        })
    }
}

/// Binds the pod that the call or the Binding names.
pub async fn bind(call: &Call, write: Write) -> Result<Response, Status> {
    let gvk = GroupVersionKind::new("", "v1", "Binding");
    let given = body::read(&write.body, &gvk, write.options.validation)?;
    let mut binding = given.object;
    let pods = GroupVersionResource::new("", "v1", "pods");
    let Some(kind) = call.pipeline.kinds().get(&pods) else { return Err(Status::no_such_path()) };
    let mut on_pod = call.on(&kind, &call.target.namespace, &call.target.name);
    on_pod.target.subresource = "binding".into();
    if on_pod.target.name.is_empty() {
        on_pod.target.name = binding.name().into();
    }
    check(&binding, &on_pod.target.name)?;
    let attributes =
        Attributes { call: &on_pod, operation: Operation::Create, old: None, dry_run: write.options.dry_run };
    call.pipeline.admission().mutate(&attributes, &mut binding).await?;
    call.pipeline.admission().validate(&attributes, Some(&binding)).await?;
    let make = |pod: Option<&Object>| assign(&on_pod, pod, &binding);
    change(&on_pod, &make, Mode::Raw, &write.options).await?;
    let done = Status::success(None);
    Ok(Response { answer: Answer::Status(Box::new(Status { code: 201, ..done })), warnings: given.warnings })
}

fn check(binding: &Object, name: &str) -> Result<(), Status> {
    if binding.name() != name {
        return Err(Status::bad_request("name in URL does not match name in Binding object"));
    }
    let kind = binding.str_at(&["target", "kind"]).unwrap_or_default();
    if !kind.is_empty() && kind != "Node" {
        return Err(Status::failure(500, Reason::Unknown, format!(
            "target.kind: Unsupported value: \"{kind}\": supported values: \"Node\", \"<empty>\""
        )));
    }
    if binding.str_at(&["target", "name"]).is_none() {
        return Err(Status::failure(500, Reason::Unknown, "target.name: Required value"));
    }
    Ok(())
}

/// The pod on its node; 409 if it has one, is going, or is held back.
fn assign(call: &Call, pod: Option<&Object>, binding: &Object) -> Result<Object, Status> {
    let pod = pod.ok_or_else(|| call.not_found())?;
    let name = pod.name();
    let refuse = |why: String| Err(Status::conflict(&GroupResource::new("", "pods/binding"), name, &why));
    if pod.is_terminating() {
        return refuse(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    if let Some(node) = pod.str_at(&["spec", "nodeName"]) {
        return refuse(format!("pod {name} is already assigned to node {node:?}"));
    }
    if pod.at(&["spec", "schedulingGates"]).and_then(Value::as_array).is_some_and(|gates| !gates.is_empty()) {
        return refuse(format!("pod {name} has non-empty .spec.schedulingGates"));
    }
    let mut pod = pod.clone();
    pod.set_at(&["spec", "nodeName"], binding.str_at(&["target", "name"]).unwrap_or_default().into());
    pod.remove_at(&["status", "nominatedNodeName"]);
    for (key, value) in binding.annotations() {
        pod.set_at(&["metadata", "annotations", key], value.into());
    }
    for (key, value) in binding.labels() {
        pod.set_at(&["metadata", "labels", key], value.into());
    }
    mark_scheduled(&mut pod, call.now);
    meta::condition(&mut pod, binding);
    Ok(pod)
}

fn mark_scheduled(pod: &mut Object, now: jiff::Timestamp) {
    let mut conditions = pod.at(&["status", "conditions"]).and_then(Value::as_array).cloned().unwrap_or_default();
    let before = conditions.iter().position(|c| c["type"] == "PodScheduled");
    let was_true = before.is_some_and(|at| conditions[at]["status"] == "True");
    let changed = match before {
        Some(at) if was_true => conditions[at]["lastTransitionTime"].clone(),
        _ => time::now_rfc3339(now).into(),
    };
    let scheduled = json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": changed,
    });
    match before {
        Some(at) => conditions[at] = scheduled,
        None => conditions.push(scheduled),
    }
    pod.set_at(&["status", "conditions"], conditions.into());
}
