//! Keeps the APIServices of this server, follows those of others, and asks these whether they are there.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use nakhoda_api::kinds::apiregistration::{APIService, APIServiceCondition};
use nakhoda_api::kinds::core::Service;
use nakhoda_api::kinds::meta::Time;
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use nakhoda_daemon::Tasks;
use nakhoda_store::cache::{EventKind, Filter, Start, WatchItem, WatchRequest};
use serde_json::{Value, json};

use super::{Aggregation, Backend, local, proxy};
use crate::pipeline::Pipeline;
use crate::request::{Action, Body, Deletion, ResourceTarget, Write, WriteOptions};

/// Between two attempts at what failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How often a server that answers is asked again, and one that does not.
const SOUND: Duration = Duration::from_secs(30);
const SICK: Duration = Duration::from_secs(2);

/// Starts both.
pub fn start(aggregation: &Aggregation, pipeline: &Pipeline, tasks: &Tasks) {
    tasks.spawn("local API services", register(pipeline.clone()));
    tasks.spawn("API services", follow(aggregation.clone(), pipeline.clone(), tasks.clone()));
}

fn target(name: &str, subresource: &str) -> ResourceTarget {
    ResourceTarget {
        gvr: GroupVersionResource::new("apiregistration.k8s.io", "v1", "apiservices"),
        name: name.into(),
        subresource: subresource.into(),
        ..ResourceTarget::default()
    }
}

