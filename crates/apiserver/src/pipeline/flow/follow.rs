//! Keeps the levels as the objects say, the objects' status as it is, and the seeds where they belong.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::{BoxStream, SelectAll};
use jiff::Timestamp;
use nakhoda_api::kinds::flowcontrol::{FlowSchema, PriorityLevelConfiguration};
use nakhoda_api::{GroupVersionResource, Object, Reason, Status, time};
use nakhoda_daemon::Tasks;
use nakhoda_store::cache::{Filter, Start, WatchRequest};
use serde_json::{Value, json};

use super::shares;
use crate::bootstrap::flow;
use crate::pipeline::Pipeline;
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};

const GROUP: &str = "flowcontrol.apiserver.k8s.io";
/// Between two looks whether the seeds are as they should be.
const MEND: Duration = Duration::from_secs(60);
/// Between two attempts to follow the objects.
const AGAIN: Duration = Duration::from_millis(500);

/// Starts following.
pub fn start(pipeline: &Pipeline, tasks: &Tasks) {
    let pipeline = pipeline.clone();
    tasks.spawn("flow control", async move {
        let (mut lend, mut mend) = (tokio::time::interval(shares::PERIOD), tokio::time::interval(MEND));
        loop {
            let mut changes = changes(&pipeline).await;
            loop {
                take(&pipeline).await;
                tokio::select! {
                    change = changes.next() => if change.is_none() { break },
                    _ = lend.tick() => pipeline.flow().lend(),
                    _ = mend.tick() => told(flow::ensure(&pipeline).await),
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    });
}

/// A word for every change of a schema or a level. It ends when one of the watches does.
async fn changes(pipeline: &Pipeline) -> SelectAll<BoxStream<'static, ()>> {
    let mut all = SelectAll::new();
    for resource in ["flowschemas", "prioritylevelconfigurations"] {
        let Some(kind) = pipeline.kinds().get(&resource_of(resource)) else { continue };
        let cache = pipeline.storage().cache(&kind.info);
        cache.ready().await;
        let request = WatchRequest {
            start: Start::Initial(cache.snapshot()),
            filter: Filter::all(),
            bookmarks: None,
            initial_events_end: false,
        };
        match cache.watch(request).await {
            Ok(watcher) => all.push(watcher.take_while(|item| std::future::ready(item.is_ok())).map(drop).boxed()),
            Err(error) => tracing::warn!(error = nakhoda_api::status::chain(&error), resource, "cannot be followed"),
        }
    }
    all
}

/// Sets the levels, and marks the schemas.
async fn take(pipeline: &Pipeline) {
    let storage = pipeline.storage();
    let (schemas, levels) = (storage.list::<FlowSchema>(None), storage.list::<PriorityLevelConfiguration>(None));
    pipeline.flow().configure(&schemas, &levels);
    for schema in &schemas {
        if let Some(marked) = marked(schema, &levels, pipeline.now()) {
            told(write(pipeline, marked).await);
        }
    }
}

fn told(done: Result<(), Status>) {
    if let Err(status) = done {
        tracing::debug!(error = %status, "flow control, trying again later");
    }
}

/// The schema with a status that tells whether its level exists, if it tells something else.
fn marked(schema: &FlowSchema, levels: &[PriorityLevelConfiguration], now: Timestamp) -> Option<Value> {
    let level = &schema.spec.priority_level_configuration.name;
    let exists = levels.iter().any(|l| l.metadata.name.as_deref() == Some(level));
    let (status, reason, fact) =
        if exists { ("False", "Found", "it exists") } else { ("True", "NotFound", "there is no such object") };
    let word = if exists { "and" } else { "but" };
    let message =
        format!("This FlowSchema references the PriorityLevelConfiguration object named \"{level}\" {word} {fact}");
    let conditions = schema.status.as_ref().and_then(|status| status.conditions.as_ref());
    let said = conditions.into_iter().flatten().find(|condition| condition.type_ == "Dangling");
    let same = said.is_some_and(|said| {
        said.status.as_deref() == Some(status)
            && said.reason.as_deref() == Some(reason)
            && said.message.as_deref() == Some(&message)
    });
    if same {
        return None;
    }
    let condition = json!({
        "type": "Dangling", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": time::now_rfc3339(now),
    });
    let others = conditions.into_iter().flatten().filter(|condition| condition.type_ != "Dangling");
    let mut all: Vec<Value> = others.filter_map(|condition| serde_json::to_value(condition).ok()).collect();
    all.push(condition);
    let mut value = serde_json::to_value(schema).ok()?;
    value["status"] = json!({"conditions": all});
    Some(value)
}

async fn write(pipeline: &Pipeline, value: Value) -> Result<(), Status> {
    let object = Object::from_value(value).map_err(|error| Status::internal(&error))?;
    let target = ResourceTarget {
        gvr: resource_of("flowschemas"),
        name: object.name().into(),
        subresource: "status".into(),
        ..ResourceTarget::default()
    };
    let write = Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() };
    match pipeline.internal(target, Action::Update(write)).await {
        // it was changed, and so comes again
        Err(status) if status.is(Reason::Conflict) || status.is(Reason::NotFound) => Ok(()),
        other => other.map(drop),
    }
}

fn resource_of(plural: &str) -> GroupVersionResource {
    GroupVersionResource::new(GROUP, "v1", plural)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_marked_once_and_again_when_its_level_goes() {
        let now = Timestamp::UNIX_EPOCH;
        let schema = flow::mandatory_schema("catch-all").expect("a seed");
        let value = marked(&schema, flow::levels(), now).expect("no status yet");
        assert_eq!(value["status"]["conditions"][0]["reason"], "Found");
        let schema: FlowSchema = serde_json::from_value(value).expect("a schema");
        assert_eq!(marked(&schema, flow::levels(), now), None);
        assert_eq!(marked(&schema, &[], now).expect("changed")["status"]["conditions"][0]["status"], "True");
    }
}
