//! [`Memory`]: a store in this process's memory, for tests and for trying things out.
//!
//! It has the semantics of etcd, compaction and leases included, but time only passes when
//! [`Memory::expire`] is told so. Nothing is kept on disk.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::error::Error;
use crate::store::{
    Change, ChangeKind, ChangeStream, Changes, Commit, Entry, List, Listing, Op, Read, Store, Txn, Watch,
};

/// A store in memory.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    revision: u64,
    compacted: u64,
    keys: BTreeMap<Bytes, Vec<Version>>,
    history: Vec<Change>,
    leases: BTreeMap<Bytes, Instant>,
    watchers: Vec<Follower>,
    now: Instant,
}

/// A key from some revision on; deleted if it holds no entry.
#[derive(Debug)]
struct Version {
    revision: u64,
    entry: Option<Entry>,
}

#[derive(Debug)]
struct Follower {
    watch: Watch,
    sender: mpsc::UnboundedSender<Result<Changes, Error>>,
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
        let state = State {
            revision: 1,
            compacted: 0,
            keys: BTreeMap::new(),
            history: Vec::new(),
            leases: BTreeMap::new(),
            watchers: Vec::new(),
            now,
        };
        Self { state: Mutex::new(state) }
    }

    /// Lets it be `now`: keys whose time is over are deleted.
    pub fn expire(&self, now: Instant) {
        let mut state = self.state.lock();
        state.now = now;
        let over: Vec<_> = state.leases.iter().filter(|(_, end)| **end <= now).map(|(key, _)| key.clone()).collect();
        if !over.is_empty() {
            state.write(over.into_iter().map(|key| Op::Delete { key }).collect());
        }
    }

    /// Ends all watches with an error, as a lost connection does.
    pub fn disconnect(&self) {
        for follower in self.state.lock().watchers.drain(..) {
            let _ = follower.sender.send(Err(Error::unavailable("disconnected")));
        }
    }
}

impl Store for Memory {
    fn get<'a>(&'a self, key: &'a [u8]) -> BoxFuture<'a, Result<Read, Error>> {
        let state = self.state.lock();
        let read = Read { entry: state.current(key).cloned(), revision: state.revision };
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
        let revision = self.state.lock().revision;
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

// === impl State ===

impl State {
    fn current(&self, key: &[u8]) -> Option<&Entry> {
        self.keys.get(key)?.last()?.entry.as_ref()
    }

    fn list(&self, list: &List) -> Result<Listing, Error> {
        let at = list.at.unwrap_or(self.revision);
        if at > self.revision {
            return Err(Error::Future { requested: at, current: self.revision });
        }
        if at < self.compacted {
            return Err(Error::Compacted { requested: at, oldest: self.compacted });
        }
        let from = list.from.as_ref().map_or(&list.prefix, |from| from.max(&list.prefix));
        let found = self.keys.range(from.clone()..).take_while(|(key, _)| key.starts_with(&list.prefix));
        let mut entries: Vec<_> = found.filter_map(|(_, versions)| as_of(versions, at)).cloned().collect();
        let count = entries.len();
        entries.truncate(list.limit.unwrap_or(usize::MAX));
        let more = entries.len() < count;
        Ok(Listing { entries, revision: at, more, count: count as u64 })
    }

    fn commit(&mut self, txn: Txn) -> Commit {
        let holds = txn.compares.iter().all(|compare| compare.holds(self.current(&compare.key)));
        if holds {
            return Commit::Done { revision: self.write(txn.ops) };
        }
        let found = txn.compares.into_iter().map(|compare| {
            let current = self.current(&compare.key).cloned();
            (compare, current)
        });
        Commit::Refused { found: found.collect() }
    }

    fn write(&mut self, ops: Vec<Op>) -> u64 {
        let revision = self.revision + 1;
        let changes: Vec<_> = ops.into_iter().filter_map(|op| self.apply(op, revision)).collect();
        if changes.is_empty() {
            return self.revision;
        }
        self.revision = revision;
        self.watchers.retain(|follower| {
            let changes = select(&follower.watch, &changes);
            changes.is_empty() || follower.sender.send(Ok(Changes { changes, revision })).is_ok()
        });
        self.history.extend(changes);
        revision
    }

    fn apply(&mut self, op: Op, revision: u64) -> Option<Change> {
        let previous = self.current(op.key()).cloned();
        self.leases.remove(op.key());
        let (key, entry) = match op {
            Op::Put { key, value, ttl } => {
                self.lease(&key, ttl);
                let created = previous.as_ref().map_or(revision, |entry| entry.created);
                (key.clone(), Some(Entry { key, value, created, revision }))
            }
            Op::Delete { key } => {
                previous.as_ref()?;
                (key, None)
            }
        };
        self.keys.entry(key.clone()).or_default().push(Version { revision, entry: entry.clone() });
        Some(Change {
            kind: match entry {
                Some(_) => ChangeKind::Put { created: previous.is_none() },
                None => ChangeKind::Delete,
            },
            created: entry.as_ref().map_or(0, |entry| entry.created),
            value: entry.map(|entry| entry.value).unwrap_or_default(),
            key,
            revision,
            previous,
        })
    }

    fn lease(&mut self, key: &Bytes, ttl: Option<Duration>) {
        if let Some(ttl) = ttl {
            self.leases.insert(key.clone(), self.now + ttl);
        }
    }

    fn watch(&mut self, watch: Watch) -> Result<ChangeStream, Error> {
        if watch.after < self.compacted {
            return Err(Error::Compacted { requested: watch.after, oldest: self.compacted });
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let changes = select(&watch, &self.history);
        if let Some(last) = changes.last() {
            let revision = last.revision;
            let _ = sender.send(Ok(Changes { changes, revision }));
        }
        self.watchers.push(Follower { watch, sender });
        Ok(UnboundedReceiverStream::new(receiver).boxed())
    }

    fn compact(&mut self, revision: u64) -> Result<(), Error> {
        if revision > self.revision {
            return Err(Error::Future { requested: revision, current: self.revision });
        }
        if revision <= self.compacted {
            return Err(Error::Compacted { requested: revision, oldest: self.compacted });
        }
        self.compacted = revision;
        self.history.retain(|change| change.revision > revision);
        self.keys.retain(|_, versions| {
            let old = versions.iter().take_while(|version| version.revision <= revision).count();
            versions.drain(..old.saturating_sub(1));
            versions.len() > 1 || versions.iter().any(|version| version.entry.is_some())
        });
        Ok(())
    }
}

fn as_of(versions: &[Version], revision: u64) -> Option<&Entry> {
    versions.iter().rev().find(|version| version.revision <= revision)?.entry.as_ref()
}

fn select(watch: &Watch, changes: &[Change]) -> Vec<Change> {
    let wanted = changes.iter().filter(|c| c.revision > watch.after && c.key.starts_with(&watch.prefix));
    wanted
        .map(|change| Change { previous: change.previous.clone().filter(|_| watch.previous), ..change.clone() })
        .collect()
}
