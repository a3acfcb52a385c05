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
//! A watch that loses events (etcd 3.4 may, when starved) shows itself, too: a revision is left out, or `R`
//! never comes. The hub then opens its watch anew at its progress, and if that is no help lists everything.
//!
//! **Lists** walk a [`Snapshot`] of a persistent map without a lock. **Watchers** get changes from a bounded
//! queue each; one that is too slow is closed alone. History lies in a ring bounded in bytes. A cache never
//! goes back in revision.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::Error;

pub mod about;
pub mod caches;
pub mod event;
pub mod filter;
pub mod item;
pub mod settings;
pub mod shape;
pub mod snapshot;
pub mod watcher;

mod dispatch;
mod fill;
mod fresh;
mod history;
mod hub;
mod pins;
mod progress;
mod queue;
mod resource;
mod ring;

pub use about::{About, Names};
pub use caches::Caches;
pub use event::{Event, EventKind};
pub use filter::{Filter, Matches};
pub use item::{Draft, Encodings, Form, Item};
pub use settings::Settings;
pub use shape::{Paths, Shape};
pub use snapshot::{Page, Snapshot};
pub use watcher::{Ended, Notice, Start, WatchItem, WatchRequest, Watcher};

use hub::Hub;
use resource::Resource;

/// The cache of one resource. Cheap to clone.
#[derive(Clone)]
pub struct Cache {
    resource: Arc<Resource>,
    hub: Arc<Hub>,
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
        let revision = self.hub.revision().await?;
        let end = Instant::now() + self.hub.settings.fresh_within;
        loop {
            if let Ok(snapshot) = tokio::time::timeout(self.hub.settings.stalled_after, self.reached(revision)).await {
                return Ok(snapshot);
            }
            if Instant::now() >= end {
                return Err(Error::TimedOut);
            }
            self.hub.stalled(revision);
        }
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

    /// The first key that begins so and holds what cannot be shown, and why: no snapshot has it.
    #[must_use]
    pub fn unreadable(&self, from: &str) -> Option<(Arc<str>, Arc<str>)> {
        self.resource.unreadable(from)
    }

    /// Keeps a snapshot for the next pages of its list.
    pub fn keep(&self, snapshot: &Snapshot) {
        self.resource.keep(snapshot, &self.hub.settings);
    }

    /// Follows changes. Waits for the cache to be filled; a revision that lies ahead is waited for by the watch itself. If
    /// the history does not go back so far, that is the first thing that the watcher tells ([`Ended::Expired`]).
    pub async fn watch(&self, request: WatchRequest) -> Result<Watcher, Error> {
        self.resource.ready().await;
        if matches!(request.start, Start::After(revision) if revision < self.resource.history_start()) {
            self.hub.recovery.settled().await;
        }
        Ok(Watcher::start(self.resource.clone(), self.hub.clone(), request))
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
