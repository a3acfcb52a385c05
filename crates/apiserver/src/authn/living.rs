//! Whether the objects that a token is bound to are alive: asked of the caches, and once more of a fresh
//! state before a token is refused, because a cache may lag the write that made the object.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use nakhoda_api::GroupVersionResource;
use nakhoda_store::cache::Item;

use super::service_account::Living;
use crate::kinds::Kinds;
use crate::storage::{Storage, relative};

/// Reads the caches.
pub struct Cached {
    storage: Storage,
    kinds: Kinds,
}

// === impl Cached ===

impl Cached {
    /// Over the caches of this storage.
    #[must_use]
    pub const fn new(storage: Storage, kinds: Kinds) -> Self {
        Self { storage, kinds }
    }
}

impl Cached {
    async fn item(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Item>> {
        let kind = self.kinds.get(&GroupVersionResource::new("", "v1", resource))?;
        let (cache, key) = (self.storage.cache(&kind.info), relative(namespace, name));
        if let Some(item) = cache.snapshot().get(&key) {
            return Some(item.clone());
        }
        let fresh = cache.fresh().await.inspect_err(|error| tracing::warn!(%error, "cannot check a token")).ok()?;
        fresh.get(&key).cloned()
    }
}

impl Living for Cached {
    fn uid<'a>(&'a self, resource: &'a str, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Option<String>> {
        async move { self.item(resource, namespace, name).await.map(|item| item.uid().to_owned()) }.boxed()
    }

    fn object<'a>(&'a self, resource: &'a str, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Option<Bytes>> {
        async move { self.item(resource, namespace, name).await.map(|item| item.json().clone()) }.boxed()
    }
}
