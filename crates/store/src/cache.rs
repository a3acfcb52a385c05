//! The watch cache: answers every read, and tells every watcher, from one watch of the store.
//!
//! **One watch for all resources.** A [`Caches`] follows the *whole* key space of the store by a single
//! watch and hands each change to the [`Cache`] of its prefix. That is what makes consistent reads sound
//! without progress notifications (which etcd gets wrong before 3.4.31 and 3.5.13):
//!
//! - Each revision of the store is made by a transaction that changed at least one key: puts, deletes and
//!   lease expiries do; grants, keep-alives and compactions make none.
//! - The watch is over all keys, so each revision after its start arrives as at least one event, whoever
//!   wrote it; revisions arrive in order, and whole.
//! - So once an event of revision `R` was handed on, every cache has seen all of its own changes up to `R`.
//!   The highest such `R` is the *progress*, one number for all caches.
//! - A linearizable read of the store's revision that was *begun* after a request arrived yields an `R` at or
//!   above every write answered before the request. The event of `R` is then certain to come. When
//!   progress has reached `R`, the cache answers what the store itself would have.
//!
//! A watch that loses events (etcd 3.4 may, when starved) shows itself in that `R` never comes: the hub
//! then opens its watch anew at its progress, and if that does not help lists everything again.
//!
//! **Lists** walk a [`Snapshot`] of a persistent map without a lock. **Watchers** get changes from a bounded
//! queue each; one that is too slow is closed alone. History lies in a ring bounded in bytes. A cache never
//! goes back in revision.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nakhoda_daemon::Tasks;

use crate::error::Error;
use crate::store::Store;

pub mod event;
pub mod filter;
pub mod item;
pub mod shape;
pub mod snapshot;
pub mod watcher;

mod dispatch;
mod fill;
mod fresh;
mod hub;
mod pins;
mod progress;
mod queue;
mod resource;
mod ring;

pub use event::{Event, EventKind};
pub use filter::{Filter, Matches};
pub use item::{About, Draft, Encodings, Form, Item, Pairs};
pub use shape::{Paths, Shape};
pub use snapshot::{Page, Snapshot};
pub use watcher::{Ended, Notice, Start, WatchItem, WatchRequest, Watcher};

use hub::Hub;
use resource::Resource;

/// The bounds of the caches.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes of history per resource.
    pub ring_bytes: usize,
    /// How old history may become.
    pub ring_for: Duration,
    /// Events that may wait for one watcher.
    pub queue_events: usize,
    /// Bytes that may wait for one watcher.
    pub queue_bytes: usize,
    /// Bytes that kept snapshots may hold beyond the current state, per resource.
    pub pinned_bytes: usize,
    /// How long a snapshot is kept for the next page.
    pub pinned_for: Duration,
    /// How long a consistent read waits for the cache.
    pub fresh_within: Duration,
    /// How long the watch may lag behind a revision known to exist before it is opened anew.
    pub stalled_after: Duration,
}

/// The caches of all resources of one store. Cheap to clone.
#[derive(Clone)]
pub struct Caches {
    hub: Arc<Hub>,
}

/// The cache of one resource. Cheap to clone.
#[derive(Clone)]
pub struct Cache {
    resource: Arc<Resource>,
    hub: Arc<Hub>,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_bytes: 16 << 20,
            ring_for: Duration::from_secs(600),
            queue_events: 4096,
            queue_bytes: 8 << 20,
            pinned_bytes: 64 << 20,
            pinned_for: Duration::from_secs(300),
            fresh_within: Duration::from_secs(10),
            stalled_after: Duration::from_secs(2),
        }
    }
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

    /// Waits until all caches opened so far are filled.
    pub async fn ready(&self) {
        let all: HashMap<_, _> = (*self.hub.registry.all()).clone();
        for resource in all.values() {
            resource.ready().await;
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
        self.hub.fresh.revision().await
    }
}

// === impl Cache ===

impl Cache {
    /// The prefix of its keys.
    #[must_use]
    pub fn prefix(&self) -> &Bytes {
        &self.resource.prefix
    }

    /// The store's key of an object.
    #[must_use]
    pub fn key(&self, key: &str) -> Bytes {
        [&self.resource.prefix[..], key.as_bytes()].concat().into()
    }

    /// Waits until the cache is filled.
    pub async fn ready(&self) {
        self.resource.ready().await;
    }

    /// What the cache holds now, complete as of the snapshot's revision, which may be behind the store.
    /// Empty before [`Cache::ready`].
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.resource.snapshot(self.hub.progress.reached())
    }

    /// What the store holds: everything answered before this call is in it.
    pub async fn fresh(&self) -> Result<Snapshot, Error> {
        let revision = self.hub.fresh.revision().await?;
        self.reach(revision).await.map_err(|error| match error {
            Error::Future { .. } => Error::TimedOut,
            other => other,
        })
    }

    /// A snapshot at `revision` or later, waiting for it at most so long: [`Error::Future`] if it does not come.
    pub async fn wait_for(&self, revision: u64, at_most: Duration) -> Result<Snapshot, Error> {
        let ahead = |_| Error::Future { requested: revision, current: self.snapshot().revision() };
        tokio::time::timeout(at_most, self.reached(revision)).await.map_err(ahead)
    }

    /// The objects as of exactly this revision: kept for an earlier page, or listed from the store.
    /// [`Error::Compacted`] if neither has it any more. Later pages at this revision will find it kept.
    pub async fn at(&self, revision: u64) -> Result<Snapshot, Error> {
        let now = self.snapshot();
        if now.revision == revision {
            self.keep(&now);
            return Ok(now);
        }
        self.resource.at(&*self.hub.store, revision, &self.hub.settings).await
    }

    /// Keeps a snapshot for the next pages of its list.
    pub fn keep(&self, snapshot: &Snapshot) {
        self.resource.keep(snapshot, &self.hub.settings);
    }

    /// Follows changes. Waits for the cache to be filled and to have reached the revision to start after.
    pub async fn watch(&self, request: WatchRequest) -> Result<Watcher, Error> {
        self.resource.ready().await;
        if let Start::After(revision) = request.start {
            self.wait_for(revision, self.hub.settings.stalled_after + Duration::from_secs(1)).await?;
        }
        Watcher::start(self.resource.clone(), self.hub.clone(), request)
    }

    async fn reach(&self, revision: u64) -> Result<Snapshot, Error> {
        let settings = &self.hub.settings;
        if let Ok(snapshot) = tokio::time::timeout(settings.stalled_after, self.reached(revision)).await {
            return Ok(snapshot);
        }
        self.hub.stalled(revision);
        self.wait_for(revision, settings.fresh_within.saturating_sub(settings.stalled_after)).await
    }

    async fn reached(&self, revision: u64) -> Snapshot {
        loop {
            let snapshot = self.snapshot();
            if snapshot.state.live && snapshot.revision >= revision {
                return snapshot;
            }
            if snapshot.state.live {
                self.hub.progress.reach(revision).await;
            } else {
                self.resource.ready().await;
            }
        }
    }
}
