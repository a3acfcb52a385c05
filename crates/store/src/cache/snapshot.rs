//! [`Snapshot`]: all objects of a resource at one revision, to be walked without a lock.

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;

use super::filter::Filter;
use super::item::Item;

/// The objects of a resource in key order. Shares its structure with other snapshots of the resource.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) revision: u64,
    pub(crate) state: Arc<State>,
}

/// What a cache holds, and since when it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) map: OrdMap<Arc<str>, Arc<Item>>,
    /// The last revision that is known to be in the map.
    pub(crate) revision: u64,
    /// Whether the map follows the hub: then it is complete up to the hub's progress, too.
    pub(crate) live: bool,
    pub(crate) hot: Option<Arc<str>>,
}

/// A part of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<Arc<Item>>,
    /// The key of the last item walked, if there is more behind it: the next page begins after it.
    pub next: Option<Arc<str>>,
    /// How many are left behind this page; unknown when a filter would have to look at each.
    pub remaining: Option<usize>,
}

// === impl Snapshot ===

impl Snapshot {
    /// The revision of all of it: the resource version of a list.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// One object, by `namespace/name` or `name`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Arc<Item>> {
        self.state.map.get(key)
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.map.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.map.is_empty()
    }

    /// All items, of one namespace if given, behind the key `after`.
    pub fn walk<'a>(
        &'a self,
        namespace: Option<&'a str>,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Item>> + 'a {
        let first = namespace.map_or_else(String::new, |namespace| format!("{namespace}/"));
        let start = match after {
            Some(after) if after >= first.as_str() => Bound::Excluded(after),
            _ => Bound::Included(first.as_str()),
        };
        let range = self.state.map.range::<_, str>((start, Bound::Unbounded));
        range
            .map(|(_, item)| item)
            .take_while(move |item| namespace.is_none_or(|namespace| item.namespace() == namespace))
    }

    /// All items that pass a filter.
    pub fn select<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a Arc<Item>> + 'a {
        let hot = self.state.hot.as_deref();
        self.walk(filter.namespace.as_deref(), None).filter(move |item| filter.accepts(item, hot))
    }

    /// The next items that pass a filter, at most `limit` (0: all), behind the key `after`.
    #[must_use]
    pub fn page(&self, filter: &Filter, after: Option<&str>, limit: usize) -> Page {
        let hot = self.state.hot.as_deref();
        let whole = filter.name.is_none() && filter.hot.is_none() && filter.matches.is_none();
        let mut page = Page::default();
        let mut walk = self.walk(filter.namespace.as_deref(), after).filter(|item| filter.accepts(item, hot));
        for item in walk.by_ref() {
            page.items.push(item.clone());
            if limit != 0 && page.items.len() == limit {
                break;
            }
        }
        if walk.next().is_some() {
            page.next = page.items.last().map(|item| item.key().clone());
            page.remaining = whole.then(|| 1 + walk.count());
        }
        page
    }

    /// What passes a filter among the next `steps` items walked, so that the work of one call is bounded.
    pub(crate) fn stretch(&self, filter: &Filter, after: Option<&str>, steps: usize) -> Page {
        let hot = self.state.hot.as_deref();
        let mut page = Page::default();
        let mut walk = self.walk(filter.namespace.as_deref(), after).peekable();
        for item in walk.by_ref().take(steps) {
            page.next = Some(item.key().clone());
            if filter.accepts(item, hot) {
                page.items.push(item.clone());
            }
        }
        if walk.peek().is_none() {
            page.next = None;
        }
        page
    }
}
