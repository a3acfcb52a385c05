//! [`Fence`]: a write happens only while its author is still the leader.
//!
//! The author names a Lease and the holder and transition count under which it leads. Those are checked
//! on the Lease's value at some revision, and that very revision is compared in the write's own
//! transaction: if the transaction commits, the Lease was unchanged at that instant, so the author led.
//! A renewal moves the revision without moving the leadership; the refused transaction then brings the
//! new value along, which is checked in turn, and the write is tried again.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::error::Error;
use crate::store::txn::{self, Commit, Compare, Txn};
use crate::store::{Entry, Store};

/// More renewals than this between two tries of one write do not happen.
const ATTEMPTS: usize = 16;

/// Leadership to be checked in the transaction of a write. Share one among the writes of one leadership:
/// it remembers the last revision at which it held, which saves a read per write.
pub struct Fence {
    key: Bytes,
    holds: Check,
    known: AtomicU64,
}

type Check = Box<dyn Fn(&[u8]) -> bool + Send + Sync>;

// === impl Fence ===

impl Fence {
    /// A fence on the Lease stored under `key`; `holds` says whether its stored value still names the author.
    pub fn new(key: Bytes, holds: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self { key, holds: Box::new(holds), known: AtomicU64::new(0) }
    }

    /// Commits a transaction under this fence; its first comparison must guard the written key.
    pub(crate) async fn commit<S: Store + ?Sized>(&self, store: &S, txn: Txn) -> Result<u64, Error> {
        let mut revision = self.known.load(Ordering::Relaxed);
        if revision == 0 {
            revision = self.check(store.get(&self.key).await?.entry.as_ref())?;
        }
        for _ in 0..ATTEMPTS {
            let mut fenced = txn.clone();
            fenced.compares.push(Compare { key: self.key.clone(), revision });
            let mut found = match store.commit(fenced).await? {
                Commit::Done { revision } => return Ok(revision),
                Commit::Refused { found } => found,
            };
            let Some((compare, lease)) = found.pop() else {
                return Err(Error::corrupt("a refused transaction tells nothing of its conditions"));
            };
            revision = self.check(lease.as_ref())?;
            if compare.revision == revision {
                return txn::outcome(Commit::Refused { found });
            }
        }
        Err(Error::Fenced)
    }

    fn check(&self, lease: Option<&Entry>) -> Result<u64, Error> {
        let lease = lease.filter(|lease| (self.holds)(&lease.value)).ok_or(Error::Fenced)?;
        self.known.store(lease.revision, Ordering::Relaxed);
        Ok(lease.revision)
    }
}

impl std::fmt::Debug for Fence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fence").field("key", &self.key).finish_non_exhaustive()
    }
}
