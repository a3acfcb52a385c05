//! The keys, their versions and who follows them; one lock of [`super::Memory`] around all of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::error::Error;
use crate::store::{Change, ChangeKind, ChangeStream, Changes, Commit, Entry, List, Listing, Op, Reading, Txn, Watch};

#[derive(Debug)]
pub(crate) struct State {
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

// === impl State ===

impl State {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            revision: 1,
            compacted: 0,
            keys: BTreeMap::new(),
            history: Vec::new(),
            leases: BTreeMap::new(),
            watchers: Vec::new(),
            now,
        }
    }

    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    /// Time passes.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.now = now;
        let over = self.leases.iter().filter(|(_, end)| **end <= now);
        let ops: Vec<_> = over.map(|(key, _)| Op::Delete { key: key.clone() }).collect();
        self.write(ops);
    }

    /// Every watch is told an error, and ends.
    pub(crate) fn disconnect(&mut self) {
        for follower in self.watchers.drain(..) {
            let _ = follower.sender.send(Err(Error::unavailable("disconnected")));
        }
    }

    pub(crate) fn current(&self, key: &[u8]) -> Option<&Entry> {
        self.keys.get(key)?.last()?.entry.as_ref()
    }

    pub(crate) fn list(&self, list: &List) -> Result<Listing, Error> {
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

    pub(crate) fn commit(&mut self, txn: Txn) -> Commit {
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

    pub(crate) fn write(&mut self, ops: Vec<Op>) -> u64 {
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
                (key.clone(), Some(Entry { key, value, created, revision, reading: Reading::Current }))
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
            reading: Reading::Current,
            revision,
            previous,
        })
    }

    fn lease(&mut self, key: &Bytes, ttl: Option<Duration>) {
        if let Some(ttl) = ttl {
            self.leases.insert(key.clone(), self.now + ttl);
        }
    }

    pub(crate) fn watch(&mut self, watch: Watch) -> Result<ChangeStream, Error> {
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

    pub(crate) fn compact(&mut self, revision: u64) -> Result<(), Error> {
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
