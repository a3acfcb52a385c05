//! Keeps the authorizers' indices current from the watch caches. They are filled once before the first
//! request is answered.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::Resource;
use nakhoda_api::kinds::core::{PersistentVolume, Pod};
use nakhoda_api::kinds::rbac::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use nakhoda_api::kinds::resource::ResourceSlice;
use nakhoda_api::kinds::storage::VolumeAttachment;
use nakhoda_api::{GroupVersionKind, status::chain};
use nakhoda_daemon::Tasks;
use nakhoda_store::cache::{Cache, EventKind, Filter, Item, Start, WatchItem, WatchRequest};
use serde::de::DeserializeOwned;

use super::node::{About, NodeAuthorizer};
use super::rbac::Rbac;
use crate::kinds::Kinds;
use crate::storage::Storage;

/// Between two attempts to watch a cache that refused.
const AGAIN: Duration = Duration::from_millis(200);

/// What an index does with one kind of object.
trait Indexed<T>: Clone + Send + Sync + 'static {
    /// Whether an object matters at all: one that does not is not read.
    fn concerns(_: &Item) -> bool {
        true
    }
    fn put(&self, object: T);
    fn remove(&self, namespace: &str, name: &str);
}

#[derive(Clone)]
struct Bindings<A>(A);

/// Fills both indices and follows from there.
pub async fn follow(storage: &Storage, kinds: &Kinds, rbac: &Rbac, node: &NodeAuthorizer, tasks: &Tasks) {
    start::<Role, _>(storage, kinds, rbac.clone(), tasks).await;
    start::<ClusterRole, _>(storage, kinds, rbac.clone(), tasks).await;
    start::<RoleBinding, _>(storage, kinds, Bindings(rbac.clone()), tasks).await;
    start::<ClusterRoleBinding, _>(storage, kinds, Bindings(rbac.clone()), tasks).await;
    start::<Pod, _>(storage, kinds, node.clone(), tasks).await;
    start::<PersistentVolume, _>(storage, kinds, node.clone(), tasks).await;
    start::<VolumeAttachment, _>(storage, kinds, node.clone(), tasks).await;
    start::<ResourceSlice, _>(storage, kinds, node.clone(), tasks).await;
}

async fn start<T, I>(storage: &Storage, kinds: &Kinds, index: I, tasks: &Tasks)
where
    T: Resource + DeserializeOwned + Send + 'static,
    I: Indexed<T>,
{
    let kind = kinds.by_kind(&GroupVersionKind::new(T::GROUP, T::VERSION, T::KIND));
    let kind = kind.expect("the authorizers' kinds are built in");
    let cache = storage.cache(&kind.info);
    cache.ready().await;
    let filled = Arc::new(tokio::sync::Notify::new());
    tasks.spawn(format!("index of {}", kind.info.plural), keep(cache, index, filled.clone()));
    filled.notified().await;
}

/// Runs for as long as the process; a watcher that ends is opened anew, and then tells everything again.
async fn keep<T, I>(cache: Cache, index: I, filled: Arc<tokio::sync::Notify>)
where
    T: DeserializeOwned + Send + 'static,
    I: Indexed<T>,
{
    let mut known = HashSet::new();
    loop {
        let mut told = HashSet::new();
        let mut initial = true;
        let snapshot = cache.snapshot();
        let request = WatchRequest {
            start: Start::Initial(snapshot),
            filter: Filter::all(),
            bookmarks: None,
            initial_events_end: true,
        };
        match cache.watch(request).await {
            Ok(mut watcher) => {
                while let Some(item) = watcher.next().await {
                    match item {
                        Ok(WatchItem::Bookmark { initial_events_end: true, .. }) => {
                            // What went while nobody watched grants nothing any more.
                            forget(&index, &known, &told);
                            known = std::mem::take(&mut told);
                            initial = false;
                            filled.notify_one();
                        }
                        Ok(WatchItem::Bookmark { .. }) => {}
                        Ok(WatchItem::Notice(notice)) => {
                            let seen = if initial { &mut told } else { &mut known };
                            apply(&index, seen, notice.kind, &notice.item);
                        }
                        Err(error) => {
                            tracing::debug!(%error, "index watch ended");
                            break;
                        }
                    }
                }
            }
            Err(error) => tracing::warn!(error = chain(&error), "index watch refused"),
        }
        // A watch that broke off amid the initial objects has told some of them.
        known.extend(told);
        tokio::time::sleep(AGAIN).await;
    }
}

