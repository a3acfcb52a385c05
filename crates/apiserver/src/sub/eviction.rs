//! `pods/eviction`: a deletion that the pod's disruption budget has to grant, and that says why, in the
//! condition `DisruptionTarget`.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::DeleteOptions;
use nakhoda_api::wire::Media;
use nakhoda_api::{GroupVersionKind, Object, Reason, Status, time};
use serde_json::{Value, json};

use super::Handler;
use crate::admission::{Attributes, Operation};
use crate::request::{Action, Body, Write, WriteOptions};
use crate::response::{Answer, Response};
use crate::verb::update::{Mode, change, fresh};
use crate::verb::{Call, body, delete};

mod budget;

use budget::Grant;

/// So often a pod may change while it is evicted.
const ATTEMPTS: usize = 20;

/// The handler.
pub struct Eviction;

/// Why a pod may go, and so in which state.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Because {
    /// Whatever it is now.
    Asked,
    /// As it is: it has not begun.
    Pending,
    /// As it is: it is unhealthy, and this budget lets such pods go.
    Unhealthy(String),
}

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
    let given = body::read(&renewed(&write.body), &gvk, write.options.validation)?;
    if given.object.name() != call.target.name {
        return Err(Status::bad_request("name in URL does not match name in Eviction object"));
    }
    let asked = asked(&given.object)?;
    let dry_run = write.options.dry_run || asked.dry_run.as_ref().is_some_and(|values| !values.is_empty());
    let options = WriteOptions { dry_run, ..write.options };
    let attributes = Attributes { call, operation: Operation::Create, old: None, dry_run };
    call.pipeline.admission().validate(&attributes, Some(&given.object)).await?;
    let mut tries = 0..ATTEMPTS;
    loop {
        tries.next();
        let (asked, because) = permitted(call, asked.clone(), &options).await?;
        match (remove(call, &asked, &options).await, because) {
            (Err(status), Because::Pending) if status.is(Reason::Conflict) && !tries.is_empty() => {}
            (Err(status), Because::Unhealthy(budget)) if status.is(Reason::Conflict) => {
                return Err(budget::in_progress(&budget));
            }
            (removed, _) => break removed?,
        }
    }
    let done = Status { code: 201, ..Status::success(None) };
    Ok(Response { answer: Answer::Status(Box::new(done)), warnings: given.warnings })
}

/// The body in today's version: the one before had the same fields, and is still taken.
fn renewed(body: &Body) -> Body {
    let old = |bytes: &[u8]| Object::from_json(bytes).ok().filter(|object| object.api_version() == "policy/v1beta1");
    match body {
        Body::Bytes { media: Media::Json, bytes } => old(bytes).map_or_else(
            || body.clone(),
            |mut object| {
                object.set_at(&["apiVersion"], "policy/v1".into());
                Body::Bytes { media: Media::Json, bytes: object.to_json().into() }
            },
        ),
        other => other.clone(),
    }
}

/// What may be deleted: as asked, or a pod only as it is now, unless the caller has named a version.
async fn permitted(
    call: &Call,
    asked: DeleteOptions,
    options: &WriteOptions,
) -> Result<(DeleteOptions, Because), Status> {
    let item = fresh(call).await?.ok_or_else(|| call.not_found())?;
    let pod: Pod = serde_json::from_slice(item.json()).map_err(|error| Status::internal(&error))?;
    delete::preconditions(call, &Object::from_json(item.json()).map_err(|error| Status::internal(&error))?, &asked)?;
    if asked.preconditions.as_ref().is_some_and(|p| p.resource_version.is_some()) {
        if !needs_no_budget(&pod) {
            budget::grant(call, &pod, options).await?;
        }
        return Ok((asked, Because::Asked));
    }
    let because = match needs_no_budget(&pod) {
        true if is_pending(&pod) && pod.metadata.deletion_timestamp.is_none() => Because::Pending,
        true => Because::Asked,
        false => match budget::grant(call, &pod, options).await? {
            Grant::Free => Because::Asked,
            Grant::AsItIs(budget) => Because::Unhealthy(budget),
        },
    };
    let mut asked = asked;
    if because != Because::Asked {
        asked.preconditions.get_or_insert_default().resource_version = pod.metadata.resource_version;
    }
    Ok((asked, because))
}

/// One that has ended, has not begun, or is going anyway.
fn needs_no_budget(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed")) || is_pending(pod) || pod.metadata.deletion_timestamp.is_some()
}

fn is_pending(pod: &Pod) -> bool {
    pod.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Pending")
}

/// Marks the pod and deletes it.
async fn remove(call: &Call, asked: &DeleteOptions, options: &WriteOptions) -> Result<(), Status> {
    let mut asked = asked.clone();
    let make = |pod: Option<&Object>| mark(call, pod, &asked);
    let mut on_status = call.on(&call.kind, call.namespace(), &call.target.name);
    on_status.target.subresource = "status".into();
    let marked = change(&on_status, &make, Mode::Raw, options).await?;
    if let Some(preconditions) = &mut asked.preconditions
        && preconditions.resource_version.is_some()
    {
        // The mark has made a new version of it.
        preconditions.resource_version = marked.version();
    }
    let pod = call.on(&call.kind, call.namespace(), &call.target.name);
    match delete::one(&pod, &asked, options).await {
        Err(status) if !status.is(Reason::NotFound) => Err(status),
        _ => Ok(()),
    }
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

#[cfg(test)]
mod tests;
