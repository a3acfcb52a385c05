//! From what the store holds to items.

use std::ops::Bound;
use std::sync::Arc;

use super::{Map, Prepared, Resource, Unreadable};
use crate::cache::event::Event;
use crate::cache::fill;
use crate::cache::item::Item;
use crate::error::Error;
use crate::store::{Change, ChangeKind, Entry, Reading, Store};

// === impl Resource ===

impl Resource {
    /// Everything in the store at a revision, the newest if none, and which that was.
    pub(crate) async fn list(&self, store: &dyn Store, at: Option<u64>) -> Result<(Map, u64), Error> {
        let mut unreadable = Unreadable::new();
        let listed =
            fill::list(store, &self.prefix, at, |map, entry| self.list_in(map, &mut unreadable, entry)).await?;
        if at.is_none() {
            *self.unreadable.lock() = unreadable;
        }
        Ok(listed)
    }

    fn list_in(&self, map: &mut Map, unreadable: &mut Unreadable, entry: Entry) {
        let Some(key) = self.relative(&entry.key) else { return };
        match self.item(&key, &entry) {
            Ok(item) => drop(map.insert(item.key().clone(), item)),
            Err(why) => drop(unreadable.insert(key, why)),
        }
    }

    pub(crate) fn prepare(&self, change: Change) -> Prepared {
        let key: Arc<str> = self.relative(&change.key).unwrap_or_default();
        let item = match self.made(&key, &change) {
            Ok(item) => {
                self.unreadable.lock().remove(&key);
                item
            }
            Err(why) => {
                self.unreadable.lock().insert(key.clone(), why);
                None
            }
        };
        let created = change.kind == ChangeKind::Put { created: true };
        Prepared { key, item, revision: change.revision, created }
    }

    /// The event of a change told with what was before; none if that is not known any more.
    pub(crate) fn recall(&self, change: Change) -> Option<Event> {
        let key: Arc<str> = self.relative(&change.key).unwrap_or_default();
        let item = self.made(&key, &change).ok()?;
        let previous = match &change.previous {
            Some(entry) => Some(self.item(&key, entry).ok()?),
            None if change.kind == (ChangeKind::Put { created: true }) => None,
            None => return None,
        };
        Event::new(previous, item, change.revision)
    }

    /// What a change left.
    fn made(&self, key: &Arc<str>, change: &Change) -> Result<Option<Arc<Item>>, Arc<str>> {
        match change.kind {
            ChangeKind::Put { .. } => self.item(key, &written(change)).map(Some),
            ChangeKind::Delete => Ok(None),
        }
    }

    /// The item of a stored value; why not, and a line in the log, if the value makes no sense.
    /// What the cache holds already is not read again.
    fn item(&self, key: &Arc<str>, entry: &Entry) -> Result<Arc<Item>, Arc<str>> {
        if let Some(known) = self.state.load().map.get(key).filter(|item| item.revision == entry.revision) {
            return Ok(known.clone());
        }
        let made = match &entry.reading {
            Reading::Unreadable(why) => Err(Error::Unreadable { why: why.clone() }),
            Reading::Current | Reading::Stale => self.shape.draft(key, &entry.value, entry.revision),
        };
        let made = made.and_then(|draft| Item::new(key.clone(), draft, entry.created, entry.revision));
        made.map(Arc::new).map_err(|error| {
            let (prefix, revision) = (self.prefix.escape_ascii(), entry.revision);
            tracing::error!(%prefix, %key, revision, %error, "unreadable object left out");
            error.to_string().into()
        })
    }

    /// Why an object of a key, or any key that begins so, cannot be shown; with the key it is about.
    pub(crate) fn unreadable(&self, from: &str) -> Option<(Arc<str>, Arc<str>)> {
        let unreadable = self.unreadable.lock();
        let state = self.state.load();
        let mut from_here = unreadable.range::<str, _>((Bound::Included(from), Bound::Unbounded));
        // what a change made readable while the list was under way is in the map
        let (key, why) = from_here.find(|(key, _)| !key.starts_with(from) || !state.map.contains_key(*key))?;
        key.starts_with(from).then(|| (key.clone(), why.clone()))
    }

    fn relative(&self, key: &[u8]) -> Option<Arc<str>> {
        std::str::from_utf8(key.strip_prefix(&self.prefix[..])?).ok().map(Into::into)
    }
}

/// What a change wrote.
fn written(change: &Change) -> Entry {
    Entry {
        key: change.key.clone(),
        value: change.value.clone(),
        created: change.created,
        revision: change.revision,
        reading: change.reading.clone(),
    }
}
