//! [`Book`]: the quotas of a namespace as this process last wrote them, which the cache may not have seen yet.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use nakhoda_api::Status;
use nakhoda_api::kinds::core::ResourceQuota;
use nakhoda_store::cache::Item;
use nakhoda_store::store::List;
use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use crate::verb::{Call, outcome, write};

/// The books of all namespaces that have quotas.
#[derive(Debug, Default)]
pub struct Books(Mutex<HashMap<String, Arc<tokio::sync::Mutex<Book>>>>);

/// The quotas of one namespace, by name.
#[derive(Debug, Default)]
pub(super) struct Book(HashMap<String, Arc<Item>>);

/// A quota, and where it comes from.
pub(super) struct Held {
    pub(super) item: Arc<Item>,
    pub(super) quota: ResourceQuota,
}

/// Books that nobody uses are kept up to so many.
const KEPT: usize = 512;

/// The quotas as the cache has them.
pub(super) fn cached(quotas: &Call) -> Result<Vec<Held>, Status> {
    let snapshot = quotas.cache().snapshot();
    snapshot.walk(Some(quotas.namespace()), None).cloned().map(Held::of).collect()
}

/// The quotas as the store has them.
pub(super) async fn fresh(quotas: &Call) -> Result<Vec<Held>, Status> {
    let prefix: Bytes = quotas.key("");
    let listing = quotas.pipeline.storage().store().list(List { prefix: prefix.clone(), ..List::default() }).await;
    let entries = listing.map_err(|error| outcome::status(quotas, "", &error))?.entries;
    let item = |entry: &nakhoda_store::Entry| {
        let name = String::from_utf8_lossy(&entry.key[prefix.len()..]).into_owned();
        write::item_of(quotas, &name, entry).and_then(Held::of)
    };
    entries.iter().map(item).collect()
}

// === impl Books ===

impl Books {
    /// The book of a namespace, for one writer.
    pub(super) async fn lock(&self, namespace: &str) -> OwnedMutexGuard<Book> {
        let book = {
            let mut books = self.0.lock();
            if books.len() >= KEPT {
                books.retain(|_, book| Arc::strong_count(book) > 1);
            }
            books.entry(namespace.to_owned()).or_default().clone()
        };
        book.lock_owned().await
    }
}

// === impl Book ===

impl Book {
    /// Each quota that the cache knows, as it is known to be latest.
    pub(super) fn newest(&mut self, cached: Vec<Held>) -> Result<Vec<Held>, Status> {
        self.0.retain(|name, mine| {
            cached.iter().any(|held| held.item.name() == name && held.item.revision < mine.revision)
        });
        let newest = |held: Held| self.0.get(held.item.name()).cloned().map_or(Ok(held), Held::of);
        cached.into_iter().map(newest).collect()
    }

    /// Remembers what was written.
    pub(super) fn note(&mut self, item: Arc<Item>) {
        self.0.insert(item.name().to_owned(), item);
    }
}

// === impl Held ===

impl Held {
    fn of(item: Arc<Item>) -> Result<Self, Status> {
        let quota = serde_json::from_slice(item.json()).map_err(|error| Status::internal(&error))?;
        Ok(Self { item, quota })
    }
}
