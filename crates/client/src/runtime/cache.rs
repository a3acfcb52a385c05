//! [`Cache`]: the objects of one informer, by key, by namespace and by any index.
//!
//! Invariant: the indices always agree with the objects; the changes told are exactly the difference.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::informer::Change;
use super::watcher::Event;
use crate::key::Key;
use crate::resource::Resource;

/// The values under which an index lists an object.
pub type IndexFn<K> = fn(&K) -> Vec<String>;

/// Objects by key.
#[derive(Debug)]
pub struct Cache<K> {
    objects: BTreeMap<Key, Arc<K>>,
    indices: HashMap<&'static str, Index<K>>,
}

#[derive(Debug)]
struct Index<K> {
    values: IndexFn<K>,
    keys: HashMap<String, BTreeSet<Key>>,
}

// === impl Cache ===

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), indices: HashMap::new() }
    }
}

impl<K: Resource> Cache<K> {
    /// One object.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.objects.get(key).cloned()
    }

    /// All objects, in order of their keys.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<K>> {
        self.objects.values().cloned().collect()
    }

    /// The objects of one namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        let from = Key::new(namespace, "");
        self.objects.range(from..).take_while(|(k, _)| k.namespace == namespace).map(|(_, v)| v.clone()).collect()
    }

    /// The objects that an index lists under a value; none if there is no such index.
    #[must_use]
    pub fn by_index(&self, index: &str, value: &str) -> Vec<Arc<K>> {
        let keys = self.indices.get(index).and_then(|index| index.keys.get(value));
        keys.into_iter().flatten().filter_map(|key| self.get(key)).collect()
    }

    /// Adds an index, over what is there too. One of the same name stays as it is.
    pub fn add_index(&mut self, name: &'static str, values: IndexFn<K>) {
        let objects = &self.objects;
        self.indices.entry(name).or_insert_with(|| {
            let mut index = Index { values, keys: HashMap::new() };
            for (key, object) in objects {
                index.insert(key, object);
            }
            index
        });
    }

    /// Takes in what a watcher tells, and says what that changed.
    pub fn apply(&mut self, event: Event<K>) -> Vec<Change<K>> {
        match event {
            Event::Replaced(objects) => self.replace(objects),
            Event::Applied(object) => self.put(object).into_iter().collect(),
            Event::Deleted(object) => self.remove(&Key::of(&object), Some(object)).into_iter().collect(),
        }
    }

    fn replace(&mut self, objects: Vec<K>) -> Vec<Change<K>> {
        let kept: BTreeSet<Key> = objects.iter().map(Key::of).collect();
        let gone: Vec<Key> = self.objects.keys().filter(|key| !kept.contains(key)).cloned().collect();
        let mut changes: Vec<_> = gone.iter().filter_map(|key| self.remove(key, None)).collect();
        changes.extend(objects.into_iter().filter_map(|object| self.put(object)));
        changes
    }

    /// Who owns which fields is nothing to those who read; a write that does not speak of it changes nothing of it.
    fn put(&mut self, mut object: K) -> Option<Change<K>> {
        object.metadata_mut().managed_fields = None;
        let key = Key::of(&object);
        let new = Arc::new(object);
        let old = self.objects.insert(key.clone(), new.clone());
        for index in self.indices.values_mut() {
            if let Some(old) = &old {
                index.remove(&key, old);
            }
            index.insert(&key, &new);
        }
        match old {
            None => Some(Change::Added(new)),
            Some(old) if old.metadata().resource_version == new.metadata().resource_version => None,
            Some(old) => Some(Change::Updated { old, new }),
        }
    }

    fn remove(&mut self, key: &Key, last: Option<K>) -> Option<Change<K>> {
        let old = self.objects.remove(key)?;
        for index in self.indices.values_mut() {
            index.remove(key, &old);
        }
        Some(Change::Deleted(last.map_or(old, Arc::new)))
    }
}

// === impl Index ===

impl<K> Index<K> {
    fn insert(&mut self, key: &Key, object: &K) {
        for value in (self.values)(object) {
            self.keys.entry(value).or_default().insert(key.clone());
        }
    }

    fn remove(&mut self, key: &Key, object: &K) {
        for value in (self.values)(object) {
            if let Some(keys) = self.keys.get_mut(&value) {
                keys.remove(key);
                if keys.is_empty() {
                    self.keys.remove(&value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
