//! What the job controller remembers about a job between passes.

use std::collections::HashMap;
use std::sync::Arc;

use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::{Key, Resource};
use parking_lot::Mutex;

use super::backoff::Record;
use super::census::Uids;
use super::pod::is_tracked;
use crate::seen::revision;

/// Notes by job.
#[derive(Debug, Default)]
pub struct Memory {
    notes: Mutex<HashMap<Key, Notes>>,
}

/// The notes about a job.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Its failures.
    pub record: Record,
    /// Pods whose finalizer is gone, though the cache still shows it.
    pub released: Uids,
    uid: String,
    written: u64,
}

// === impl Memory ===

impl Memory {
    /// The notes about a job with these pods; nothing as long as the cache has not seen the last write of
    /// its status.
    pub fn recall(&self, key: &Key, job: &Job, pods: &[Arc<Pod>]) -> Option<Notes> {
        let mut notes = self.notes.lock();
        let entry = notes.entry(key.clone()).or_default();
        if entry.uid != job.uid() {
            *entry = Notes { uid: job.uid().into(), ..Notes::default() };
        }
        let waiting: Uids = pods.iter().filter(|p| is_tracked(p)).map(|p| p.uid().to_owned()).collect();
        entry.released.retain(|uid| waiting.contains(uid));
        (revision(job) >= entry.written).then(|| entry.clone())
    }

    /// The job's status was written.
    pub fn wrote(&self, key: &Key, job: &Job, record: Record) {
        if let Some(entry) = self.notes.lock().get_mut(key) {
            (entry.written, entry.record) = (revision(job), record);
        }
    }

    /// A pod's finalizer was taken.
    pub fn released(&self, key: &Key, uid: &str) {
        if let Some(entry) = self.notes.lock().get_mut(key) {
            entry.released.insert(uid.into());
        }
    }

    /// The job has ended or is gone.
    pub fn forget(&self, key: &Key) {
        self.notes.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{job, pod};
    use super::*;

    #[test]
    fn a_cache_that_has_not_seen_the_last_status_is_not_believed() {
        let (memory, key, mut job) = (Memory::default(), Key::new("default", "pi"), job(1, 1));
        let at = |job: &mut Job, revision: u64| job.metadata.resource_version = Some(revision.to_string());
        at(&mut job, 5);
        assert!(memory.recall(&key, &job, &[]).is_some());
        let mut written = job.clone();
        at(&mut written, 9);
        memory.wrote(&key, &written, Record::default());
        memory.released(&key, "a");
        assert!(memory.recall(&key, &job, &[pod("a", "Failed")]).is_none());
        let notes = memory.recall(&key, &written, &[pod("a", "Failed")]).expect("seen");
        assert!(notes.released.contains("a"));
        let notes = memory.recall(&key, &written, &[]).expect("seen");
        assert!(notes.released.is_empty());
        job.metadata.uid = Some("another".into());
        assert!(memory.recall(&key, &job, &[]).is_some(), "another job of that name starts anew");
    }
}
