//! `pods/eviction`: a deletion that says why, in the condition `DisruptionTarget`.
//!
//! Absent: disruption budgets. There is no such kind yet, so nothing holds an eviction up.

use futures::future::BoxFuture;
use nakhoda_api::kinds::meta::DeleteOptions;
use nakhoda_api::{GroupVersionKind, Object, Reason, Status, time};
use serde_json::{Value, json};

use super::Handler;
use crate::admission::{Attributes, Operation};
use crate::request::{Action, Write, WriteOptions};
use crate::response::{Answer, Response};
use crate::verb::update::{Mode, change};
use crate::verb::{Call, body, delete};

/// The handler.
pub struct Eviction;

impl Handler for Eviction {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Create(write) => evict(call, write).await,
                _ => Err(call.unsupported("eviction")),
            }
        })
    }
}

async fn evict(call: &Call, write: Write) -> Result<Response, Status> {
    let gvk = GroupVersionKind::new("policy", "v1", "Eviction");
    let given = body::read(&write.body, &gvk, write.options.validation)?;
    if given.object.name() != call.target.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let asked = asked(&given.object)?;
    let dry_run = write.options.dry_run || asked.dry_run.as_ref().is_some_and(|values| !values.is_empty());
    let options = WriteOptions { dry_run, ..write.options };
    let attributes = Attributes { call, operation: Operation::Create, old: None, dry_run };
    call.pipeline.admission().validate(&attributes, Some(&given.object)).await?;
    let make = |pod: Option<&Object>| mark(call, pod, &asked);
    let mut on_status = call.on(&call.kind, call.namespace(), &call.target.name);
    on_status.target.subresource = "status".into();
    change(&on_status, &make, Mode::Raw, &options).await?;
    let pod = call.on(&call.kind, call.namespace(), &call.target.name);
    match delete::one(&pod, &asked, &options).await {
        Err(status) if !status.is(Reason::NotFound) => return Err(status),
        _ => {}
    }
    let done = Status { code: 201, ..Status::success(None) };
    Ok(Response { answer: Answer::Status(Box::new(done)), warnings: given.warnings })
}

fn asked(eviction: &Object) -> Result<DeleteOptions, Status> {
    match eviction.at(&["deleteOptions"]) {
        None => Ok(DeleteOptions::default()),
        Some(value) => serde_json::from_value(value.clone())
            .map_err(|error| Status::bad_request(format!("deleteOptions: {error}"))),
    }
}

/// The pod with the condition that tells why it goes.
fn mark(call: &Call, pod: Option<&Object>, asked: &DeleteOptions) -> Result<Object, Status> {
    let mut pod = pod.ok_or_else(|| call.not_found())?.clone();
    if let Some(uid) = asked.preconditions.as_ref().and_then(|p| p.uid.as_deref()) {
        pod.set_meta("uid", uid);
    }
    match asked.preconditions.as_ref().and_then(|p| p.resource_version.as_deref()) {
        Some(version) => pod.set_meta("resourceVersion", version),
        None => {
            pod.remove_meta("resourceVersion");
        }
    }
    let mut conditions = pod.at(&["status", "conditions"]).and_then(Value::as_array).cloned().unwrap_or_default();
    conditions.retain(|condition| condition["type"] != "DisruptionTarget");
    conditions.push(json!({
        "type": "DisruptionTarget", "status": "True", "lastProbeTime": null,
        "lastTransitionTime": time::now_rfc3339(call.now),
        "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
    }));
    pod.set_at(&["status", "conditions"], conditions.into());
    Ok(pod)
}
