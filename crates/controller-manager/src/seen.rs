//! [`Seen`]: whether the cache shows what was last written. A plan made from an older state would count
//! things twice.

use std::collections::HashMap;

use nakhoda_client::{Key, Resource};
use parking_lot::Mutex;

/// The revisions of the last writes, by key.
#[derive(Debug, Default)]
pub struct Seen {
    written: Mutex<HashMap<Key, u64>>,
}

// === impl Seen ===

impl Seen {
    /// The object was written, and this came back.
    pub fn wrote<K: Resource>(&self, object: &K) {
        self.written.lock().insert(Key::of(object), revision(object));
    }

    /// Whether a cached object is the one last written, or a later one.
    pub fn shows<K: Resource>(&self, object: &K) -> bool {
        self.written.lock().get(&Key::of(object)).is_none_or(|written| revision(object) >= *written)
    }

    /// The object is gone.
    pub fn forget(&self, key: &Key) {
        self.written.lock().remove(key);
    }
}

/// The revision of an object: all are on one number line.
pub fn revision<K: Resource>(object: &K) -> u64 {
    object.metadata().resource_version.as_ref().and_then(|v| v.parse().ok()).unwrap_or_default()
}
