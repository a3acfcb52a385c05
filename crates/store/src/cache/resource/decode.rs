//! From what the store holds to items.

use std::sync::Arc;

use bytes::Bytes;

use super::{Map, Prepared, Resource};
use crate::cache::event::Event;
use crate::cache::fill;
use crate::cache::item::Item;
use crate::error::Error;
use crate::store::{Change, ChangeKind, Entry, Store};

// === impl Resource ===

impl Resource {
    /// Everything in the store at a revision, the newest if none, and which that was.
    pub(crate) async fn list(&self, store: &dyn Store, at: Option<u64>) -> Result<(Map, u64), Error> {
        fill::list(store, &self.prefix, at, |map, entry| self.list_in(map, entry)).await
    }

    fn list_in(&self, map: &mut Map, entry: Entry) {
        let Some(key) = self.relative(&entry.key) else { return };
        let known = self.state.load().map.get(&key).filter(|item| item.revision == entry.revision).cloned();
        let made = known.or_else(|| self.item(&key, &entry.value, entry.created, entry.revision));
        if let Some(item) = made {
            map.insert(item.key().clone(), item);
        }
    }

    pub(crate) fn prepare(&self, change: Change) -> Prepared {
        let key: Arc<str> = self.relative(&change.key).unwrap_or_default();
        let item = match change.kind {
            ChangeKind::Put { .. } => self.item(&key, &change.value, change.created, change.revision),
            ChangeKind::Delete => None,
        };
        let created = change.kind == ChangeKind::Put { created: true };
        Prepared { key, item, revision: change.revision, created }
    }

    /// The event of a change told with what was before; none if that is not known any more.
    pub(crate) fn recall(&self, change: Change) -> Option<Event> {
        let before = change.previous.clone();
        let revision = change.revision;
        let change = self.prepare(change);
        let previous = match before {
            Some(entry) => Some(self.item(&change.key, &entry.value, entry.created, entry.revision)?),
            None if change.created => None,
            None => return None,
        };
        Event::new(previous, change.item, revision)
    }

    /// The item of a stored value; none, and a line in the log, if the value makes no sense.
    fn item(&self, key: &Arc<str>, value: &Bytes, created: u64, revision: u64) -> Option<Arc<Item>> {
        let made =
            self.shape.draft(key, value, revision).and_then(|draft| Item::new(key.clone(), draft, created, revision));
        match made {
            Ok(item) => Some(Arc::new(item)),
            Err(error) => {
                tracing::error!(prefix = %self.prefix.escape_ascii(), key = %key, revision, %error, "unreadable object left out");
                None
            }
        }
    }

    fn relative(&self, key: &[u8]) -> Option<Arc<str>> {
        std::str::from_utf8(key.strip_prefix(&self.prefix[..])?).ok().map(Into::into)
    }
}
