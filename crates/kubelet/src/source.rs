//! What pods need of the API while they run, as one seam: the real one is made of the client's caches,
//! a test's is a few values.

pub mod live;
pub mod objects;
pub mod patch;
pub mod pods;
pub mod statics;
pub mod statuses;
pub mod tokens;

use futures::future::BoxFuture;
use k8s_openapi::api::authentication::v1::TokenRequestStatus;
use k8s_openapi::api::core::v1::{ConfigMap, Node, PersistentVolume, Pod, PodStatus, Secret, Service};
use std::sync::Arc;

/// The API did not answer as hoped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such object.
    #[error("{0}")]
    NotFound(String),
    /// It could not be asked.
    #[error("{0}")]
    Failed(String),
}

/// A token that a pod asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenWish {
    /// Whose.
    pub account: String,
    /// For whom; empty means the API server.
    pub audience: String,
    /// How long, in seconds.
    pub seconds: i64,
}

/// Normal or warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// All is well.
    Normal,
    /// Something is not.
    Warning,
}

/// The API, as a node's pods need it.
pub trait Cluster: Send + Sync + 'static {
    /// A ConfigMap.
    fn config_map<'a>(&'a self, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Result<Arc<ConfigMap>, Error>>;
    /// A Secret.
    fn secret<'a>(&'a self, namespace: &'a str, name: &'a str) -> BoxFuture<'a, Result<Arc<Secret>, Error>>;
    /// The volume that a claim is bound to, as it is now.
    fn volume_of<'a>(&'a self, namespace: &'a str, claim: &'a str) -> BoxFuture<'a, Result<PersistentVolume, Error>>;
    /// A service account's token, bound to the pod.
    fn token<'a>(&'a self, pod: &'a Pod, wish: &'a TokenWish) -> BoxFuture<'a, Result<TokenRequestStatus, Error>>;
    /// The runtime that a RuntimeClass names.
    fn runtime_handler<'a>(&'a self, class: &'a str) -> BoxFuture<'a, Result<String, Error>>;
    /// A node, once it is known.
    fn node(&self, name: &str) -> Option<Arc<Node>>;
    /// The Services of all namespaces, once they are known.
    fn services(&self) -> BoxFuture<'_, Vec<Arc<Service>>>;
    /// Tells an event about a pod; `field` names a container as upstream does (`spec.containers{a}`).
    fn event(&self, pod: &Pod, field: Option<String>, severity: Severity, reason: &str, message: String);
    /// Tells a pod's status, if it differs from what was told last.
    fn status(&self, pod: &Arc<Pod>, status: PodStatus);
    /// Removes a pod that has ended from the API, by uid and without grace.
    fn remove(&self, pod: &Arc<Pod>);
}
