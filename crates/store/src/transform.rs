//! [`Transformed`]: a store whose values lie otherwise in the store than they are read and written: encrypted, or in
//! another encoding.
//!
//! A read of one key that cannot be read is an error. Where several are read at once each says for itself
//! ([`Reading::Unreadable`]), so that one does not take the others with it.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use crate::error::Error;
use crate::store::{
    Change, ChangeKind, ChangeStream, Commit, Entry, List, Listing, Member, Op, Pieces, Read, Reading, Store, Txn,
    Watch,
};

/// How values lie in the store.
pub trait Transform: Send + Sync + 'static {
    /// What to store.
    fn seal(&self, key: &[u8], value: &Bytes) -> Result<Bytes, Error>;

    /// What is stored; the value as it is if it cannot be read.
    fn open(&self, key: &[u8], stored: Bytes) -> (Bytes, Reading);
}

/// A store through a [`Transform`].
pub struct Transformed {
    inner: Arc<dyn Store>,
    transform: Arc<dyn Transform>,
}

// === impl Transformed ===

impl Transformed {
    /// The store as seen through a transform.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, transform: Arc<dyn Transform>) -> Self {
        Self { inner, transform }
    }

    fn sealed(&self, op: Op) -> Result<Op, Error> {
        match op {
            Op::Put { key, value, ttl } => {
                let value = self.transform.seal(&key, &value)?;
                Ok(Op::Put { key, value, ttl })
            }
            delete @ Op::Delete { .. } => Ok(delete),
        }
    }
}

impl Store for Transformed {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Read, Error>> {
        async move {
            let mut read = self.inner.get(key).await?;
            read.entry = read.entry.map(|entry| opened(&*self.transform, entry));
            match &read.entry {
                Some(Entry { reading: Reading::Unreadable(why), .. }) => Err(Error::Unreadable { why: why.clone() }),
                _ => Ok(read),
            }
        }
        .boxed()
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Listing, Error>> {
        async move {
            let mut listing = self.inner.list(list).await?;
            listing.entries = listing.entries.into_iter().map(|entry| opened(&*self.transform, entry)).collect();
            Ok(listing)
        }
        .boxed()
    }

    fn commit(&self, mut txn: Txn) -> BoxFuture<'_, Result<Commit, Error>> {
        async move {
            txn.ops = txn.ops.into_iter().map(|op| self.sealed(op)).collect::<Result<_, _>>()?;
            let commit = self.inner.commit(txn).await?;
            let Commit::Refused { found } = commit else { return Ok(commit) };
            let open = |entry: Option<Entry>| entry.map(|entry| opened(&*self.transform, entry));
            Ok(Commit::Refused { found: found.into_iter().map(|(compare, entry)| (compare, open(entry))).collect() })
        }
        .boxed()
    }

    fn revision(&self) -> BoxFuture<'_, Result<u64, Error>> {
        self.inner.revision()
    }

    fn watch(&self, watch: Watch) -> BoxFuture<'_, Result<ChangeStream, Error>> {
        async move {
            let transform = self.transform.clone();
            let stream = self.inner.watch(watch).await?;
            let open = move |changes: Result<crate::Changes, Error>| {
                let mut changes = changes?;
                changes.changes.iter_mut().for_each(|change| open(&*transform, change));
                Ok(changes)
            };
            Ok(stream.map(open).boxed())
        }
        .boxed()
    }

    fn compact(&self, revision: u64) -> BoxFuture<'_, Result<(), Error>> {
        self.inner.compact(revision)
    }

    fn members(&self) -> BoxFuture<'_, Result<Vec<Member>, Error>> {
        self.inner.members()
    }

    fn snapshot(&self) -> BoxFuture<'_, Result<Pieces, Error>> {
        self.inner.snapshot()
    }
}

fn opened(transform: &dyn Transform, entry: Entry) -> Entry {
    let (value, reading) = transform.open(&entry.key, entry.value);
    Entry { value, reading, ..entry }
}

fn open(transform: &dyn Transform, change: &mut Change) {
    if change.kind != ChangeKind::Delete {
        (change.value, change.reading) = transform.open(&change.key, std::mem::take(&mut change.value));
    }
    change.previous = change.previous.take().map(|entry| opened(transform, entry));
}
