//! How many pods the owners of pods want.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use nakhoda_api::kinds::apps::{Deployment, ReplicaSet, StatefulSet};
use nakhoda_api::kinds::core::{Pod, ReplicationController};
use nakhoda_api::kinds::meta::OwnerReference;
use nakhoda_api::{GroupResource, Object};
use nakhoda_client::{Client, Error, Informer, Key, Resource};

use crate::context::{Context, Watches};
use crate::served::Served;

/// Why the number of pods cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Unknown {
    /// The owner is not there, or is another one of that name.
    #[error("found no controllers for pod {0:?}")]
    NoController(String),
    /// The owner's kind has no scale.
    #[error("{0} does not implement the scale subresource")]
    NoScale(GroupResource),
    /// A request failed.
    #[error("{0}")]
    Api(#[source] Error),
}

/// Where owners say how many pods they want.
pub struct Scales {
    client: Client,
    deployments: Informer<Deployment>,
    replica_sets: Informer<ReplicaSet>,
    stateful_sets: Informer<StatefulSet>,
    controllers: Informer<ReplicationController>,
}

// === impl Scales ===

impl Scales {
    /// Reads shared caches; the controller waits until they are complete.
    #[must_use]
    pub fn new(cx: &Context, watches: &mut Watches) -> Self {
        let scales = Self {
            client: cx.client.clone(),
            deployments: cx.informers.of(),
            replica_sets: cx.informers.of(),
            stateful_sets: cx.informers.of(),
            controllers: cx.informers.of(),
        };
        watches.reads(&scales.deployments);
        watches.reads(&scales.replica_sets);
        watches.reads(&scales.stateful_sets);
        watches.reads(&scales.controllers);
        scales
    }

    /// The sum over all owners; pods without one do not count.
    pub async fn total(&self, pods: &[Arc<Pod>]) -> Result<i32, Unknown> {
        let mut by_owner: HashMap<String, i32> = HashMap::new();
        let mut seen: HashSet<&str> = HashSet::new();
        for pod in pods {
            let Some(owner) = pod.controller() else { continue };
            if !seen.insert(&owner.uid) {
                continue;
            }
            let found = match self.known(owner, pod.namespace()) {
                Some(found) => Some(found),
                None => self.scale(owner, pod.namespace()).await?,
            };
            let (uid, replicas) = found.ok_or_else(|| Unknown::NoController(pod.name().into()))?;
            by_owner.insert(uid, replicas);
        }
        Ok(by_owner.values().sum())
    }

    /// The owner among the kinds that are cached: of a replica set, the deployment that it is part of.
    fn known(&self, owner: &OwnerReference, namespace: &str) -> Option<(String, i32)> {
        let key = Key::new(namespace, &owner.name);
        let found = |uid: &str, replicas: Option<i32>| {
            (uid == owner.uid).then(|| (uid.to_owned(), replicas.unwrap_or(1)))
        };
        match (owner.api_version.as_str(), owner.kind.as_str()) {
            ("apps/v1", "StatefulSet") => {
                self.stateful_sets.get(&key).and_then(|s| found(s.uid(), s.spec.replicas))
            }
            ("v1", "ReplicationController") => {
                self.controllers.get(&key).and_then(|c| found(c.uid(), c.spec.as_ref()?.replicas))
            }
            ("apps/v1", "ReplicaSet") => {
                let set = self.replica_sets.get(&key).filter(|s| s.uid() == owner.uid)?;
                match set.controller() {
                    Some(parent) if parent.kind == "Deployment" => {
                        let deployment = self.deployments.get(&Key::new(namespace, &parent.name))?;
                        let replicas = deployment.spec.replicas.unwrap_or(1);
                        (deployment.uid() == parent.uid).then(|| (parent.uid.clone(), replicas))
                    }
                    _ => found(set.uid(), set.spec.replicas),
                }
            }
            _ => None,
        }
    }

    /// The owner by its scale subresource.
    async fn scale(&self, owner: &OwnerReference, namespace: &str) -> Result<Option<(String, i32)>, Unknown> {
        let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
        let served = Served::all(&self.client.discover().await.map_err(Unknown::Api)?);
        let Some(kind) = served.into_iter().find(|s| s.kind == owner.kind && s.gvr.group == group) else {
            return Ok(None);
        };
        let api = self.client.dynamic(&kind.gvr, kind.namespaced.then_some(namespace));
        match api.get_sub::<Object>(&owner.name, "scale").await {
            Ok(scale) if scale.uid() == owner.uid => {
                let replicas = scale.at(&["spec", "replicas"]).and_then(serde_json::Value::as_i64);
                Ok(Some((owner.uid.clone(), replicas.and_then(|r| i32::try_from(r).ok()).unwrap_or_default())))
            }
            Ok(_) => Ok(None),
            Err(error) if error.is_not_found() => match api.get(&owner.name).await {
                Ok(_) => Err(Unknown::NoScale(GroupResource::new(kind.gvr.group, kind.gvr.resource))),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(Unknown::Api(error)),
            },
            Err(error) => Err(Unknown::Api(error)),
        }
    }
}
