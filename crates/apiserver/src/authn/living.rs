//! Whether the objects that a token is bound to are alive: asked of the caches, and once more of a fresh
//! state before a token is refused, because a cache may lag the write that made the object.

use futures::future::{BoxFuture, FutureExt};
use nakhoda_api::GroupVersionResource;

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

impl Living for Cached {
    fn uid<'a>(&'a self, resource: &'a str, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Option<String>> {
        async move {
            let kind = self.kinds.get(&GroupVersionResource::new("", "v1", resource))?;
            let (cache, key) = (self.storage.cache(&kind.info), relative(namespace, name));
            if let Some(item) = cache.snapshot().get(&key) {
                return Some(item.uid().to_owned());
            }
            let fresh = cache.fresh().await.inspect_err(|error| tracing::warn!(%error, "cannot check a token")).ok()?;
            fresh.get(&key).map(|item| item.uid().to_owned())
        }
        .boxed()
    }
}
