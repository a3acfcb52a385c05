//! The contract of a store: keys in order, one revision per transaction, history until compacted.
//!
//! Invariants every keeper holds, checked by one suite over all of them: revisions only rise, by one
//! per transaction that changed something; a read says at which revision it holds; a watch delivers
//! every change after its start, once, in order, whole transactions at a time.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use crate::error::Error;
use crate::fence::Fence;

pub mod txn;
pub mod upkeep;

pub use txn::{Commit, Compare, Op, Txn};
pub use upkeep::{Member, MemberState, Pieces};

/// A key as it stands at some revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The whole key.
    pub key: Bytes,
    /// What is stored.
    pub value: Bytes,
    /// The revision that created it.
    pub created: u64,
    /// The revision that last wrote it.
    pub revision: u64,
    /// How well the value could be read.
    pub reading: Reading,
}

/// How a stored value was read: see [`crate::Transform`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// It is stored the way it would be written now.
    #[default]
    Current,
    /// It would be written another way now: any write of the key should store it anew, even one that changes nothing.
    Stale,
    /// It could not be read, for this reason; the value is what the store holds.
    Unreadable(std::sync::Arc<str>),
}

/// One key, read linearizably.
#[derive(Clone, Debug)]
pub struct Read {
    /// What the key holds.
    pub entry: Option<Entry>,
    /// The store's revision at the read.
    pub revision: u64,
}

/// Which entries to list.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// All keys that begin so.
    pub prefix: Bytes,
    /// As of this revision; the newest, linearizably, if none.
    pub at: Option<u64>,
    /// Skip all keys before this one.
    pub from: Option<Bytes>,
    /// At most so many.
    pub limit: Option<usize>,
}

/// Entries in key order.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The revision they hold at.
    pub revision: u64,
    /// The limit left some out.
    pub more: bool,
    /// How many there are from the first listed key on, listed or not.
    pub count: u64,
}

/// What to add to a write.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Forget the key when it was not written for so long. The store may take a little longer.
    pub ttl: Option<Duration>,
    /// Write only while this holds.
    pub fence: Option<std::sync::Arc<Fence>>,
    /// More conditions, on other keys, in the same transaction.
    pub when: Vec<Compare>,
    /// More writes, of other keys, in the same transaction.
    pub also: Vec<Op>,
}

/// What a delete took away.
#[derive(Clone, Debug)]
pub struct Deleted {
    /// The revision of the deletion.
    pub revision: u64,
    /// The last state.
    pub last: Entry,
}

/// Which changes to follow.
#[derive(Clone, Debug)]
pub struct Watch {
    /// All keys that begin so; every key of the store if empty.
    pub prefix: Bytes,
    /// Only what came after this revision.
    pub after: u64,
    /// Tell what the key held before, too. It costs the store a read per change.
    pub previous: bool,
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was written.
    Put {
        /// It did not exist before.
        created: bool,
    },
    /// It was deleted, or its time was over.
    Delete,
}

/// One change of one key.
#[derive(Clone, Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The key.
    pub key: Bytes,
    /// What it holds now; empty for a deletion.
    pub value: Bytes,
    /// How well the value could be read.
    pub reading: Reading,
    /// The revision of the change.
    pub revision: u64,
    /// The revision that created the key; zero for a deletion.
    pub created: u64,
    /// What it held before, if asked for and not compacted yet.
    pub previous: Option<Entry>,
}

/// Whole transactions, in order: every change of the watched keys up to `revision` is in this batch or
/// in one before. A batch without changes only tells how far the watch has come.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The changes, revisions never falling.
    pub changes: Vec<Change>,
    /// Complete up to here.
    pub revision: u64,
}

/// A stream of changes. After an error it ends.
pub type ChangeStream = BoxStream<'static, Result<Changes, Error>>;

/// A keeper of objects. Futures are cancel-safe in that a dropped write either happened or did not.
pub trait Store: Send + Sync + 'static {
    /// One key, linearizably.
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Read, Error>>;

    /// A range of keys at one revision.
    fn list(&self, list: List) -> BoxFuture<'_, Result<Listing, Error>>;

    /// One transaction. A failed comparison is no error.
    fn commit(&self, txn: Txn) -> BoxFuture<'_, Result<Commit, Error>>;

    /// The newest revision, linearizably: every write that was answered before this call is at or below it.
    fn revision(&self) -> BoxFuture<'_, Result<u64, Error>>;

    /// Follows changes.
    fn watch(&self, watch: Watch) -> BoxFuture<'_, Result<ChangeStream, Error>>;

    /// Forgets the history before a revision.
    fn compact(&self, revision: u64) -> BoxFuture<'_, Result<(), Error>>;

    /// Who keeps the data; nobody, for a store within this process.
    fn members(&self) -> BoxFuture<'_, Result<Vec<Member>, Error>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// All data as of now, in the form that the store's own tools restore from.
    fn snapshot(&self) -> BoxFuture<'_, Result<Pieces, Error>> {
        Box::pin(std::future::ready(Err(Error::unavailable("this store makes no snapshots"))))
    }

    /// Writes a key that must not exist; its revision.
    fn create<'a>(&'a self, key: Bytes, value: Bytes, options: &'a Options) -> BoxFuture<'a, Result<u64, Error>> {
        Box::pin(async move {
            let put = Op::Put { key: key.clone(), value, ttl: options.ttl };
            match self.guarded(key, 0, put, options).await {
                Err(Error::Conflict { current: Some(current) }) => Err(Error::Exists { current }),
                other => other,
            }
        })
    }

    /// Overwrites a key that must be at a revision; its new one.
    fn update<'a>(
        &'a self,
        key: Bytes,
        expected: u64,
        value: Bytes,
        options: &'a Options,
    ) -> BoxFuture<'a, Result<u64, Error>> {
        let put = Op::Put { key: key.clone(), value, ttl: options.ttl };
        self.guarded(key, expected, put, options)
    }

    /// Deletes a key that must be at a revision; the deletion's revision.
    fn delete<'a>(&'a self, key: Bytes, expected: u64, options: &'a Options) -> BoxFuture<'a, Result<u64, Error>> {
        let delete = Op::Delete { key: key.clone() };
        self.guarded(key, expected, delete, options)
    }

    /// Deletes a key at whatever revision it is.
    fn remove<'a>(&'a self, key: Bytes, options: &'a Options) -> BoxFuture<'a, Result<Deleted, Error>> {
        Box::pin(async move {
            let mut current = self.get(&key).await?.entry;
            loop {
                let last = current.ok_or(Error::NotFound)?;
                match self.delete(key.clone(), last.revision, options).await {
                    Ok(revision) => return Ok(Deleted { revision, last }),
                    Err(Error::Conflict { current: now }) => current = now,
                    Err(error) => return Err(error),
                }
            }
        })
    }

    /// One write of `key`, which must be at revision `expected` (0: must not exist), with its options.
    fn guarded<'a>(
        &'a self,
        key: Bytes,
        expected: u64,
        op: Op,
        options: &'a Options,
    ) -> BoxFuture<'a, Result<u64, Error>> {
        Box::pin(async move {
            let mut txn = Txn { compares: vec![Compare { key, revision: expected }], ops: vec![op] };
            txn.compares.extend(options.when.iter().cloned());
            txn.ops.extend(options.also.iter().cloned());
            match &options.fence {
                None => txn::outcome(self.commit(txn).await?),
                Some(fence) => fence.commit(&*self, txn).await,
            }
        })
    }
}
