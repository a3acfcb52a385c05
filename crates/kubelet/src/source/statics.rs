//! Static pods: those that files of the node ask for, API server or not. Each has a mirror in the API, by which others see
//! it; whoever deletes the mirror deletes only that. What the files say is `manifest`, the folder's changes are `folder`.
//!
//! Absent: manifests from a URL. A manifest is judged by the API server only when its mirror is made.

mod folder;
pub mod manifest;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, Preconditions};
use nakhoda_client::{Change, Client, Error, Informer, Key, Queue, owner};
use nakhoda_daemon::Tasks;
use parking_lot::Mutex;

use super::live::Live;
use crate::pod::manager::Manager;
use crate::pod::spec;

/// Names the manifest that a mirror shows.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// The static pods of a node. Cheap to clone.
#[derive(Clone)]
pub struct Statics {
    client: Client,
    node: String,
    nodes: Informer<Node>,
    live: Arc<Live>,
    manager: Manager,
    known: Arc<Mutex<HashMap<Key, Known>>>,
    queue: Queue<Key>,
}

/// What is known under one name.
#[derive(Clone, Default)]
struct Known {
    pod: Option<Arc<Pod>>,
    mirror: Option<Arc<Pod>>,
}

/// Whether a pod of the API is the mirror of a static one.
#[must_use]
pub fn is_mirror(pod: &Pod) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(MIRROR))
}

// === impl Statics ===

impl Statics {
    /// Keeps mirrors from now on.
    #[must_use]
    pub fn new(
        client: Client,
        node: &str,
        nodes: Informer<Node>,
        live: Arc<Live>,
        manager: Manager,
        tasks: &Tasks,
    ) -> Self {
        let (known, queue) = (Arc::default(), Queue::new());
        let statics = Self { client, node: node.into(), nodes, live, manager, known, queue };
        let keeper = statics.clone();
        tasks.spawn("mirror pods", async move {
            while let Some(key) = keeper.queue.take().await {
                keeper.keep(&key).await;
                keeper.queue.done(&key);
            }
        });
        statics
    }

    /// Runs what the folder asks for: at once what it holds now, then what comes and goes.
    pub fn follow(&self, folder: PathBuf, tasks: &Tasks) {
        self.set(manifest::read(&folder, &self.node));
        let statics = self.clone();
        tasks.spawn("static pods", async move {
            let mut changes = folder::Changes::of(&folder);
            loop {
                changes.next().await;
                statics.set(manifest::read(&folder, &statics.node));
            }
        });
    }

    /// Takes what the files ask for now. A manifest that has changed is another pod.
    fn set(&self, wanted: Vec<Pod>) {
        let mut wanted: HashMap<Key, Pod> = wanted.into_iter().map(|pod| (Key::of(&pod), pod)).collect();
        let mut known = self.known.lock();
        for (key, entry) in known.iter_mut() {
            let same = |pod: &Pod| wanted.get(key).is_some_and(|new| spec::uid(new) == spec::uid(pod));
            if let Some(old) = entry.pod.take_if(|pod| !same(pod)) {
                tracing::info!(pod = %key, "the static pod is not asked for any more");
                self.live.forget(&old);
                self.manager.gone(&old);
                self.queue.add(key.clone());
            }
        }
        for (key, pod) in wanted.drain() {
            let entry = known.entry(key.clone()).or_default();
            if entry.pod.is_none() {
                let pod = Arc::new(pod);
                tracing::info!(pod = %key, "static pod");
                self.live.found(&pod);
                self.manager.apply(pod.clone());
                entry.pod = Some(pod);
                self.queue.add(key);
            }
        }
    }

    /// Takes a change of a mirror.
    pub fn mirror(&self, change: Change<Pod>) {
        let key = change.key();
        let mirror = match change {
            Change::Added(pod) | Change::Updated { new: pod, .. } => Some(pod),
            Change::Deleted(_) => None,
        };
        self.known.lock().entry(key.clone()).or_default().mirror = mirror;
        self.queue.add(key);
    }

    async fn keep(&self, key: &Key) {
        match self.bring(key).await {
            Ok(()) => self.queue.forget(key),
            Err(error) => {
                tracing::debug!(pod = %key, %error, "its mirror is not as it should be; trying again");
                self.queue.add_backoff(key.clone());
            }
        }
    }

    /// Makes the mirror of a static pod, or removes one that mirrors nothing or an older manifest.
    async fn bring(&self, key: &Key) -> Result<(), Error> {
        let Known { pod, mirror } = self.known.lock().get(key).cloned().unwrap_or_default();
        let api = self.client.namespaced::<Pod>(&key.namespace);
        match (pod, mirror) {
            (None, None) => drop(self.known.lock().remove(key)),
            (Some(pod), Some(mirror)) if shows(&mirror, &pod) => self.live.mirrored(&pod, &mirror),
            (_, Some(mirror)) => {
                let preconditions = Preconditions { uid: mirror.metadata.uid.clone(), ..Preconditions::default() };
                let options = DeleteOptions {
                    grace_period_seconds: Some(0),
                    preconditions: Some(preconditions),
                    ..DeleteOptions::default()
                };
                match api.delete(&key.name, &options).await {
                    Err(error) if !error.is_not_found() && !error.is_conflict() => return Err(error),
                    _ => {}
                }
            }
            (Some(pod), None) => {
                self.nodes.synced().await;
                let node = self.nodes.get(&Key::new("", &self.node));
                let created = match node {
                    Some(node) => api.create(&mirror_of(&pod, &node)).await.map(drop),
                    // It registers itself at this moment; its informer will tell.
                    None => Err(nakhoda_api::Status::unavailable("this node is not registered yet", 1).into()),
                };
                match created {
                    Err(error) if !error.is_already_exists() => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn shows(mirror: &Pod, pod: &Pod) -> bool {
    let of = mirror.metadata.annotations.as_ref().and_then(|all| all.get(MIRROR)).map(String::as_str);
    of == Some(spec::uid(pod)) && !spec::is_deleted(mirror)
}

fn mirror_of(pod: &Pod, node: &Node) -> Pod {
    let mut mirror = pod.clone();
    mirror.metadata.annotations.get_or_insert_default().insert(MIRROR.into(), spec::uid(pod).into());
    let owned =
        k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference { block_owner_deletion: None, ..owner(node) };
    mirror.metadata.owner_references = Some(vec![owned]);
    mirror.metadata.uid = None;
    mirror.status = None;
    mirror
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_mirror_shows_its_manifest_until_either_changes() {
        let node: Node = serde_json::from_value(json!({"metadata": {"name": "n", "uid": "u"}})).expect("a node");
        let text = b"{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: i}]}}";
        let pod = manifest::parse(text, "/etc/web.yaml", "n").expect("a pod");
        let mut mirror = mirror_of(&pod, &node);
        assert!(is_mirror(&mirror) && shows(&mirror, &pod) && !is_mirror(&pod));
        let changed = manifest::parse(text, "/etc/other.yaml", "n").expect("a pod");
        assert!(!shows(&mirror, &changed));
        mirror.metadata.deletion_timestamp =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(jiff::Timestamp::UNIX_EPOCH));
        assert!(!shows(&mirror, &pod));
    }
}
