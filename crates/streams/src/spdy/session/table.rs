//! The streams of a session that live.

use std::collections::HashMap;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Streams that live at the same time; a port-forward has two for each connection.
const MAX_STREAMS: usize = 2048;

#[derive(Default)]
pub(super) struct Table {
    streams: HashMap<u32, Entry>,
    last: u32,
}

struct Entry {
    /// Gone once the peer has finished.
    data: Option<mpsc::Sender<Bytes>>,
    /// Whether this side has finished.
    finished: bool,
    reset: CancellationToken,
}

// === impl Table ===

impl Table {
    pub(super) fn open(&mut self, id: u32, data: Option<mpsc::Sender<Bytes>>, reset: CancellationToken) -> bool {
        if id.is_multiple_of(2) || id <= self.last || self.streams.len() >= MAX_STREAMS {
            return false;
        }
        self.last = id;
        self.streams.insert(id, Entry { data, finished: false, reset });
        true
    }

    pub(super) fn queue(&self, id: u32) -> Option<(mpsc::Sender<Bytes>, CancellationToken)> {
        let entry = self.streams.get(&id)?;
        Some((entry.data.clone()?, entry.reset.clone()))
    }

    pub(super) fn finish_read(&mut self, id: u32) {
        if let Some(entry) = self.streams.get_mut(&id) {
            entry.data = None;
            if entry.finished {
                self.streams.remove(&id);
            }
        }
    }

    pub(super) fn finish_write(&mut self, id: u32) {
        if let Some(entry) = self.streams.get_mut(&id) {
            entry.finished = true;
            if entry.data.is_none() {
                self.streams.remove(&id);
            }
        }
    }

    pub(super) fn reset(&mut self, id: u32) {
        if let Some(entry) = self.streams.remove(&id) {
            entry.reset.cancel();
        }
    }

    pub(super) fn clear(&mut self) {
        for (_, entry) in self.streams.drain() {
            entry.reset.cancel();
        }
    }
}