/// Lists what is served here, whenever that changes.
async fn register(pipeline: Pipeline) {
    let mut changes = pipeline.kinds().changes();
    loop {
        if let Err(status) = keep(&pipeline).await {
            tracing::warn!(error = %status, "local API services, trying again");
            tokio::time::sleep(AGAIN).await;
            continue;
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

async fn keep(pipeline: &Pipeline) -> Result<(), Status> {
    let wanted = local::plan(pipeline.kinds(), pipeline.now());
    let names: HashSet<&str> = wanted.iter().filter_map(|service| service["metadata"]["name"].as_str()).collect();
    let known: Vec<APIService> = pipeline.storage().list(None);
    for service in &wanted {
        let name = service["metadata"]["name"].as_str().unwrap_or_default();
        if known.iter().all(|known| known.metadata.name.as_deref() != Some(name)) {
            make(pipeline, service).await?;
        }
    }
    for service in known {
        let name = service.metadata.name.unwrap_or_default();
        let own = service.metadata.labels.is_some_and(|labels| labels.get(local::LABEL).is_some_and(|v| v == "true"));
        if own && !names.contains(&*name) {
            let deletion = Deletion { body: None, options: WriteOptions::default() };
            match pipeline.internal(target(&name, ""), Action::Delete(deletion)).await {
                Err(status) if !status.is(Reason::NotFound) => return Err(status),
                _ => {}
            }
        }
    }
    Ok(())
}

async fn make(pipeline: &Pipeline, service: &Value) -> Result<(), Status> {
    let object = Object::from_value(service.clone()).map_err(|error| Status::internal(&error))?;
    let write = Write { body: Body::Object(Box::new(object.clone())), options: WriteOptions::default() };
    match pipeline.internal(target("", ""), Action::Create(write)).await {
        Ok(_) => {}
        Err(status) if status.is(Reason::AlreadyExists) => return Ok(()),
        Err(status) => return Err(status),
    }
    let patch = json!({"status": service["status"]});
    let write = crate::request::PatchWrite {
        kind: nakhoda_api::patch::PatchKind::Merge,
        bytes: patch.to_string().into(),
        force: false,
        options: WriteOptions::default(),
    };
    pipeline.internal(target(object.name(), "status"), Action::Patch(write)).await.map(drop)
}

/// Knows those that other servers serve, and asks each of them.
async fn follow(aggregation: Aggregation, pipeline: Pipeline, tasks: Tasks) {
    loop {
        let gvr = target("", "").gvr;
        let Some(kind) = pipeline.kinds().get(&gvr) else { return };
        let cache = pipeline.storage().cache(&kind.info);
        cache.ready().await;
        let request = WatchRequest {
            start: Start::Initial(cache.snapshot()),
            filter: Filter::all(),
            bookmarks: None,
            initial_events_end: false,
        };
        if let Ok(mut watcher) = cache.watch(request).await {
            while let Some(Ok(item)) = watcher.next().await {
                let WatchItem::Notice(notice) = item else { continue };
                let name = notice.item.name();
                let service: Option<APIService> = serde_json::from_slice(notice.item.json()).ok();
                let remote = service.filter(|s| s.spec.as_ref().is_some_and(|spec| spec.service.is_some()));
                match remote.filter(|_| notice.kind != EventKind::Deleted) {
                    None => aggregation.remove(name),
                    Some(service) => learn(&aggregation, service, &pipeline, &tasks),
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn learn(aggregation: &Aggregation, service: APIService, pipeline: &Pipeline, tasks: &Tasks) {
    let (group, version) = super::key(&service);
    let known = aggregation.backend(&group, &version);
    if known.is_some_and(|known| known.service.spec == service.spec) {
        return;
    }
    aggregation.put(&service);
    if let Some(backend) = aggregation.backend(&group, &version) {
        let name = service.metadata.name.unwrap_or_default();
        tasks.spawn(format!("availability of {name}"), ask(aggregation.clone(), pipeline.clone(), backend, name));
    }
}

/// Asks for as long as the APIService is as it is.
async fn ask(aggregation: Aggregation, pipeline: Pipeline, backend: Arc<Backend>, name: String) {
    let (group, version) = super::key(&backend.service);
    let current = || aggregation.backend(&group, &version).is_some_and(|now| Arc::ptr_eq(&now, &backend));
    while current() {
        let found = check(&aggregation, &pipeline, &backend).await;
        let sound = found.status == "True";
        if let Err(status) = tell(&pipeline, &name, found).await {
            tracing::debug!(name, error = %status, "the availability of an API service was not written");
        }
        tokio::time::sleep(if sound { SOUND } else { SICK }).await;
    }
}

async fn check(aggregation: &Aggregation, pipeline: &Pipeline, backend: &Backend) -> APIServiceCondition {
    let spec = backend.service.spec.clone().unwrap_or_default();
    let reference = spec.service.unwrap_or_default();
    let (namespace, name) = (reference.namespace.unwrap_or_default(), reference.name.unwrap_or_default());
    let (group, version) = super::key(&backend.service);
    if pipeline.storage().get::<Service>(&namespace, &name).is_none() {
        let why = format!("service/{name} in {namespace:?} is not present");
        return condition("False", "ServiceNotFound", why);
    }
    let path = format!("/apis/{group}/{version}");
    match proxy::get(aggregation, pipeline, backend, &path, "application/json").await {
        Ok(bytes) => {
            backend.discovery.store(Arc::new(serde_json::from_slice(&bytes).unwrap_or_default()));
            condition("True", "Passed", "all checks passed".into())
        }
        Err(status) => {
            let at = format!("https://{name}.{namespace}.svc:{}{path}", reference.port.unwrap_or(443));
            let why = format!("failing or missing response from {at}: {}", status.message);
            condition("False", "FailedDiscoveryCheck", why)
        }
    }
}

fn condition(status: &str, reason: &str, message: String) -> APIServiceCondition {
    APIServiceCondition {
        type_: "Available".into(),
        status: status.into(),
        reason: Some(reason.into()),
        message: Some(message),
        last_transition_time: None,
    }
}

async fn tell(pipeline: &Pipeline, name: &str, mut found: APIServiceCondition) -> Result<(), Status> {
    let Some(mut service) = pipeline.storage().get::<APIService>("", name) else { return Ok(()) };
    let conditions = service.status.get_or_insert_default().conditions.get_or_insert_default();
    let old = conditions.iter().find(|old| old.type_ == found.type_).cloned();
    let same = old.as_ref().is_some_and(|old| old.status == found.status);
    found.last_transition_time = old
        .as_ref()
        .and_then(|old| old.last_transition_time.clone())
        .filter(|_| same)
        .or_else(|| Some(Time(pipeline.now())));
    if old.as_ref() == Some(&found) {
        return Ok(());
    }
    conditions.retain(|old| old.type_ != found.type_);
    conditions.push(found);
    let object = Object::from_typed(&service).map_err(|error| Status::internal(&error))?;
    let write = Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() };
    match pipeline.internal(target(name, "status"), Action::Update(write)).await {
        Err(status) if !status.is(Reason::Conflict) => Err(status),
        _ => Ok(()),
    }
}
