//! The end of a definition: all objects go, then the finalizer (`pkg/controller/finalizer`).

use std::time::Duration;

use futures::StreamExt;
use nakhoda_api::kinds::apiextensions::{CustomResourceDefinition, CustomResourceDefinitionCondition};
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use nakhoda_store::cache::{Filter, Start, WatchRequest};

use super::conditions::{set, told};
use super::follow::{DEFINITIONS, write};
use crate::kinds::apiextensions::custom_resource_definition::{FINALIZER, is_established};
use crate::pipeline::Pipeline;
use crate::request::{Action, Body, Deletion, ListOptions, ResourceTarget, Write, WriteOptions};

/// Between two attempts when something was in the way.
const AGAIN: Duration = Duration::from_secs(1);
/// How long to wait for the objects' finalizers before their deletion is asked for again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs until the definition is gone.
pub async fn run(pipeline: Pipeline, name: String) {
    loop {
        match step(&pipeline, &name).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(status) if status.is(Reason::Conflict) => {}
            Err(status) => {
                tracing::warn!(definition = name, error = %status, "cleaning up, trying again");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// One attempt: true once there is nothing left to do.
async fn step(pipeline: &Pipeline, name: &str) -> Result<bool, Status> {
    let Some(crd) = super::follow::fresh(pipeline, name).await? else { return Ok(true) };
    let finalizers = crd.metadata.finalizers.clone().unwrap_or_default();
    if crd.metadata.deletion_timestamp.is_none() || !finalizers.iter().any(|f| f == FINALIZER) {
        return Ok(true);
    }
    let progress = told("Terminating", "True", "InstanceDeletionInProgress", "CustomResource deletion is in progress");
    let crd = tell(pipeline, crd, progress).await?;
    let outcome = if is_established(&crd) {
        if !empty(pipeline, &crd).await? {
            return Ok(false);
        }
        told("Terminating", "False", "InstanceDeletionCompleted", "removed all instances")
    } else {
        told("Terminating", "False", "NeverEstablished", "resource was never established")
    };
    let mut crd = tell(pipeline, crd, outcome).await?;
    crd.metadata.finalizers = Some(finalizers.into_iter().filter(|f| f != FINALIZER).collect());
    let target = ResourceTarget { gvr: DEFINITIONS(), name: name.into(), ..ResourceTarget::default() };
    let object = Object::from_typed(&crd).map_err(|error| Status::internal(&error))?;
    let body = Body::Object(Box::new(object));
    let write = Write { body, options: WriteOptions::default() };
    match pipeline.internal(target, Action::Update(write)).await {
        Ok(_) => Ok(true),
        Err(status) if status.is(Reason::NotFound) => Ok(true),
        Err(status) => Err(status),
    }
}

async fn tell(
    pipeline: &Pipeline,
    mut crd: CustomResourceDefinition,
    condition: CustomResourceDefinitionCondition,
) -> Result<CustomResourceDefinition, Status> {
    let mut status = crd.status.clone().unwrap_or_default();
    set(&mut status, condition, pipeline.now());
    if crd.status.as_ref() == Some(&status) {
        return Ok(crd);
    }
    crd.status = Some(status);
    write(pipeline, &crd).await
}

/// Deletes all objects; true once there are none.
async fn empty(pipeline: &Pipeline, crd: &CustomResourceDefinition) -> Result<bool, Status> {
    let Some(version) = crd.spec.versions.iter().find(|version| version.served) else { return Ok(true) };
    let gvr = GroupVersionResource::new(&*crd.spec.group, &*version.name, &*crd.spec.names.plural);
    let Some(kind) = pipeline.kinds().get(&gvr) else { return Ok(true) };
    let cache = pipeline.storage().cache(&kind.info);
    let failed = |error: nakhoda_store::Error| Status::internal(&error);
    let all = cache.fresh().await.map_err(failed)?;
    if all.is_empty() {
        return Ok(true);
    }
    let request = WatchRequest {
        start: Start::After(all.revision()),
        filter: Filter::all(),
        bookmarks: None,
        initial_events_end: false,
    };
    let mut watcher = cache.watch(request).await.map_err(failed)?;
    let mut namespaces: Vec<&str> = all.walk(None, None).map(|item| item.namespace()).collect();
    namespaces.dedup();
    for namespace in namespaces {
        let target = ResourceTarget { gvr: gvr.clone(), namespace: namespace.into(), ..ResourceTarget::default() };
        let deletion = Deletion { body: None, options: WriteOptions::default() };
        pipeline.internal(target, Action::DeleteCollection(deletion, ListOptions::default())).await?;
    }
    let gone = async {
        while !cache.fresh().await.is_ok_and(|now| now.is_empty()) {
            if watcher.next().await.is_none() {
                break;
            }
        }
    };
    // whether in time or not, the next step looks again
    let _ = tokio::time::timeout(PATIENCE, gone).await;
    Ok(false)
}
