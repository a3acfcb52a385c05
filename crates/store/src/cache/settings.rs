//! The bounds of the caches.

use std::time::Duration;

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
    /// The highest revision that is known to have been given out before: a store below it is not served.
    pub floor: u64,
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
            floor: 0,
        }
    }
}
