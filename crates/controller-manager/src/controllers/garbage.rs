//! The garbage collector: what has lost all its owners goes, and an owner that waits for its dependents
//! (foreground) or lets them go (orphan) is served.
//!
//! The graph is fed by a watch of the metadata of every resource that can be deleted, custom ones too. It only proposes: before anything
//! is deleted, the object and each owner that the graph does not know are read live, and the delete
//! names UID and revision.

use std::sync::Arc;
use std::time::Duration;

use nakhoda_client::{Key, Outcome, Queue, Reconcile, Result, controller};
use parking_lot::Mutex;

use crate::context::Context;

pub mod act;
pub mod graph;
pub mod monitor;

use act::Actor;
use graph::{Graph, Work};
use monitor::Monitors;

const NAME: &str = "garbage-collector";
const WORKERS: usize = 10;
/// How often new resources are looked for.
const DISCOVERY: Duration = Duration::from_secs(30);

/// How long a start may wait for the state of all resources.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is known, shared by watches and workers.
pub type Shared = Arc<Mutex<Graph>>;

/// Starts the controller.
pub fn start(cx: &Context) {
    let (graph, queue) = (Shared::default(), Queue::metered(cx.meters.of(NAME)));
    let monitors = Monitors::new(cx, graph.clone(), queue.clone());
    let collector = Collector { actor: Actor::new(cx, graph.clone(), monitors.served()), graph, queue: queue.clone() };
    let tasks = cx.tasks.clone();
    cx.tasks.spawn("garbage collector", async move {
        monitors.refresh().await;
        if tokio::time::timeout(PATIENCE, monitors.synced()).await.is_err() {
            tracing::warn!("some resources cannot be watched; their objects are read live");
        }
        tracing::debug!("the graph is complete");
        controller::run(&tasks, queue, WORKERS, Arc::new(collector));
        loop {
            tokio::time::sleep(DISCOVERY).await;
            monitors.refresh().await;
        }
    });
}

struct Collector {
    actor: Actor,
    graph: Shared,
    queue: Queue<Key>,
}

// === impl Collector ===

impl Reconcile for Collector {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let work = Work::of(key);
        let Some(object) = self.graph.lock().get(work.uid()).cloned() else { return Ok(Outcome::Done) };
        let outcome = match work {
            Work::Orphan(_) => self.actor.orphan_dependents(&object).await,
            Work::Check(_) => self.actor.check(&object).await,
        };
        match outcome {
            // It changed or went meanwhile; the watch will tell, but not if the cache was ahead.
            Err(error) if error.is_conflict() || error.is_not_found() => {
                self.queue.add_backoff(key.clone());
                Ok(Outcome::Done)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(Outcome::Done),
        }
    }
}
