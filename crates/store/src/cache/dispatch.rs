//! Who is told of an event: an index of the watchers of one resource, so that an event costs as much as
//! the watchers it is for, not as all there are.

use std::collections::HashMap;
use std::sync::Arc;

use super::event::Event;
use super::filter::Filter;
use super::item::Item;
use super::queue::Queue;
use super::watcher::Ended;

/// A watcher as the writer sees it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) queue: Arc<Queue>,
    pub(crate) filter: Arc<Filter>,
}

type Bucket = HashMap<u64, Target>;

/// Each watcher stands in exactly one bucket: the narrowest one that holds every event it may see.
#[derive(Debug, Default)]
pub(crate) struct Dispatch {
    next: u64,
    all: Bucket,
    names: HashMap<String, Bucket>,
    hot: HashMap<String, Bucket>,
    namespaces: HashMap<String, Bucket>,
}

// === impl Dispatch ===

impl Dispatch {
    /// Adds a watcher; the number to remove it by.
    pub(crate) fn add(&mut self, target: Target) -> u64 {
        let number = self.next;
        self.next += 1;
        let filter = target.filter.clone();
        let bucket = match self.index(&filter) {
            Some((index, value)) => index.entry(value.to_owned()).or_default(),
            None => &mut self.all,
        };
        bucket.insert(number, target);
        number
    }

    pub(crate) fn remove(&mut self, number: u64, filter: &Filter) {
        let Some((index, value)) = self.index(filter) else {
            self.all.remove(&number);
            return;
        };
        if let Some(bucket) = index.get_mut(value) {
            bucket.remove(&number);
            if bucket.is_empty() {
                index.remove(value);
            }
        }
    }

    /// Tells an event to all it is for; those that are full are gone afterwards.
    pub(crate) fn tell(&mut self, event: &Arc<Event>, hot: Option<&str>) {
        tell(&mut self.all, event, hot);
        let item = &event.item;
        for (index, value) in [(&mut self.names, item.name()), (&mut self.namespaces, item.namespace())] {
            if let Some(bucket) = index.get_mut(value) {
                tell(bucket, event, hot);
            }
        }
        if self.hot.is_empty() {
            return;
        }
        let now = value(&event.item, hot);
        let before = event.previous.as_ref().map(|item| value(item, hot)).filter(|before| *before != now);
        for value in std::iter::once(now).chain(before) {
            if let Some(bucket) = self.hot.get_mut(value) {
                tell(bucket, event, hot);
            }
        }
    }

    /// Ends all watchers.
    pub(crate) fn close(&mut self, why: Ended) {
        let narrow = [&mut self.names, &mut self.hot, &mut self.namespaces];
        for bucket in narrow.into_iter().flat_map(|index| index.values()).chain([&self.all]) {
            bucket.values().for_each(|target| target.queue.close(why));
        }
        *self = Self { next: self.next, ..Self::default() };
    }

    fn index<'f>(&mut self, filter: &'f Filter) -> Option<(&mut HashMap<String, Bucket>, &'f str)> {
        if let Some(name) = &filter.name {
            return Some((&mut self.names, name));
        }
        if let Some(value) = filter.hot.as_ref().filter(|value| !value.is_empty()) {
            return Some((&mut self.hot, value));
        }
        filter.namespace.as_ref().map(|namespace| (&mut self.namespaces, namespace.as_str()))
    }
}

fn tell(bucket: &mut Bucket, event: &Arc<Event>, hot: Option<&str>) {
    bucket.retain(|_, target| {
        let kind = event.seen(|item| target.filter.accepts(item, hot));
        kind.is_none_or(|kind| target.queue.push(event, kind))
    });
}

fn value<'a>(item: &'a Item, hot: Option<&str>) -> &'a str {
    hot.and_then(|hot| item.field(hot)).unwrap_or_default()
}
