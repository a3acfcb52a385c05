//! Transactions: compare revisions, then write, all or nothing.

use std::time::Duration;

use bytes::Bytes;

use crate::error::Error;
use crate::store::Entry;

/// All of `compares` must hold for all of `ops` to happen, at one revision. No key twice among `ops`.
#[derive(Clone, Debug, Default)]
pub struct Txn {
    /// The conditions.
    pub compares: Vec<Compare>,
    /// The writes.
    pub ops: Vec<Op>,
}

/// A key must be at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    /// The key.
    pub key: Bytes,
    /// The revision that last wrote it; zero if it must not exist.
    pub revision: u64,
}

/// One write.
#[derive(Clone, Debug)]
pub enum Op {
    /// Writes a key, whether it exists or not.
    Put {
        /// The key.
        key: Bytes,
        /// What to store.
        value: Bytes,
        /// Forget it after so long.
        ttl: Option<Duration>,
    },
    /// Deletes a key if it exists.
    Delete {
        /// The key.
        key: Bytes,
    },
}

/// How a transaction ended.
#[derive(Clone, Debug)]
pub enum Commit {
    /// Everything happened.
    Done {
        /// At this revision.
        revision: u64,
    },
    /// A comparison failed, nothing happened.
    Refused {
        /// The comparisons, each with what its key holds.
        found: Vec<(Compare, Option<Entry>)>,
    },
}

// === impl Compare ===

impl Compare {
    /// Whether an entry satisfies it.
    #[must_use]
    pub fn holds(&self, entry: Option<&Entry>) -> bool {
        entry.map_or(0, |entry| entry.revision) == self.revision
    }
}

// === impl Op ===

impl Op {
    /// The key written.
    #[must_use]
    pub const fn key(&self) -> &Bytes {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

/// A transaction whose first comparison guards the written key, as a result.
pub(crate) fn outcome(commit: Commit) -> Result<u64, Error> {
    let found = match commit {
        Commit::Done { revision } => return Ok(revision),
        Commit::Refused { found } => found,
    };
    let mut failed = found.into_iter().enumerate().filter(|(_, (compare, current))| !compare.holds(current.as_ref()));
    match failed.next() {
        Some((0, (compare, current))) if compare.revision != 0 && current.is_none() => Err(Error::NotFound),
        Some((0, (_, current))) => Err(Error::Conflict { current }),
        Some((_, (compare, current))) => Err(Error::Condition { key: compare.key, current }),
        None => Err(Error::corrupt("a transaction was refused though all its conditions hold")),
    }
}
