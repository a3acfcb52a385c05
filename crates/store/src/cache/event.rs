//! [`Event`]: one change of one object, shared by the history and by all watchers.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::item::{Encodings, Form, Item};

/// What an event is to a watcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The object came into being, or into sight.
    Added,
    /// The object changed.
    Modified,
    /// The object is gone, or out of sight.
    Deleted,
}

/// A change.
#[derive(Debug)]
pub struct Event {
    /// What happened to the object.
    pub kind: EventKind,
    /// The object after the change; after a deletion its last state with the deletion's revision.
    pub item: Arc<Item>,
    /// The object before the change.
    pub previous: Option<Arc<Item>>,
    /// The revision of the change.
    pub revision: u64,
    departed: OnceLock<Arc<Item>>,
    frames: [Encodings; 3],
}

// === impl EventKind ===

impl EventKind {
    /// As a watch prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

// === impl Event ===

impl Event {
    /// What became of an object: from `previous` to `current`, at a revision. None if it is neither.
    pub(crate) fn new(previous: Option<Arc<Item>>, current: Option<Arc<Item>>, revision: u64) -> Option<Self> {
        let (kind, item) = match (&previous, current) {
            (None, None) => return None,
            (None, Some(item)) => (EventKind::Added, item),
            // Deleted and created again with no watch in between to tell the two apart.
            (Some(_), Some(item)) => (EventKind::Modified, item),
            (Some(last), None) => (EventKind::Deleted, Arc::new(last.at(revision))),
        };
        Some(Self { kind, item, previous, revision, departed: OnceLock::new(), frames: Default::default() })
    }

    /// What the event is to one who sees only what `accepts` says.
    pub(crate) fn seen(&self, accepts: impl Fn(&Item) -> bool) -> Option<EventKind> {
        let before = self.previous.as_ref().is_some_and(|item| accepts(item));
        let after = self.kind != EventKind::Deleted && accepts(&self.item);
        match (before, after) {
            (false, false) => None,
            (false, true) => Some(EventKind::Added),
            (true, true) => Some(EventKind::Modified),
            (true, false) => Some(EventKind::Deleted),
        }
    }

    /// The object to show for an event seen as `kind`. One that left a watcher's sight is shown as it was,
    /// at the revision that took it away.
    pub(crate) fn shown(&self, kind: EventKind) -> &Arc<Item> {
        match (&self.previous, kind) {
            (Some(last), EventKind::Deleted) if self.kind != EventKind::Deleted => {
                self.departed.get_or_init(|| Arc::new(last.at(self.revision)))
            }
            _ => &self.item,
        }
    }

    /// The encoded frame of the event seen as `kind`, made once for all watchers.
    pub(crate) fn frame<E>(
        &self,
        kind: EventKind,
        form: Form,
        encode: impl FnOnce() -> Result<Bytes, E>,
    ) -> Result<Bytes, E> {
        self.frames[kind as usize].get(form, encode)
    }

    /// What it costs to keep, roughly: the object before and the object after.
    pub(crate) fn weight(&self) -> usize {
        self.item.weight() + 128
    }
}
