//! Keeps what is served in step with the definitions, as this server's cache shows them: the table of kinds, the
//! caches of objects, and the definitions' own conditions. With several servers each follows for itself.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use nakhoda_api::kinds::apiextensions::{CustomResourceDefinition, CustomResourceDefinitionNames};
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use nakhoda_daemon::Tasks;
use nakhoda_store::cache::{EventKind, Filter, Item, Start, WatchItem, WatchRequest};
use parking_lot::Mutex;

use super::names::intern;
use super::{cleanup, conditions, definition};
use crate::kinds::apiextensions::custom_resource_definition::is_true;
use crate::pipeline::Pipeline;
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};
use crate::response::{Answer, Response};

/// Between two attempts to watch a cache that refused, or to write a status.
const AGAIN: Duration = Duration::from_millis(200);
/// How long a new resource waits for its cache.
const FILLING: Duration = Duration::from_secs(1);

/// The resource of the definitions.
#[allow(non_snake_case, reason = "a constant that allocates")]
pub(crate) fn DEFINITIONS() -> GroupVersionResource {
    GroupVersionResource::new("apiextensions.k8s.io", "v1", "customresourcedefinitions")
}

/// What is known of the definitions.
struct Follower {
    pipeline: Pipeline,
    tasks: Tasks,
    definitions: BTreeMap<String, CustomResourceDefinition>,
    served: BTreeMap<String, Served>,
    cleaning: Arc<Mutex<HashSet<String>>>,
}

/// What was served for a definition, and of what it was made.
struct Served {
    resources: Vec<GroupVersionResource>,
    storage: &'static str,
    made_of: MadeOf,
}

#[derive(PartialEq)]
struct MadeOf {
    spec: nakhoda_api::kinds::apiextensions::CustomResourceDefinitionSpec,
    accepted: CustomResourceDefinitionNames,
    terminating: bool,
}

/// Serves what is defined now, and follows from there.
pub async fn start(pipeline: &Pipeline, tasks: &Tasks) {
    let filled = Arc::new(tokio::sync::Notify::new());
    let follower = Follower {
        pipeline: pipeline.clone(),
        tasks: tasks.clone(),
        definitions: BTreeMap::new(),
        served: BTreeMap::new(),
        cleaning: Arc::default(),
    };
    tasks.spawn("custom resources", follower.run(filled.clone()));
    filled.notified().await;
}

// === impl Follower ===

