//! A watch of every resource that can be deleted, of its metadata alone.
//!
//! Events are left out: they own nothing and nobody owns them.

use std::collections::BTreeMap;
use std::sync::Arc;

use nakhoda_api::status::chain;
use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_client::runtime::watcher::{Event, Watcher};
use nakhoda_client::{Client, Key, Queue, Selection};
use nakhoda_daemon::Tasks;
use parking_lot::{Mutex, RwLock};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::graph::{Known, Work};
use crate::context::Context;
use crate::served::Served;

/// The resources that are served now.
pub type Resources = Arc<RwLock<Vec<Served>>>;

/// The watches.
pub struct Monitors {
    client: Client,
    tasks: Tasks,
    graph: Shared,
    queue: Queue<Key>,
    served: Resources,
    running: Mutex<BTreeMap<GroupVersionResource, Monitor>>,
}

struct Monitor {
    tasks: Tasks,
    /// Cancelled once its state was read.
    synced: CancellationToken,
}

// === impl Monitors ===

impl Monitors {
    /// None yet.
    #[must_use]
    pub fn new(cx: &Context, graph: Shared, queue: Queue<Key>) -> Self {
        let (client, tasks) = (cx.informers.client().clone(), cx.tasks.clone());
        Self { client, tasks, graph, queue, served: Resources::default(), running: Mutex::default() }
    }

    /// The resources that are served, as last seen.
    #[must_use]
    pub fn served(&self) -> Resources {
        self.served.clone()
    }

    /// Starts watches of new resources and stops those of resources that are served no longer.
    pub async fn refresh(&self) {
        let served = match self.client.discover().await {
            Ok(document) => Served::all(&document),
            Err(error) => return tracing::warn!(error = chain(&error), "no discovery; the watches stay as they are"),
        };
        if served.is_empty() {
            return;
        }
        let wanted = served.iter().filter(|s| s.can(&["delete", "list", "watch"]) && s.gvr.resource != "events");
        let wanted: Vec<GroupVersionResource> = wanted.map(|s| s.gvr.clone()).collect();
        *self.served.write() = served;
        let mut running = self.running.lock();
        running.retain(|gvr, monitor| {
            let stays = wanted.contains(gvr);
            if !stays {
                monitor.tasks.stop();
                monitor.synced.cancel();
            }
            stays
        });
        for gvr in wanted {
            running.entry(gvr.clone()).or_insert_with(|| self.watch(gvr));
        }
    }

    /// Waits until every watch has told its state.
    pub async fn synced(&self) {
        let all: Vec<_> = self.running.lock().values().map(|m| m.synced.clone()).collect();
        for synced in all {
            synced.cancelled().await;
        }
    }

    fn watch(&self, gvr: GroupVersionResource) -> Monitor {
        let synced = CancellationToken::new();
        let (tasks, graph, queue) = (self.tasks.child(), self.graph.clone(), self.queue.clone());
        let watcher = Watcher::new(self.client.dynamic(&gvr, None).metadata_only(), Selection::default());
        tasks.spawn(format!("garbage collector watches {}", gvr.resource), follow(gvr, watcher, graph, queue, synced.clone()));
        Monitor { tasks, synced }
    }
}

async fn follow(
    gvr: GroupVersionResource,
    mut watcher: Watcher<Object>,
    graph: Shared,
    queue: Queue<Key>,
    synced: CancellationToken,
) {
    loop {
        let event = match watcher.next().await {
            Ok(event) => event,
            Err(error) => {
                tracing::debug!(resource = gvr.resource, error = chain(&error), "watch failed; trying again");
                continue;
            }
        };
        let complete = matches!(event, Event::Replaced(_));
        let work: Vec<Work> = match event {
            Event::Replaced(all) => {
                let all = all.iter().map(|o| Known::of(&gvr, o)).collect();
                graph.lock().replace(&gvr, all)
            }
            Event::Applied(object) => graph.lock().apply(Known::of(&gvr, &object)),
            Event::Deleted(object) => graph.lock().remove(object.uid()),
        };
        if complete {
            tracing::debug!(resource = gvr.resource, to_check = work.len(), "state read");
        }
        work.iter().for_each(|w| queue.add(w.key()));
        if complete {
            synced.cancel();
        }
    }
}
