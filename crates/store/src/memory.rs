//! [`Memory`]: a store in this process's memory, for tests and for trying things out.
//!
//! It has the semantics of etcd, compaction and leases included, but time only passes when
//! [`Memory::expire`] is told so. Nothing is kept on disk.

use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::error::Error;
use crate::store::{ChangeStream, Commit, List, Listing, Read, Store, Txn, Watch};

mod state;

use state::State;

/// A store in memory.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
}

// === impl Memory ===

impl Default for Memory {
    fn default() -> Self {
        Self::new(Instant::now())
    }
}

impl Memory {
    /// An empty store, at revision 1 as etcd begins.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { state: Mutex::new(State::new(now)) }
    }

    /// Lets it be `now`: keys whose time is over are deleted.
    pub fn expire(&self, now: Instant) {
        self.state.lock().expire(now);
    }

    /// Ends all watches with an error, as a lost connection does.
    pub fn disconnect(&self) {
        self.state.lock().disconnect();
    }
}

impl Store for Memory {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Read, Error>> {
        let state = self.state.lock();
        let read = Read { entry: state.current(key).cloned(), revision: state.revision() };
        async move { Ok(read) }.boxed()
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Listing, Error>> {
        let listing = self.state.lock().list(&list);
        async move { listing }.boxed()
    }

    fn commit(&self, txn: Txn) -> BoxFuture<'_, Result<Commit, Error>> {
        let commit = self.state.lock().commit(txn);
        async move { Ok(commit) }.boxed()
    }

    fn revision(&self) -> BoxFuture<'_, Result<u64, Error>> {
        let revision = self.state.lock().revision();
        async move { Ok(revision) }.boxed()
    }

    fn watch(&self, watch: Watch) -> BoxFuture<'_, Result<ChangeStream, Error>> {
        let stream = self.state.lock().watch(watch);
        async move { stream }.boxed()
    }

    fn compact(&self, revision: u64) -> BoxFuture<'_, Result<(), Error>> {
        let done = self.state.lock().compact(revision);
        async move { done }.boxed()
    }
}
