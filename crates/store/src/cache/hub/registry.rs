//! Which cache a key belongs to.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use parking_lot::Mutex;

use crate::cache::Settings;
use crate::cache::resource::Resource;
use crate::cache::shape::Shape;

pub(crate) type Resources = HashMap<Bytes, Arc<Resource>>;

/// The caches by prefix: read at each batch of changes, written when a resource comes or goes.
#[derive(Default)]
pub(crate) struct Registry {
    all: ArcSwap<Resources>,
    writer: Mutex<()>,
}

// === impl Registry ===

impl Registry {
    pub(crate) fn all(&self) -> Arc<Resources> {
        self.all.load_full()
    }

    /// The cache of a prefix, and whether it is new.
    pub(crate) fn open(&self, prefix: Bytes, shape: Arc<dyn Shape>, settings: &Settings) -> (Arc<Resource>, bool) {
        let _writer = self.writer.lock();
        let mut all = (*self.all()).clone();
        if let Some(resource) = all.get(&prefix) {
            return (resource.clone(), false);
        }
        let resource = Arc::new(Resource::new(prefix.clone(), shape, settings));
        all.insert(prefix, resource.clone());
        self.all.store(Arc::new(all));
        (resource, true)
    }

    pub(crate) fn close(&self, prefix: &[u8]) {
        let _writer = self.writer.lock();
        let mut all = (*self.all()).clone();
        if let Some(resource) = all.remove(prefix) {
            self.all.store(Arc::new(all));
            resource.close();
        }
    }
}

/// The cache with the longest prefix of a key; prefixes end with `/`.
pub(crate) fn find<'a>(all: &'a Resources, key: &[u8]) -> Option<&'a Arc<Resource>> {
    let slashes = key.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    slashes.map(|(at, _)| &key[..=at]).find_map(|prefix| all.get(prefix))
}
