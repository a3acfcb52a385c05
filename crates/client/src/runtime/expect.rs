//! [`Ledger`]: what a controller has asked for and its cache has not shown yet. While something is
//! owed, the controller must not count what it sees, or it would create twice.
//!
//! What is owed for longer than five minutes is written off: the cache must have missed it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::key::Key;

const WRITTEN_OFF: Duration = Duration::from_secs(300);

/// Creations and deletions in flight, by the key of the object that asked for them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    owed: Arc<Mutex<HashMap<Key, Owed>>>,
}

#[derive(Debug)]
struct Owed {
    creations: usize,
    deletions: HashSet<String>,
    since: Instant,
}

// === impl Ledger ===

impl Ledger {
    /// So many creations are about to be asked for.
    pub fn expect_creations(&self, key: &Key, count: usize) {
        self.with(key, |owed| owed.creations += count);
    }

    /// The deletion of the objects with these UIDs is about to be asked for.
    pub fn expect_deletions(&self, key: &Key, uids: impl IntoIterator<Item = String>) {
        self.with(key, |owed| owed.deletions.extend(uids));
    }

    /// A creation was seen in the cache, or has failed.
    pub fn created(&self, key: &Key) {
        self.settle(key, |owed| owed.creations = owed.creations.saturating_sub(1));
    }

    /// A deletion was seen in the cache, or has failed.
    pub fn deleted(&self, key: &Key, uid: &str) {
        self.settle(key, |owed| {
            owed.deletions.remove(uid);
        });
    }

    /// Whether nothing is owed, so that the cache may be believed.
    #[must_use]
    pub fn settled(&self, key: &Key) -> bool {
        let mut all = self.owed.lock();
        match all.get(key) {
            Some(owed) if owed.since.elapsed() < WRITTEN_OFF => false,
            Some(_) => {
                all.remove(key);
                true
            }
            None => true,
        }
    }

    /// The object itself is gone.
    pub fn forget(&self, key: &Key) {
        self.owed.lock().remove(key);
    }

    fn with(&self, key: &Key, change: impl FnOnce(&mut Owed)) {
        let mut all = self.owed.lock();
        let owed = all.entry(key.clone()).or_insert_with(|| Owed {
            creations: 0,
            deletions: HashSet::new(),
            since: Instant::now(),
        });
        owed.since = Instant::now();
        change(owed);
        if owed.is_empty() {
            all.remove(key);
        }
    }

    fn settle(&self, key: &Key, change: impl FnOnce(&mut Owed)) {
        let mut all = self.owed.lock();
        let Some(owed) = all.get_mut(key) else { return };
        change(owed);
        if owed.is_empty() {
            all.remove(key);
        }
    }
}

// === impl Owed ===

impl Owed {
    fn is_empty(&self) -> bool {
        self.creations == 0 && self.deletions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_cache_is_believed_once_all_was_seen_or_the_debt_is_old() {
        let (ledger, key) = (Ledger::default(), Key::new("default", "web"));
        assert!(ledger.settled(&key));
        ledger.expect_creations(&key, 2);
        ledger.expect_deletions(&key, ["u1".to_owned()]);
        ledger.created(&key);
        ledger.created(&key);
        assert!(!ledger.settled(&key));
        ledger.deleted(&key, "another");
        assert!(!ledger.settled(&key));
        ledger.deleted(&key, "u1");
        assert!(ledger.settled(&key));
        ledger.expect_creations(&key, 1);
        tokio::time::advance(WRITTEN_OFF).await;
        assert!(ledger.settled(&key));
    }
}
