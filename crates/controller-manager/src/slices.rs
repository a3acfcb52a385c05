//! Endpoint slices from groups of endpoints: what is still right stays where it is, so that a change of
//! one pod changes one slice.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::future::try_join_all;
use nakhoda_api::kinds::discovery::{Endpoint, EndpointPort, EndpointSlice};
use nakhoda_api::kinds::meta::{ObjectMeta, OwnerReference};
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Client, Key, Resource, Result};

use crate::pod_control::{exactly, is_namespace_terminating};

/// The label that names the service of a slice.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The label that names the keeper of a slice.
pub const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";

/// Endpoints that share their ports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// `IPv4` or `IPv6`.
    pub address_type: String,
    /// The ports of all of them.
    pub ports: Vec<EndpointPort>,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// What all slices of a service have.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The service's namespace.
    pub namespace: String,
    /// The service's name.
    pub service: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// All annotations.
    pub annotations: BTreeMap<String, String>,
    /// Who owns them.
    pub owner: OwnerReference,
    /// The most endpoints of one slice.
    pub capacity: usize,
}

/// What to write.
#[derive(Debug, Default, PartialEq)]
pub struct Plan {
    /// New slices.
    pub create: Vec<EndpointSlice>,
    /// Slices with other contents.
    pub update: Vec<EndpointSlice>,
    /// Slices that nobody needs.
    pub delete: Vec<Arc<EndpointSlice>>,
}

// === impl Plan ===

impl Plan {
    /// Brings existing slices to the groups. A group without endpoints keeps one empty slice.
    #[must_use]
    pub fn new(shape: &Shape, groups: Vec<Group>, existing: &[Arc<EndpointSlice>]) -> Self {
        let mut plan = Self::default();
        let mut left: Vec<Arc<EndpointSlice>> = existing.to_vec();
        for group in groups {
            let fits = |slice: &Arc<EndpointSlice>| {
                let ports = slice.ports.as_deref().unwrap_or_default();
                slice.address_type == group.address_type && same_ports(ports, &group.ports)
            };
            let (own, rest) = left.into_iter().partition(fits);
            left = rest;
            plan.fill(shape, group, own);
        }
        plan.delete.extend(left);
        plan
    }

