//! What may have changed: the keys of Services whose rules must be made anew, out of the caches.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use nakhoda_client::{Change, Informer, Informers, Key, Selection};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::relay::Relay;
use crate::render::endpoints::Place;
use crate::table::{Element, Owner};
use crate::{ready, render};

const OWNER: &str = "service";
const OWNER_LABEL: &str = "kubernetes.io/service-name";
const ZONE: &str = "topology.kubernetes.io/zone";

/// The caches and their changes.
pub struct Track {
    place: Place,
    nodes: Informer<Node>,
    services: Informer<Service>,
    slices: Informer<EndpointSlice>,
    pods: Informer<Pod>,
    node_changes: UnboundedReceiver<Change<Node>>,
    service_changes: UnboundedReceiver<Change<Service>>,
    slice_changes: UnboundedReceiver<Change<EndpointSlice>>,
    pod_changes: UnboundedReceiver<Change<Pod>>,
}

// === impl Track ===

impl Track {
    /// Follows Services, slices, the node and its pods.
    #[must_use]
    pub fn new(informers: &Informers, node: &str) -> Self {
        let (services, slices) = (informers.of::<Service>(), informers.of::<EndpointSlice>());
        let mine = Selection { fields: format!("spec.nodeName={node}"), ..Selection::default() };
        let pods = informers.select::<Pod>(None, mine);
        let itself = Selection { fields: format!("metadata.name={node}"), ..Selection::default() };
        let nodes = informers.select::<Node>(None, itself);
        slices.add_index(OWNER, |slice| owner(slice).map(|key| key.to_string()).into_iter().collect());
        Self {
            place: Place { node: node.into(), ..Place::default() },
            node_changes: nodes.subscribe(),
            service_changes: services.subscribe(),
            slice_changes: slices.subscribe(),
            pod_changes: pods.subscribe(),
            services,
            slices,
            pods,
            nodes,
        }
    }

    /// Waits until the caches were filled once.
    pub async fn synced(&self) {
        tokio::join!(self.services.synced(), self.slices.synced(), self.pods.synced(), self.nodes.synced());
    }

    /// Waits for a change and takes all that are there.
    pub async fn changed(&mut self) -> BTreeSet<Owner> {
        let mut owners = BTreeSet::new();
        tokio::select! {
            Some(change) = self.service_changes.recv() => owners.extend(of_service(&change)),
            Some(change) = self.slice_changes.recv() => owners.extend(of_slice(&change)),
            Some(change) = self.pod_changes.recv() => owners.extend(of_pod(&change)),
            Some(change) = self.node_changes.recv() => owners.extend(self.moved(&change)),
        }
        while let Ok(change) = self.node_changes.try_recv() {
            owners.extend(self.moved(&change));
        }
        while let Ok(change) = self.service_changes.try_recv() {
            owners.extend(of_service(&change));
        }
        while let Ok(change) = self.slice_changes.try_recv() {
            owners.extend(of_slice(&change));
        }
        while let Ok(change) = self.pod_changes.try_recv() {
            owners.extend(of_pod(&change));
        }
        owners
    }

    /// All Services, if the node is in another zone now: hints mean something else then.
    fn moved(&mut self, change: &Change<Node>) -> Vec<Owner> {
        let zone = zone(change);
        if zone == self.place.zone {
            return Vec::new();
        }
        self.place.zone = zone;
        self.services.list().iter().map(|service| Owner::Service(Key::of(&**service).to_string())).collect()
    }

    /// The pods that a Service's slices call ready now.
    #[must_use]
    pub fn ready(&self, owner: &Owner) -> Vec<String> {
        match owner {
            Owner::Service(name) => ready::pods(&self.slices.by_index(OWNER, name)),
            Owner::Pod(_) => Vec::new(),
        }
    }

    /// What an owner wants now; nothing once it is gone.
    #[must_use]
    pub fn elements(&self, owner: &Owner) -> Vec<Element> {
        match owner {
            Owner::Service(name) => match self.services.get(&key(name)) {
                Some(service) => render::service(&service, &self.slices.by_index(OWNER, name), &self.place),
                None => Vec::new(),
            },
            Owner::Pod(name) => self.pods.get(&key(name)).map(|pod| render::host_ports(&pod)).unwrap_or_default(),
        }
    }

    /// The relays that an owner wants now.
    #[must_use]
    pub fn relays(&self, owner: &Owner) -> Vec<Relay> {
        match owner {
            Owner::Service(_) => Vec::new(),
            Owner::Pod(name) => self.pods.get(&key(name)).map(|pod| render::relays(&pod)).unwrap_or_default(),
        }
    }
}

fn key(name: &str) -> Key {
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    Key { namespace: namespace.into(), name: name.into() }
}

fn zone(change: &Change<Node>) -> String {
    match change {
        Change::Added(node) | Change::Updated { new: node, .. } => {
            node.metadata.labels.as_ref().and_then(|labels| labels.get(ZONE)).cloned().unwrap_or_default()
        }
        Change::Deleted(_) => String::new(),
    }
}

fn of_service(change: &Change<Service>) -> Option<Owner> {
    Some(Owner::Service(change.key().to_string()))
}

fn of_slice(change: &Change<EndpointSlice>) -> BTreeSet<Owner> {
    let touched: Vec<&Arc<EndpointSlice>> = match change {
        Change::Added(slice) | Change::Deleted(slice) => vec![slice],
        Change::Updated { old, new } => vec![old, new],
    };
    touched.into_iter().filter_map(|s| owner(s)).map(|key| Owner::Service(key.to_string())).collect()
}

fn of_pod(change: &Change<Pod>) -> Option<Owner> {
    Some(Owner::Pod(change.key().to_string()))
}

fn owner(slice: &EndpointSlice) -> Option<Key> {
    let name = slice.metadata.labels.as_ref()?.get(OWNER_LABEL)?;
    Some(Key { namespace: slice.metadata.namespace.clone().unwrap_or_default(), name: name.clone() })
}