impl Follower {
    async fn run(mut self, filled: Arc<tokio::sync::Notify>) {
        loop {
            if let Err(error) = self.session(&filled).await {
                tracing::warn!(%error, "the watch of definitions was refused");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn session(&mut self, filled: &tokio::sync::Notify) -> Result<(), nakhoda_store::Error> {
        let kind = self.pipeline.kinds().get(&DEFINITIONS()).expect("definitions are a built-in kind");
        let cache = self.pipeline.storage().cache(&kind.info);
        cache.ready().await;
        let snapshot = cache.snapshot();
        let told: HashSet<String> = snapshot.walk(None, None).map(|item| item.name().to_owned()).collect();
        let gone: Vec<String> = self.definitions.keys().filter(|name| !told.contains(*name)).cloned().collect();
        for name in gone {
            self.forget(&name).await;
        }
        for item in snapshot.walk(None, None) {
            self.learn(item).await;
        }
        let request = WatchRequest {
            start: Start::After(snapshot.revision()),
            filter: Filter::all(),
            bookmarks: None,
            initial_events_end: false,
        };
        let mut watcher = cache.watch(request).await?;
        filled.notify_one();
        while let Some(Ok(item)) = watcher.next().await {
            let WatchItem::Notice(notice) = item else { continue };
            if notice.kind == EventKind::Deleted {
                self.forget(notice.item.name()).await;
            } else {
                self.learn(&notice.item).await;
            }
        }
        Ok(())
    }

    async fn learn(&mut self, item: &Item) {
        let crd: CustomResourceDefinition = match serde_json::from_slice(item.json()) {
            Ok(crd) => crd,
            Err(error) => {
                return tracing::warn!(name = item.name(), %error, "a stored definition does not fit its type");
            }
        };
        let name = item.name().to_owned();
        self.definitions.insert(name.clone(), crd);
        self.settle(&name).await;
    }

    async fn forget(&mut self, name: &str) {
        let Some(crd) = self.definitions.remove(name) else { return };
        self.withdraw(name);
        // its names are free now
        let group: Vec<String> =
            self.definitions.iter().filter(|(_, o)| o.spec.group == crd.spec.group).map(|(n, _)| n.clone()).collect();
        for name in group {
            self.settle(&name).await;
        }
    }

    /// Serves a definition as far as its names are accepted, tells so in its status, and begins its end.
    async fn settle(&mut self, name: &str) {
        let Some(crd) = self.definitions.get(name) else { return };
        let others: Vec<_> = self
            .definitions
            .iter()
            .filter(|(other, o)| *other != name && o.spec.group == crd.spec.group)
            .map(|(_, other)| other)
            .collect();
        let status = conditions::plan(crd, &others, self.pipeline.now());
        let mut planned = crd.clone();
        let changed = planned.status.as_ref() != Some(&status);
        planned.status = Some(status);
        if is_true(&planned, "Established") {
            // first served, then told: who is told that it is established finds it
            self.serve(name, &planned).await;
        }
        if planned.metadata.deletion_timestamp.is_some() {
            self.clean(name);
        } else if changed {
            self.tell(name, planned).await;
        }
    }

    /// Writes the status, and keeps it in mind: the next definition of the group is judged before the cache shows it.
    async fn tell(&mut self, name: &str, planned: CustomResourceDefinition) {
        match write(&self.pipeline, &planned).await {
            Ok(crd) => drop(self.definitions.insert(name.to_owned(), crd)),
            // who changed it in between makes this come again
            Err(status) if status.is(Reason::Conflict) || status.is(Reason::NotFound) => {}
            Err(status) => tracing::warn!(name, error = %status, "the status of a definition was not written"),
        }
    }

    async fn serve(&mut self, name: &str, crd: &CustomResourceDefinition) {
        let accepted = crd.status.as_ref().and_then(|status| status.accepted_names.clone()).unwrap_or_default();
        let made_of = MadeOf { spec: crd.spec.clone(), accepted, terminating: is_true(crd, "Terminating") };
        let old = self.served.get(name);
        if old.is_some_and(|old| old.made_of == made_of) {
            return;
        }
        let storage = intern(&definition::storage(crd));
        let mut kinds = definition::served(crd, &made_of.accepted, &self.pipeline);
        // what is built in stays what it is
        kinds.retain(|kind| {
            self.pipeline.kinds().get(&kind.info.gvr()).is_none_or(|known| known.info.storage == storage)
        });
        let resources: Vec<_> = kinds.iter().map(|kind| kind.info.gvr()).collect();
        let reads_alike = old.is_some_and(|old| old.made_of.spec == made_of.spec);
        let gone = old.map(|old| old.resources.clone()).unwrap_or_default();
        if let (None, Some(cache)) = (old, self.pipeline.storage().prepare(&kinds)) {
            // The history begins before the first object can be written. Where that takes too long, it begins later,
            // and a watch from before it lists anew.
            let _ = tokio::time::timeout(FILLING, cache.ready()).await;
        }
        self.pipeline.kinds().change(&gone, &kinds);
        if !reads_alike && old.is_some() {
            self.pipeline.storage().close(storage);
        }
        if let Some(kind) = kinds.first() {
            // begins to fill before anybody asks
            let _ = self.pipeline.storage().cache(&kind.info);
        }
        self.served.insert(name.to_owned(), Served { resources, storage, made_of });
    }

    fn withdraw(&mut self, name: &str) {
        if let Some(served) = self.served.remove(name) {
            self.pipeline.kinds().change(&served.resources, &[]);
            self.pipeline.storage().close(served.storage);
        }
    }

    fn clean(&self, name: &str) {
        if !self.cleaning.lock().insert(name.to_owned()) {
            return;
        }
        let (pipeline, cleaning, name) = (self.pipeline.clone(), self.cleaning.clone(), name.to_owned());
        self.tasks.spawn(format!("cleanup of {name}"), async move {
            cleanup::run(pipeline, name.clone()).await;
            cleaning.lock().remove(&name);
        });
    }
}

/// Writes the status of a definition as it was read.
pub(crate) async fn write(
    pipeline: &Pipeline,
    crd: &CustomResourceDefinition,
) -> Result<CustomResourceDefinition, Status> {
    let name = crd.metadata.name.clone().unwrap_or_default();
    let object = Object::from_typed(crd).map_err(|error| Status::internal(&error))?;
    let target = ResourceTarget { gvr: DEFINITIONS(), name, subresource: "status".into(), ..ResourceTarget::default() };
    let write = Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() };
    read(&pipeline.internal(target, Action::Update(write)).await?)
}

/// A definition as the store has it.
pub(crate) async fn fresh(pipeline: &Pipeline, name: &str) -> Result<Option<CustomResourceDefinition>, Status> {
    let target = ResourceTarget { gvr: DEFINITIONS(), name: name.into(), ..ResourceTarget::default() };
    match pipeline.internal(target, Action::Get { resource_version: String::new() }).await {
        Ok(response) => read(&response).map(Some),
        Err(status) if status.is(Reason::NotFound) => Ok(None),
        Err(status) => Err(status),
    }
}

fn read(response: &Response) -> Result<CustomResourceDefinition, Status> {
    match &response.answer {
        Answer::Item { item, .. } => serde_json::from_slice(item.json()).map_err(|error| Status::internal(&error)),
        Answer::Object { object, .. } => object.typed().map_err(|error| Status::internal(&error)),
        _ => Err(Status::failure(500, Reason::InternalError, "a definition was expected")),
    }
}
