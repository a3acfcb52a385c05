//! Snapshots kept so that the pages of one list share a revision.
//!
//! A kept snapshot costs what was superseded since: structure and items that are still current are shared.
//! So the bound is on the bytes superseded since the oldest pin, plus whatever was listed for a pin alone.

use std::collections::VecDeque;
use std::time::Instant;

use super::snapshot::Snapshot;

#[derive(Debug, Default)]
pub(crate) struct Pins {
    kept: VecDeque<Pin>,
    superseded: u64,
}

#[derive(Debug)]
struct Pin {
    snapshot: Snapshot,
    until: Instant,
    superseded: u64,
    own: u64,
}

// === impl Pins ===

impl Pins {
    pub(crate) fn get(&self, revision: u64) -> Option<&Snapshot> {
        self.kept.iter().map(|pin| &pin.snapshot).find(|snapshot| snapshot.revision() == revision)
    }

    /// Keeps a snapshot that holds `own` bytes no other does, unless its revision is kept already.
    pub(crate) fn keep(&mut self, snapshot: &Snapshot, own: u64, until: Instant) {
        if self.get(snapshot.revision()).is_none() {
            self.kept.push_back(Pin { snapshot: snapshot.clone(), until, superseded: self.superseded, own });
        }
    }

    /// So many bytes of the current state were replaced.
    pub(crate) const fn supersede(&mut self, bytes: u64) {
        self.superseded += bytes;
    }

    /// Lets go of what is over, then of the oldest until the rest is small enough. The last one may be large.
    pub(crate) fn trim(&mut self, now: Instant, bytes: u64) {
        self.kept.retain(|pin| pin.until > now);
        while self.kept.len() > 1 && self.held() > bytes {
            self.kept.pop_front();
        }
    }

    fn held(&self) -> u64 {
        let own: u64 = self.kept.iter().map(|pin| pin.own).sum();
        own + self.kept.front().map_or(0, |oldest| self.superseded - oldest.superseded)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn snapshot(revision: u64) -> Snapshot {
        Snapshot { revision, state: Arc::default() }
    }

    #[test]
    fn pins_end_by_age_and_by_weight() {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        let mut pins = Pins::default();
        pins.keep(&snapshot(1), 0, now + minute);
        pins.supersede(100);
        pins.keep(&snapshot(2), 30, now + 3 * minute);
        pins.trim(now, 130);
        assert!(pins.get(1).is_some() && pins.get(2).is_some());
        pins.trim(now, 129);
        assert!(pins.get(1).is_none(), "the oldest goes first");
        pins.trim(now, 0);
        assert!(pins.get(2).is_some(), "the last one stays");
        pins.trim(now + 3 * minute, 0);
        assert!(pins.get(2).is_none());
    }
}
