//! Where objects lie: the store, one watch cache for each prefix, and the keys, laid out as upstream
//! lays them out (`/registry/<resource>/<namespace>/<name>`), so that either can take over the other's
//! etcd.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use k8s_openapi::Resource;
use nakhoda_api::{GroupVersionKind, GroupVersionResource};
use nakhoda_store::Store;
use nakhoda_store::cache::{Cache, Caches, Item, Snapshot};
use serde::de::DeserializeOwned;

use crate::kind::{Info, Served};
use crate::kinds::Kinds;

mod shape;
mod stored;

pub use shape::KindShape;
pub use stored::Stored;

/// Everything lies under this.
const ROOT: &str = "/registry/";

/// The store with its caches. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    caches: Caches,
    kinds: Kinds,
    open: ArcSwap<HashMap<&'static str, Open>>,
}

#[derive(Clone)]
struct Open {
    cache: Cache,
    shape: Arc<KindShape>,
}

// === impl Storage ===

impl Storage {
    /// Opens the caches of all kinds that are served now; they fill in the background.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, caches: Caches, kinds: Kinds) -> Self {
        let storage = Self { inner: Arc::new(Inner { store, caches, kinds, open: ArcSwap::default() }) };
        for kind in storage.inner.kinds.all().iter().filter(|kind| !kind.info.virtual_) {
            let _ = storage.open(&kind.info);
        }
        storage
    }

    /// The store itself.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// All caches together.
    #[must_use]
    pub fn caches(&self) -> &Caches {
        &self.inner.caches
    }

    /// The cache of a kind; kinds with one storage share it.
    #[must_use]
    pub fn cache(&self, info: &Info) -> Cache {
        self.open(info).cache
    }

    /// How stored values of a kind are read.
    #[must_use]
    pub fn shape(&self, info: &Info) -> Arc<KindShape> {
        self.open(info).shape
    }

    /// The cache of kinds with one storage that are not served yet.
    #[must_use]
    pub fn prepare(&self, kinds: &[Arc<Served>]) -> Option<Cache> {
        let info = &kinds.first()?.info;
        Some(self.open_with(info, || kinds.to_vec()).cache)
    }

    fn open(&self, info: &Info) -> Open {
        self.open_with(info, || {
            let all = self.inner.kinds.all().into_iter();
            all.filter(|kind| kind.info.storage == info.storage && !kind.info.virtual_).collect()
        })
    }

    fn open_with(&self, info: &Info, kinds: impl FnOnce() -> Vec<Arc<Served>>) -> Open {
        if let Some(open) = self.inner.open.load().get(info.storage) {
            return open.clone();
        }
        let shape = Arc::new(KindShape::new(kinds()));
        let cache = self.inner.caches.open(&format!("{ROOT}{}/", info.storage), shape.clone());
        let open = Open { cache, shape };
        self.inner.open.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(info.storage, open.clone());
            all
        });
        open
    }

    /// Forgets how the objects of a prefix are read, and ends who follows them: the kind is served no more, or anew.
    pub fn close(&self, storage: &'static str) {
        self.inner.open.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.remove(storage);
            all
        });
        self.inner.caches.close(&format!("{ROOT}{storage}/"));
    }

    /// The store's key of an object.
    #[must_use]
    pub fn key(&self, info: &Info, namespace: &str, name: &str) -> Bytes {
        format!("{ROOT}{}/{}", info.storage, relative(namespace, name)).into()
    }

    /// An object of a resource as the cache has it now; not linearizable.
    #[must_use]
    pub fn item(&self, resource: &GroupVersionResource, namespace: &str, name: &str) -> Option<Arc<Item>> {
        let kind = self.inner.kinds.get(resource)?;
        self.cache(&kind.info).snapshot().get(&relative(namespace, name)).cloned()
    }

    /// All objects of a resource as the cache has them now; `None` if it is not served.
    #[must_use]
    pub fn snapshot(&self, resource: &GroupVersionResource) -> Option<Snapshot> {
        let kind = self.inner.kinds.get(resource)?;
        Some(self.cache(&kind.info).snapshot())
    }

    /// A typed object as the cache has it now.
    #[must_use]
    pub fn get<T: Resource + DeserializeOwned>(&self, namespace: &str, name: &str) -> Option<T> {
        let item = self.typed_snapshot::<T>()?.get(&relative(namespace, name)).cloned()?;
        read(&item)
    }

    /// All objects of a type, of one namespace if given, as the cache has them now.
    #[must_use]
    pub fn list<T: Resource + DeserializeOwned>(&self, namespace: Option<&str>) -> Vec<T> {
        let Some(snapshot) = self.typed_snapshot::<T>() else { return Vec::new() };
        snapshot.walk(namespace, None).filter_map(|item| read(item)).collect()
    }

    fn typed_snapshot<T: Resource>(&self) -> Option<Snapshot> {
        let kind = self.inner.kinds.by_kind(&GroupVersionKind::new(T::GROUP, T::VERSION, T::KIND))?;
        Some(self.cache(&kind.info).snapshot())
    }
}

/// The key within a resource: `namespace/name`, or `name`.
#[must_use]
pub fn relative(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

fn read<T: DeserializeOwned>(item: &Item) -> Option<T> {
    serde_json::from_slice(item.json())
        .inspect_err(|error| tracing::warn!(key = %item.key(), %error, "a stored object does not fit its type"))
        .ok()
}