/// Removes what was known and is not told any more.
fn forget<T, I: Indexed<T>>(index: &I, known: &HashSet<Arc<str>>, told: &HashSet<Arc<str>>) {
    for key in known.difference(told) {
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        index.remove(namespace, name);
    }
}

fn apply<T: DeserializeOwned, I: Indexed<T>>(index: &I, seen: &mut HashSet<Arc<str>>, kind: EventKind, item: &Item) {
    if kind == EventKind::Deleted || !I::concerns(item) {
        seen.remove(item.key());
        return index.remove(item.namespace(), item.name());
    }
    seen.insert(item.key().clone());
    match serde_json::from_slice(item.json()) {
        Ok(object) => index.put(object),
        Err(error) => tracing::warn!(key = %item.key(), %error, "a stored object does not fit its type"),
    }
}

// === impl Indexed ===

impl Indexed<Role> for Rbac {
    fn put(&self, role: Role) {
        self.change(|index| index.put_role(role));
    }

    fn remove(&self, namespace: &str, name: &str) {
        self.change(|index| index.remove_role(namespace, name));
    }
}

impl Indexed<ClusterRole> for Rbac {
    fn put(&self, role: ClusterRole) {
        self.change(|index| index.put_cluster_role(role));
    }

    fn remove(&self, _: &str, name: &str) {
        self.change(|index| index.remove_cluster_role(name));
    }
}

impl Indexed<RoleBinding> for Bindings<Rbac> {
    fn put(&self, binding: RoleBinding) {
        self.0.change(|index| index.put_binding(binding));
    }

    fn remove(&self, namespace: &str, name: &str) {
        self.0.change(|index| index.remove_binding(namespace, name));
    }
}

impl Indexed<ClusterRoleBinding> for Bindings<Rbac> {
    fn put(&self, binding: ClusterRoleBinding) {
        self.0.change(|index| index.put_cluster_binding(binding));
    }

    fn remove(&self, _: &str, name: &str) {
        self.0.change(|index| index.remove_binding("", name));
    }
}

impl Indexed<PersistentVolume> for NodeAuthorizer {
    fn put(&self, volume: PersistentVolume) {
        self.put_volume(&volume);
    }

    fn remove(&self, _: &str, name: &str) {
        self.remove_volume(name);
    }
}

impl Indexed<Pod> for NodeAuthorizer {
    /// One that is bound to no node refers to nothing.
    fn concerns(item: &Item) -> bool {
        item.field("spec.nodeName").is_some_and(|node| !node.is_empty())
    }

    fn put(&self, pod: Pod) {
        Self::put(self, &pod);
    }

    fn remove(&self, namespace: &str, name: &str) {
        Self::remove(self, namespace, name);
    }
}

impl Indexed<VolumeAttachment> for NodeAuthorizer {
    fn put(&self, attachment: VolumeAttachment) {
        let name = attachment.metadata.name.unwrap_or_default();
        self.put_about(About::Attachment, &name, Some(&attachment.spec.node_name));
    }

    fn remove(&self, _: &str, name: &str) {
        self.put_about(About::Attachment, name, None);
    }
}

impl Indexed<ResourceSlice> for NodeAuthorizer {
    fn put(&self, slice: ResourceSlice) {
        let name = slice.metadata.name.unwrap_or_default();
        self.put_about(About::Slice, &name, slice.spec.node_name.as_deref());
    }

    fn remove(&self, _: &str, name: &str) {
        self.put_about(About::Slice, name, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::policy;
    use crate::user::User;

    #[test]
    fn a_binding_that_went_unseen_grants_nothing() {
        let rbac = Rbac::default();
        rbac.change(|index| policy::built_in().into_iter().for_each(|p| policy::put(index, p)));
        let user = User { groups: vec!["system:masters".into()], ..User::default() };
        let granted = || rbac.read(|index| index.rules_of(&user, "").count());
        let known = HashSet::from(["cluster-admin".into()]);
        let before = granted();
        forget::<ClusterRoleBinding, _>(&Bindings(rbac.clone()), &known, &known);
        assert_eq!(granted(), before);
        forget::<ClusterRoleBinding, _>(&Bindings(rbac.clone()), &known, &HashSet::new());
        assert!(granted() < before);
    }
}
