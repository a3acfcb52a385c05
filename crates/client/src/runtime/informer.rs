//! [`Informers`]: one watch per kind per process, a cache of it, and any number of subscribers.
//!
//! A subscriber first gets what is there as [`Change::Added`], then every change, in order and
//! without gaps: both under the lock of the cache.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use nakhoda_api::status::chain;
use nakhoda_daemon::Tasks;
use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::cache::{Cache, IndexFn};
use super::watcher::{Event, Watcher};
use crate::api::Selection;
use crate::client::Client;
use crate::key::Key;
use crate::resource::Resource;

/// The informers of a process. Cheap to clone.
#[derive(Clone)]
pub struct Informers {
    client: Client,
    tasks: Tasks,
    shared: Arc<Mutex<HashMap<TypeId, Box<dyn Any + Send>>>>,
}

/// A cache of the objects of one kind that follows the API server. Cheap to clone.
pub struct Informer<K> {
    shared: Arc<Shared<K>>,
}

/// What happened to one object.
#[derive(Clone, Debug)]
pub enum Change<K> {
    /// It is new, or was there when the subscription began.
    Added(Arc<K>),
    /// It has changed.
    Updated {
        /// As it was.
        old: Arc<K>,
        /// As it is.
        new: Arc<K>,
    },
    /// It is gone; its last state.
    Deleted(Arc<K>),
}

struct Shared<K> {
    inner: RwLock<Inner<K>>,
    /// Cancelled once the state was read. It wakes in order, so that a simulation can be repeated; a `watch` does not.
    synced: CancellationToken,
}

struct Inner<K> {
    cache: Cache<K>,
    subscribers: Vec<mpsc::UnboundedSender<Change<K>>>,
}

// === impl Informers ===

impl Informers {
    /// Watches run in `tasks`.
    #[must_use]
    pub fn new(client: Client, tasks: Tasks) -> Self {
        Self { client, tasks, shared: Arc::default() }
    }

    /// The informer of a kind over all namespaces, shared by the whole process.
    pub fn of<K: Resource>(&self) -> Informer<K> {
        let mut shared = self.shared.lock();
        let known = shared.entry(TypeId::of::<K>()).or_insert_with(|| {
            let informer: Informer<K> = self.select(None, Selection::default());
            Box::new(informer)
        });
        known.downcast_ref::<Informer<K>>().expect("the entry of a type holds its informer").clone()
    }

    /// An informer of its own over part of a kind.
    pub fn select<K: Resource>(&self, namespace: Option<&str>, selection: Selection) -> Informer<K> {
        let informer = Informer::new();
        let watcher = Watcher::new(self.client.namespaced::<K>(namespace.unwrap_or_default()), selection);
        let name = format!("informer {}", K::URL_PATH_SEGMENT);
        self.tasks.spawn(name, follow(informer.clone(), watcher));
        informer
    }

    /// The client behind the watches.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }
}

// === impl Informer ===

impl<K: Resource> Informer<K> {
    /// An informer that nobody feeds yet. Tests feed it by [`Informer::apply`].
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner { cache: Cache::default(), subscribers: Vec::new() };
        Self { shared: Arc::new(Shared { inner: RwLock::new(inner), synced: CancellationToken::new() }) }
    }

    /// One object as last seen.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.shared.inner.read().cache.get(key)
    }

    /// All objects, in order of their keys.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<K>> {
        self.shared.inner.read().cache.list()
    }

    /// The objects of one namespace.
    #[must_use]
    pub fn in_namespace(&self, namespace: &str) -> Vec<Arc<K>> {
        self.shared.inner.read().cache.in_namespace(namespace)
    }

    /// The objects that an index lists under a value.
    #[must_use]
    pub fn by_index(&self, index: &str, value: &str) -> Vec<Arc<K>> {
        self.shared.inner.read().cache.by_index(index, value)
    }

    /// Adds an index; adding one again changes nothing.
    pub fn add_index(&self, name: &'static str, values: IndexFn<K>) {
        self.shared.inner.write().cache.add_index(name, values);
    }

    /// Every change from now on, after what is there already.
    #[must_use]
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<Change<K>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut inner = self.shared.inner.write();
        for object in inner.cache.list() {
            sender.send(Change::Added(object)).expect("the receiver is held here");
        }
        inner.subscribers.push(sender);
        receiver
    }

    /// Waits until the state was read once.
    pub async fn synced(&self) {
        self.shared.synced.cancelled().await;
    }

    /// Whether the state was read once.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.shared.synced.is_cancelled()
    }

    /// Takes in what a watcher told, and tells subscribers what that changed.
    pub fn apply(&self, event: Event<K>) {
        let complete = matches!(event, Event::Replaced(_));
        {
            let mut inner = self.shared.inner.write();
            let changes = inner.cache.apply(event);
            for change in changes {
                inner.tell(&change);
            }
        }
        if complete {
            self.shared.synced.cancel();
        }
    }
}

impl<K: Resource> Default for Informer<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Clone for Informer<K> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

// === impl Change ===

impl<K: Resource> Change<K> {
    /// The object as it is now, or was last.
    #[must_use]
    pub const fn object(&self) -> &Arc<K> {
        match self {
            Self::Added(object) | Self::Updated { new: object, .. } | Self::Deleted(object) => object,
        }
    }

    /// The object's key.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::of(&**self.object())
    }
}

// === impl Inner ===

impl<K: Resource> Inner<K> {
    /// A subscriber that has gone away is dropped.
    fn tell(&mut self, change: &Change<K>) {
        self.subscribers.retain(|subscriber| subscriber.send(change.clone()).is_ok());
    }
}

/// Of failures in a row the first is told, and that it works again.
async fn follow<K: Resource>(informer: Informer<K>, mut watcher: Watcher<K>) {
    let (mut failing, resource) = (false, K::URL_PATH_SEGMENT);
    loop {
        match watcher.next().await {
            Ok(event) => {
                informer.apply(event);
                if std::mem::take(&mut failing) {
                    tracing::info!(resource, "watch works again");
                }
            }
            Err(error) if error.is_expired() => tracing::debug!(resource, "starting over"),
            Err(error) if failing => tracing::debug!(resource, error = chain(&error), "watch failed again"),
            Err(error) => {
                failing = true;
                tracing::warn!(resource, error = chain(&error), "watch failed; trying again");
            }
        }
    }
}

#[cfg(test)]
mod tests;
