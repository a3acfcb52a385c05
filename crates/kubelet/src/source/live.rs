//! The real API behind [`Cluster`], made of the client's caches.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use k8s_openapi::api::authentication::v1::TokenRequestStatus;
use k8s_openapi::api::core::v1::{
    ConfigMap, Node, PersistentVolume, PersistentVolumeClaim, Pod, PodStatus, Secret, Service,
};
use k8s_openapi::api::node::v1::RuntimeClass;
use nakhoda_client::{Client, EventType, Informer, Informers, Key, Recorder, reference};
use nakhoda_daemon::Tasks;
use tokio::sync::mpsc;

use super::objects::Objects;
use super::statuses::Statuses;
use super::tokens::Tokens;
use super::{Cluster, Error, Severity, TokenWish};
use crate::pod::spec;

/// The API of a running node.
pub struct Live {
    recorder: Recorder,
    nodes: Informer<Node>,
    services: Informer<Service>,
    config_maps: Objects<ConfigMap>,
    secrets: Objects<Secret>,
    claims: Objects<PersistentVolumeClaim>,
    client: Client,
    tokens: Tokens,
    statuses: Statuses,
}

// === impl Live ===

impl Live {
    /// Over a client; the namespaces of objects that change go to `changed`.
    #[must_use]
    pub fn new(
        client: &Client,
        informers: &Informers,
        tasks: &Tasks,
        recorder: Recorder,
        changed: &mpsc::UnboundedSender<String>,
    ) -> Self {
        Self {
            recorder,
            nodes: informers.of::<Node>(),
            services: informers.of::<Service>(),
            config_maps: Objects::new(client.clone(), tasks.clone(), "configmap", changed.clone()),
            secrets: Objects::new(client.clone(), tasks.clone(), "secret", changed.clone()),
            claims: Objects::new(client.clone(), tasks.clone(), "persistentvolumeclaim", changed.clone()),
            client: client.clone(),
            tokens: Tokens::new(client.clone()),
            statuses: Statuses::new(client.clone(), tasks),
        }
    }

    /// Takes note of a pod as the API has it.
    pub fn seen(&self, pod: &Pod) {
        self.statuses.seen(pod);
    }

    /// Takes note of a static pod, which the API does not know.
    pub fn found(&self, pod: &Pod) {
        self.statuses.found(pod);
    }

    /// Takes note of a static pod's mirror.
    pub fn mirrored(&self, pod: &Pod, mirror: &Pod) {
        self.statuses.mirrored(pod, mirror);
    }

    /// Forgets a pod that the API has no more.
    pub fn forget(&self, pod: &Pod) {
        self.statuses.forget(spec::uid(pod));
        self.tokens.forget(spec::uid(pod));
    }
}

impl Cluster for Live {
    fn config_map<'a>(&'a self, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Result<Arc<ConfigMap>, Error>> {
        self.config_maps.get(Key::new(namespace, name)).boxed()
    }

    fn secret<'a>(&'a self, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Result<Arc<Secret>, Error>> {
        self.secrets.get(Key::new(namespace, name)).boxed()
    }

    fn volume_of<'a>(&'a self, namespace: &'a str, claim: &'a str) -> BoxFuture<'a, Result<PersistentVolume, Error>> {
        async move {
            let found = self.claims.get(Key::new(namespace, claim)).await?;
            if found.status.as_ref().and_then(|s| s.phase.as_deref()) != Some("Bound") {
                return Err(Error::Failed("PVC is not bound".into()));
            }
            let name = found.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or_default();
            let volume = self.client.all::<PersistentVolume>().get(name).await;
            volume.map_err(|error| Error::Failed(error.to_string()))
        }
        .boxed()
    }

    fn token<'a>(&'a self, pod: &'a Pod, wish: &'a TokenWish) -> BoxFuture<'a, Result<TokenRequestStatus, Error>> {
        self.tokens.get(pod, wish).boxed()
    }

    fn runtime_handler<'a>(&'a self, class: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        async move {
            match self.client.all::<RuntimeClass>().get(class).await {
                Ok(class) => Ok(class.handler),
                Err(error) if error.is_not_found() => {
                    Err(Error::NotFound(format!("runtimeclass.node.k8s.io {class:?} not found")))
                }
                Err(error) => Err(Error::Failed(format!("failed to lookup RuntimeClass {class}: {error}"))),
            }
        }
        .boxed()
    }

    fn node(&self, name: &str) -> Option<Arc<Node>> {
        self.nodes.get(&Key { namespace: String::new(), name: name.into() })
    }

    fn services(&self) -> BoxFuture<'_, Vec<Arc<Service>>> {
        async {
            self.services.synced().await;
            self.services.list()
        }
        .boxed()
    }

    fn event(&self, pod: &Pod, field: Option<String>, severity: Severity, reason: &str, message: String) {
        let kind = match severity {
            Severity::Normal => EventType::Normal,
            Severity::Warning => EventType::Warning,
        };
        let mut about = reference(pod);
        about.field_path = field;
        self.recorder.event(&about, kind, reason, message);
    }

    fn status(&self, pod: &Arc<Pod>, status: PodStatus) {
        self.statuses.set(pod, status);
    }

    fn remove(&self, pod: &Arc<Pod>) {
        self.statuses.finish(pod);
    }
}
