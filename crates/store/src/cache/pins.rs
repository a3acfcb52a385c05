//! Snapshots kept so that the pages of one list share a revision.
//!
//! A kept snapshot costs what was superseded since: structure and items that are still current are shared.
//! So the bound is on the bytes superseded since the oldest pin, plus whatever was listed for a pin alone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::snapshot::Snapshot;

#[derive(Debug, Default)]
pub(crate) struct Pins {
    kept: VecDeque<Pin>,
    superseded: u64,
}

#[derive(Debug)]
struct Pin {
    snapshot: Snapshot,
    since: Instant,
    superseded: u64,
    own: u64,
}

// === impl Pins ===

impl Pins {
    pub(crate) fn get(&self, revision: u64) -> Option<&Snapshot> {
        self.kept.iter().map(|pin| &pin.snapshot).find(|snapshot| snapshot.revision() == revision)
    }

    /// Keeps a snapshot that holds `own` bytes no other does.
    pub(crate) fn keep(&mut self, snapshot: &Snapshot, own: u64, now: Instant) {
        if self.get(snapshot.revision()).is_none() {
            self.kept.push_back(Pin { snapshot: snapshot.clone(), since: now, superseded: self.superseded, own });
        }
    }

    /// So many bytes of the current state were replaced.
    pub(crate) const fn supersede(&mut self, bytes: u64) {
        self.superseded += bytes;
    }

    /// Lets go of the oldest until the rest is young and small enough.
    pub(crate) fn trim(&mut self, now: Instant, age: Duration, bytes: u64) {
        while let Some(oldest) = self.kept.front() {
            let own: u64 = self.kept.iter().map(|pin| pin.own).sum();
            let held = self.superseded - oldest.superseded + own;
            if now.duration_since(oldest.since) <= age && (held <= bytes || self.kept.len() == 1) {
                return;
            }
            self.kept.pop_front();
        }
    }
}