    /// Writes the plan. What is created is owed by the ledger until the cache shows it.
    pub async fn execute(self, client: &Client, ledger: &Ledger, key: &Key) -> Result<()> {
        let api = client.namespaced::<EndpointSlice>(&key.namespace);
        for slice in &self.create {
            ledger.expect_creations(key, 1);
            if let Err(error) = api.create(slice).await {
                ledger.created(key);
                return if is_namespace_terminating(&error) { Ok(()) } else { Err(error) };
            }
        }
        try_join_all(self.update.iter().map(|slice| api.update(slice))).await?;
        for slice in &self.delete {
            match api.delete(slice.name(), &exactly(&**slice)).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn fill(&mut self, shape: &Shape, group: Group, own: Vec<Arc<EndpointSlice>>) {
        let mut wanted: HashMap<String, Endpoint> = HashMap::new();
        let mut order: Vec<String> = Vec::new();
        for endpoint in group.endpoints {
            let id = identity(&endpoint);
            order.push(id.clone());
            wanted.insert(id, endpoint);
        }
        let mut kept: Vec<(Arc<EndpointSlice>, Vec<Endpoint>)> = Vec::new();
        for slice in own {
            let ids = slice.endpoints.iter().flatten().map(identity);
            let stay: Vec<Endpoint> = ids.filter_map(|id| wanted.remove(&id)).collect();
            kept.push((slice, stay));
        }
        let mut fresh: Vec<Endpoint> = order.iter().filter_map(|id| wanted.remove(id)).collect();
        for (_, stay) in &mut kept {
            let room = shape.capacity.saturating_sub(stay.len()).min(fresh.len());
            stay.extend(fresh.drain(..room));
        }
        let mut any = false;
        for (slice, stay) in kept {
            if stay.is_empty() && (any || !order.is_empty()) {
                self.delete.push(slice);
                continue;
            }
            any = true;
            self.update.extend(changed(shape, &slice, stay));
        }
        let ports = group.ports;
        for chunk in fresh.chunks(shape.capacity) {
            any = true;
            self.create.push(build(shape, &group.address_type, ports.clone(), chunk.to_vec()));
        }
        if !any {
            self.create.push(build(shape, &group.address_type, ports, Vec::new()));
        }
    }
}

/// The slice with other contents, if that is a change.
fn changed(shape: &Shape, slice: &EndpointSlice, endpoints: Vec<Endpoint>) -> Option<EndpointSlice> {
    let mut next = slice.clone();
    next.endpoints = Some(endpoints);
    next.metadata.labels = Some(shape.labels.clone());
    if !shape.annotations.is_empty() || next.metadata.annotations.is_some() {
        next.metadata.annotations = Some(shape.annotations.clone());
    }
    let same = next.metadata == slice.metadata
        && next.endpoints.as_deref().unwrap_or_default() == slice.endpoints.as_deref().unwrap_or_default();
    (!same).then_some(next)
}

fn build(shape: &Shape, address_type: &str, ports: Vec<EndpointPort>, endpoints: Vec<Endpoint>) -> EndpointSlice {
    EndpointSlice {
        metadata: ObjectMeta {
            generate_name: Some(format!("{}-", shape.service)),
            namespace: Some(shape.namespace.clone()),
            labels: Some(shape.labels.clone()),
            annotations: (!shape.annotations.is_empty()).then(|| shape.annotations.clone()),
            owner_references: Some(vec![shape.owner.clone()]),
            ..ObjectMeta::default()
        },
        address_type: address_type.into(),
        ports: Some(ports),
        endpoints: Some(endpoints),
    }
}

/// An empty name is none.
fn same_ports(a: &[EndpointPort], b: &[EndpointPort]) -> bool {
    let plain =
        |port: &EndpointPort| EndpointPort { name: Some(port.name.clone().unwrap_or_default()), ..port.clone() };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| plain(a) == plain(b))
}

/// What makes an endpoint the same one in two states.
#[must_use]
pub fn identity(endpoint: &Endpoint) -> String {
    match endpoint.target_ref.as_ref().and_then(|r| r.uid.as_ref()) {
        Some(uid) => uid.clone(),
        None => endpoint.addresses.join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::discovery::EndpointConditions;

    fn shape(capacity: usize) -> Shape {
        Shape {
            namespace: "default".into(),
            service: "web".into(),
            labels: [(SERVICE_NAME.to_owned(), "web".to_owned())].into(),
            annotations: BTreeMap::new(),
            owner: OwnerReference::default(),
            capacity,
        }
    }

    fn endpoint(ip: &str, ready: bool) -> Endpoint {
        let conditions = EndpointConditions { ready: Some(ready), ..EndpointConditions::default() };
        Endpoint { addresses: vec![ip.into()], conditions: Some(conditions), ..Endpoint::default() }
    }

    fn group(ips: &[&str]) -> Group {
        let endpoints = ips.iter().map(|ip| endpoint(ip, true)).collect();
        Group { address_type: "IPv4".into(), ports: Vec::new(), endpoints }
    }

    fn made(ips: &[&str]) -> Vec<Arc<EndpointSlice>> {
        Plan::new(&shape(2), vec![group(ips)], &[]).create.into_iter().map(Arc::new).collect()
    }

    #[test]
    fn endpoints_are_cut_into_slices_and_none_gives_an_empty_one() {
        assert_eq!(
            made(&["1", "2", "3"]).iter().map(|s| s.endpoints.as_ref().map(Vec::len)).collect::<Vec<_>>(),
            [Some(2), Some(1)]
        );
        assert_eq!(made(&[]).len(), 1);
        assert_eq!(Plan::new(&shape(2), vec![group(&[])], &made(&[])), Plan::default());
    }

    #[test]
    fn one_changed_endpoint_changes_one_slice() {
        let existing = made(&["1", "2", "3"]);
        let mut wanted = group(&["1", "2", "3"]);
        assert_eq!(Plan::new(&shape(2), vec![wanted.clone()], &existing), Plan::default());
        wanted.endpoints[2] = endpoint("3", false);
        let plan = Plan::new(&shape(2), vec![wanted], &existing);
        assert_eq!((plan.create.len(), plan.update.len(), plan.delete.len()), (0, 1, 0));
    }

    #[test]
    fn a_new_endpoint_fills_a_gap_and_an_empty_slice_goes() {
        let existing = made(&["1", "2", "3"]);
        let plan = Plan::new(&shape(2), vec![group(&["1", "3", "4"])], &existing);
        assert_eq!((plan.create.len(), plan.update.len(), plan.delete.len()), (0, 1, 0));
        let plan = Plan::new(&shape(2), vec![group(&["1", "2"])], &existing);
        assert_eq!((plan.create.len(), plan.update.len(), plan.delete.len()), (0, 0, 1));
        let plan = Plan::new(&shape(2), vec![group(&["7"])], &made(&["1"]));
        assert_eq!((plan.create.len(), plan.update.len(), plan.delete.len()), (0, 1, 0), "the slice is used again");
    }
}
