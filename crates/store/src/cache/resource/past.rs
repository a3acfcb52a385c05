//! The past: states kept for the pages of a list or listed from the store, and history from before the start.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Resource;
use crate::cache::Settings;
use crate::cache::ring::Ring;
use crate::cache::snapshot::{Snapshot, State};
use crate::error::Error;
use crate::store::Store;

// === impl Resource ===

impl Resource {
    /// Keeps a snapshot for the next pages of its list.
    pub(crate) fn keep(&self, snapshot: &Snapshot, settings: &Settings) {
        self.pin(snapshot, 0, settings.pinned_for, settings);
    }

    /// Keeps a snapshot that holds `own` bytes beyond the current state.
    fn pin(&self, snapshot: &Snapshot, own: u64, at_most: Duration, settings: &Settings) {
        let now = Instant::now();
        let mut pins = self.pins.lock();
        pins.keep(snapshot, own, now + at_most);
        pins.trim(now, settings.pinned_bytes as u64);
    }

    /// Lets go of history and snapshots that are too old.
    pub(crate) fn trim(&self, now: Instant, settings: &Settings) {
        self.pins.lock().trim(now, settings.pinned_bytes as u64);
        if let Some(since) = now.checked_sub(settings.ring_for) {
            self.inner.lock().ring.trim(since);
        }
    }

    fn kept(&self, revision: u64) -> Option<Snapshot> {
        self.pins.lock().get(revision).cloned()
    }

    /// A snapshot at exactly this revision: kept, or listed from the store and kept.
    pub(crate) async fn at(&self, store: &dyn Store, revision: u64, settings: &Settings) -> Result<Snapshot, Error> {
        if let Some(snapshot) = self.kept(revision) {
            return Ok(snapshot);
        }
        let _one_at_a_time = self.exact.lock().await;
        if let Some(snapshot) = self.kept(revision) {
            return Ok(snapshot);
        }
        let (map, _) = self.list(store, Some(revision)).await?;
        let own = map.values().map(|item| item.weight() as u64).sum();
        let state = Arc::new(State { map, revision, live: false, hot: self.hot.clone() });
        let snapshot = Snapshot { revision, state };
        // Not for long: how long a revision can be had is the store's to say.
        self.pin(&snapshot, own, settings.pinned_for / 10, settings);
        Ok(snapshot)
    }

    /// The revision before which nothing is known.
    pub(crate) fn history_start(&self) -> u64 {
        self.inner.lock().ring.start()
    }

    /// Takes the history up to `until`, unless ours starts elsewhere by now.
    pub(crate) fn adopt(&self, older: Ring, until: u64) {
        let mut inner = self.inner.lock();
        if inner.ring.start() == until {
            inner.ring.adopt(older, self.ring_bytes);
        }
    }
}
