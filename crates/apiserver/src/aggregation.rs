//! Aggregation: versions of groups that other API servers serve, behind Services of the cluster. Requests for them
//! are authenticated and authorized here and handed on, with the caller's name in headers (`k8s.io/kube-aggregator`).
//!
//! What this server serves itself is listed as local APIServices. Absent: upgraded connections (exec, websocket) to
//! other servers, their OpenAPI v2 documents, and a `Stale` freshness: a server that cannot be asked is left out.

pub mod authentication;
pub mod follow;
pub mod local;
pub mod proxy;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use nakhoda_api::kinds::apiregistration::APIService;
use nakhoda_daemon::Tasks;
use nakhoda_daemon::tls::Files;
use serde_json::Value;

/// The servers that requests are handed on to. Cheap to clone; readers never wait.
#[derive(Clone)]
pub struct Aggregation {
    backends: Arc<ArcSwap<Backends>>,
    /// By what this server shows itself to be the one who may name callers.
    identity: Option<Arc<Files>>,
    tasks: Tasks,
}

/// By group and version.
type Backends = BTreeMap<(String, String), Arc<Backend>>;

/// One version of a group that another server serves.
#[derive(Debug)]
pub struct Backend {
    /// Who says so.
    pub service: APIService,
    /// Its part of the aggregated discovery document, once it was asked.
    pub discovery: ArcSwap<Value>,
}

// === impl Aggregation ===

impl Aggregation {
    /// With a certificate for requests that are handed on.
    #[must_use]
    pub fn new(identity: Option<Arc<Files>>, tasks: &Tasks) -> Self {
        Self { backends: Arc::default(), identity, tasks: tasks.clone() }
    }

    /// Who serves a version of a group, if not this server.
    #[must_use]
    pub fn backend(&self, group: &str, version: &str) -> Option<Arc<Backend>> {
        let backends = self.backends.load();
        if backends.is_empty() {
            return None;
        }
        backends.get(&(group.to_owned(), version.to_owned())).cloned()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Backend>> {
        self.backends.load().values().cloned().collect()
    }

    fn put(&self, service: &APIService) {
        let key = key(service);
        let backend = Arc::new(Backend { service: service.clone(), discovery: ArcSwap::from_pointee(Value::Null) });
        self.backends.rcu(|all| {
            let mut all = BTreeMap::clone(all);
            all.insert(key.clone(), backend.clone());
            all
        });
    }

    fn remove(&self, name: &str) {
        self.backends.rcu(|all| {
            let mut all = BTreeMap::clone(all);
            all.retain(|_, backend| backend.service.metadata.name.as_deref() != Some(name));
            all
        });
    }
}

fn key(service: &APIService) -> (String, String) {
    let spec = service.spec.clone().unwrap_or_default();
    (spec.group.unwrap_or_default(), spec.version.unwrap_or_default())
}
