//! What the names are made of: Services and EndpointSlices, found by name and by address.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use nakhoda_client::Key;
use nakhoda_client::{Informer, Informers};

const OWNER: &str = "service";
const ADDRESS: &str = "address";
const OWNER_LABEL: &str = "kubernetes.io/service-name";

/// The caches. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    services: Informer<Service>,
    slices: Informer<EndpointSlice>,
}

/// An endpoint with the ports of its slice.
#[derive(Clone, Debug)]
pub struct Member {
    /// It.
    pub endpoint: Endpoint,
    /// Its ports.
    pub ports: Vec<EndpointPort>,
}

// === impl Directory ===

impl Directory {
    /// Follows the cluster.
    #[must_use]
    pub fn new(informers: &Informers) -> Self {
        Self::over(informers.of(), informers.of())
    }

    /// Over caches that someone else fills.
    #[must_use]
    pub fn over(services: Informer<Service>, slices: Informer<EndpointSlice>) -> Self {
        services.add_index(ADDRESS, cluster_ips);
        slices.add_index(OWNER, |s| vec![owner(s)]);
        slices.add_index(ADDRESS, |s| s.endpoints.iter().flatten().flat_map(|e| e.addresses.clone()).collect());
        Self { services, slices }
    }

    /// Waits until both caches were filled once.
    pub async fn synced(&self) {
        self.services.synced().await;
        self.slices.synced().await;
    }

    /// A Service by its name.
    #[must_use]
    pub fn service(&self, namespace: &str, name: &str) -> Option<Arc<Service>> {
        self.services.get(&Key { namespace: namespace.into(), name: name.into() })
    }

    /// Whether any Service lives in a namespace.
    #[must_use]
    pub fn has_namespace(&self, namespace: &str) -> bool {
        !self.services.in_namespace(namespace).is_empty()
    }

    /// The endpoints of a Service that may be told: ready ones (a slice says ready for all where the
    /// Service publishes addresses that are not).
    #[must_use]
    pub fn members(&self, namespace: &str, name: &str) -> Vec<Member> {
        let slices = self.slices.by_index(OWNER, &format!("{namespace}/{name}"));
        slices.iter().flat_map(|slice| members(slice)).collect()
    }

    /// The Service that has this cluster IP.
    #[must_use]
    pub fn service_at(&self, address: &str) -> Option<Arc<Service>> {
        self.services.by_index(ADDRESS, address).into_iter().next()
    }

    /// The endpoints with this address: namespace, Service, endpoint.
    #[must_use]
    pub fn members_at(&self, address: &str) -> Vec<(String, String, Member)> {
        let slices = self.slices.by_index(ADDRESS, address);
        let found = slices.iter().flat_map(|slice| {
            let (namespace, name) =
                owner(slice).split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap_or_default();
            members(slice).map(move |m| (namespace.clone(), name.clone(), m))
        });
        found.filter(|(_, _, m)| m.endpoint.addresses.iter().any(|a| a == address)).collect()
    }
}

fn members(slice: &EndpointSlice) -> impl Iterator<Item = Member> {
    let ports = slice.ports.clone().unwrap_or_default();
    let ready = |e: &Endpoint| e.conditions.as_ref().and_then(|c| c.ready).unwrap_or(true);
    slice
        .endpoints
        .iter()
        .flatten()
        .filter(move |e| ready(e))
        .map(move |e| Member { endpoint: e.clone(), ports: ports.clone() })
}

fn owner(slice: &EndpointSlice) -> String {
    let meta = &slice.metadata;
    let service = meta.labels.as_ref().and_then(|l| l.get(OWNER_LABEL)).map(String::as_str).unwrap_or_default();
    format!("{}/{service}", meta.namespace.as_deref().unwrap_or_default())
}

fn cluster_ips(service: &Service) -> Vec<String> {
    let spec = service.spec.as_ref();
    let many = spec.and_then(|s| s.cluster_ips.clone()).unwrap_or_default();
    let one = spec.and_then(|s| s.cluster_ip.clone());
    let mut all = if many.is_empty() { one.into_iter().collect() } else { many };
    all.retain(|ip| !ip.is_empty() && ip != "None");
    all
}

/// The cluster IPs of a Service; empty for a headless one.
#[must_use]
pub fn addresses(service: &Service) -> Vec<String> {
    cluster_ips(service)
}
