//! What can go wrong between a caller and the store, typed by what the caller should do next.

use bytes::Bytes;

use crate::store::Entry;

/// A failed operation of a [`crate::Store`] or of a [`crate::cache::Cache`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// There is no such key. Nothing was written.
    #[error("not found")]
    NotFound,
    /// A create found the key taken, by this entry. Nothing was written.
    #[error("already exists")]
    Exists {
        /// Who holds the key.
        current: Entry,
    },
    /// The key is at another revision than expected. Nothing was written: look and try again.
    #[error("changed since it was read")]
    Conflict {
        /// What the key holds now; none if it is gone.
        current: Option<Entry>,
    },
    /// A comparison of `Options::also` failed. Nothing was written.
    #[error("a condition on another key does not hold")]
    Condition {
        /// The key compared.
        key: Bytes,
        /// What it holds now.
        current: Option<Entry>,
    },
    /// The history asked for is gone: list anew.
    #[error("revision {requested} is gone, the oldest is {oldest}")]
    Compacted {
        /// The revision asked for.
        requested: u64,
        /// The oldest that can be had.
        oldest: u64,
    },
    /// The revision asked for has not been reached: wait, or the caller speaks of another store.
    #[error("revision {requested} is ahead of the store, which is at {current}")]
    Future {
        /// The revision asked for.
        requested: u64,
        /// The newest there is.
        current: u64,
    },
    /// The leadership this write was made under has moved. Nothing was written.
    #[error("the fence does not hold any more")]
    Fenced,
    /// The store cannot be reached. A write may have happened all the same.
    #[error("the store cannot be reached")]
    Unavailable {
        /// What the transport said.
        #[source]
        source: Source,
    },
    /// No answer in time. A write may have happened all the same.
    #[error("the store did not answer in time")]
    TimedOut,
    /// The store refuses a value or a transaction of this size.
    #[error("too large for the store")]
    TooLarge,
    /// The store is out of space and takes no writes until an operator frees some.
    #[error("the store is out of space")]
    Full,
    /// The key holds a value that cannot be read: no key decrypts it, or it has no known form.
    #[error("{why}")]
    Unreadable {
        /// Why not.
        why: std::sync::Arc<str>,
    },
    /// What the store holds or answers makes no sense.
    #[error("corrupt: {why}")]
    Corrupt {
        /// What is wrong.
        why: String,
    },
}

/// A cause that several waiters can share.
#[derive(Clone, Debug)]
pub struct Source(std::sync::Arc<dyn std::error::Error + Send + Sync>);

// === impl Error ===

impl Error {
    /// The store cannot be reached, because of `cause`.
    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable { source: Source(cause.into().into()) }
    }

    /// What is stored or answered makes no sense.
    pub fn corrupt(why: impl Into<String>) -> Self {
        Self::Corrupt { why: why.into() }
    }
}

// === impl Source ===

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Source {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
