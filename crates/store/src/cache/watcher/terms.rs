//! What a watch is asked, and what it tells.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::cache::event::{Event, EventKind};
use crate::cache::filter::Filter;
use crate::cache::item::{Form, Item};
use crate::cache::snapshot::Snapshot;

/// What to watch.
#[derive(Clone, Debug)]
pub struct WatchRequest {
    /// Where to begin.
    pub start: Start,
    /// What to see.
    pub filter: Filter,
    /// Tell so often how far the watch has come.
    pub bookmarks: Option<Duration>,
    /// Tell when the initial objects have been told.
    pub initial_events_end: bool,
}

/// Where a watch begins.
#[derive(Clone, Debug)]
pub enum Start {
    /// With the first change after a revision.
    After(u64),
    /// With all objects of a snapshot as added, then with the first change after it.
    Initial(Snapshot),
}

/// What a watcher gets.
#[derive(Clone, Debug)]
pub enum WatchItem {
    /// Something happened to an object.
    Notice(Notice),
    /// Everything up to a revision has been told.
    Bookmark {
        /// The revision.
        revision: u64,
        /// It ends the initial objects.
        initial_events_end: bool,
    },
}

/// What happened to an object, as one watcher sees it.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What happened.
    pub kind: EventKind,
    /// The object after it; for a deletion its last state with the deletion's revision.
    pub item: Arc<Item>,
    /// The revision of the change.
    pub revision: u64,
    pub(crate) event: Option<Arc<Event>>,
}

/// Why a watcher ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// It was too slow. Begin again after the last revision seen.
    #[error("the watcher did not keep up")]
    Overflow,
    /// The history it needs is gone: list anew.
    #[error("the history is gone, it begins after {oldest}")]
    Expired {
        /// What the watcher has seen, or was to begin after.
        requested: u64,
        /// Nothing is known of what happened up to here.
        oldest: u64,
    },
    /// The resource is served no more.
    #[error("the resource is served no more")]
    Stopped,
}

// === impl Notice ===

impl Notice {
    /// The encoded frame of this notice, made once and shared by all watchers that see it alike.
    pub fn frame<E>(&self, form: Form, encode: impl FnOnce(&Self) -> Result<Bytes, E>) -> Result<Bytes, E> {
        match &self.event {
            Some(event) => event.frame(self.kind, form, || encode(self)),
            None => encode(self),
        }
    }
}
