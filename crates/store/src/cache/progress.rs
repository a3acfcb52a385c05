//! How far the one watch has come, and who waits for it to come further.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::oneshot;

#[derive(Debug, Default)]
pub(crate) struct Progress {
    reached: AtomicU64,
    waiting: Mutex<BTreeMap<u64, Vec<oneshot::Sender<()>>>>,
}

// === impl Progress ===

impl Progress {
    /// All caches have seen everything up to here. Read it before the state it is applied to.
    pub(crate) fn reached(&self) -> u64 {
        self.reached.load(Ordering::Acquire)
    }

    /// Moves on; never back.
    pub(crate) fn advance(&self, revision: u64) {
        if self.reached.fetch_max(revision, Ordering::AcqRel) >= revision {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.first_key_value().is_none_or(|(first, _)| *first > revision) {
            return;
        }
        let later = waiting.split_off(&(revision + 1));
        let served = std::mem::replace(&mut *waiting, later);
        drop(waiting);
        for waiter in served.into_values().flatten() {
            let _ = waiter.send(());
        }
    }

    /// Waits until `revision` is reached.
    pub(crate) async fn reach(&self, revision: u64) {
        if self.reached() >= revision {
            return;
        }
        let receiver = {
            let mut waiting = self.waiting.lock();
            if self.reached() >= revision {
                return;
            }
            let (sender, receiver) = oneshot::channel();
            let waiters = waiting.entry(revision).or_default();
            waiters.retain(|waiter| !waiter.is_closed());
            waiters.push(sender);
            receiver
        };
        let _ = receiver.await;
    }
}
