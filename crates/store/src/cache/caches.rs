//! [`Caches`]: all that follows one store.

use std::sync::Arc;

use bytes::Bytes;
use nakhoda_daemon::Tasks;

use super::hub::Hub;
use super::resource::Resource;
use super::settings::Settings;
use super::shape::Shape;
use super::{Cache, fill, history};
use crate::error::Error;
use crate::store::Store;

/// The caches of all resources of one store. Cheap to clone.
#[derive(Clone)]
pub struct Caches {
    hub: Arc<Hub>,
}

// === impl Caches ===

impl Caches {
    /// Starts following a store.
    #[must_use]
    pub fn start(store: Arc<dyn Store>, tasks: Tasks, settings: Settings) -> Self {
        Self { hub: Hub::start(store, tasks, settings) }
    }

    /// The cache of all keys under `prefix`, which ends with `/`. It begins to fill at once. There is one
    /// cache per prefix: opened again, it is the same one, and `shape` is not used.
    #[must_use]
    pub fn open(&self, prefix: &str, shape: Arc<dyn Shape>) -> Cache {
        let prefix = Bytes::copy_from_slice(prefix.as_bytes());
        let (resource, new) = self.hub.registry.open(prefix, shape, &self.hub.settings);
        if new {
            fill::spawn(&self.hub, resource.clone());
        }
        Cache { resource, hub: self.hub.clone() }
    }

    /// Forgets the cache of a prefix; its watchers end. Do so when a resource is served no more.
    pub fn close(&self, prefix: &str) {
        self.hub.registry.close(prefix.as_bytes());
    }

    /// Waits until all caches opened so far are filled. The first time, they then begin to recover what history the
    /// store still has, for which a watch waits that needs it: so open first all that is served, then wait, then serve.
    pub async fn ready(&self) {
        for resource in self.hub.registry.all().values() {
            resource.ready().await;
        }
        if self.hub.recovery.begin() {
            let hub = self.hub.clone();
            self.hub.tasks.spawn("cache history", async move {
                history::recover(&hub).await;
                hub.recovery.end();
            });
        }
    }

    /// Reads again those resources in which something could not be read: the way values are read has changed.
    pub fn reread(&self) {
        let reached = self.hub.progress.reached();
        let lacking = |resource: &&Arc<Resource>| resource.unreadable("").is_some();
        for resource in self.hub.registry.all().values().filter(lacking) {
            if resource.freeze(reached) {
                fill::spawn(&self.hub, resource.clone());
            }
        }
    }

    /// The revision up to which all caches have seen everything.
    #[must_use]
    pub fn progress(&self) -> u64 {
        self.hub.progress.reached()
    }

    /// A revision at or above every write answered before this call, from a linearizable read begun after it.
    /// One read serves all who ask at the same time. It is also the health check of the store.
    pub async fn revision(&self) -> Result<u64, Error> {
        self.hub.revision().await
    }
}
