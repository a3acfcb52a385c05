//! Endpoint slices of services without a selector: mirrored from an Endpoints object that a person made.

use std::sync::Arc;

use nakhoda_api::kinds::core::{EndpointAddress, EndpointSubset, Endpoints, Service};
use nakhoda_api::kinds::discovery::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Informer, Key, Outcome, Reconcile, Resource, Result, owner};

use super::endpoint_slice::{affected, by_service};
use crate::context::{Context, Watches};
use crate::slices::{Group, MANAGED_BY, Plan, SERVICE_NAME, Shape};

const NAME: &str = "endpointslicemirroring";
const KEEPER: &str = "endpointslicemirroring-controller.k8s.io";
const BY_SERVICE: &str = "service";
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
/// The most endpoints of one slice, and the most that are mirrored of one subset.
const CAPACITY: usize = 1_000;
/// Annotations that are not copied.
const NOT_COPIED: [&str; 2] =
    ["endpoints.kubernetes.io/last-change-trigger-time", "kubectl.kubernetes.io/last-applied-configuration"];

/// Starts the controller.
pub fn start(cx: &Context) {
    let (services, endpoints) = (cx.informers.of::<Service>(), cx.informers.of::<Endpoints>());
    let slices = cx.informers.of::<EndpointSlice>();
    slices.add_index(BY_SERVICE, by_service);
    let ledger = Ledger::default();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&endpoints, |e: &Endpoints| vec![Key::of(e)]);
    watches.on(&services, |s: &Service| vec![Key::of(s)]);
    let seen = ledger.clone();
    watches.on_change(&slices, move |change| affected(KEEPER, &seen, change));
    watches.run(2, Mirror { cx: cx.clone(), services, endpoints, slices, ledger });
}

struct Mirror {
    cx: Context,
    services: Informer<Service>,
    endpoints: Informer<Endpoints>,
    slices: Informer<EndpointSlice>,
    ledger: Ledger,
}

// === impl Mirror ===

impl Reconcile for Mirror {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        if !self.ledger.settled(key) {
            return Ok(Outcome::Done);
        }
        let existing = self.slices.by_index(BY_SERVICE, &format!("{KEEPER}/{key}"));
        let plan = match self.original(key) {
            Some(endpoints) => Plan::new(&shape(&endpoints), groups(&endpoints), &existing),
            None => Plan { delete: existing, ..Plan::default() },
        };
        plan.execute(&self.cx.client, &self.ledger, key).await?;
        Ok(Outcome::Done)
    }
}

impl Mirror {
    /// The Endpoints to mirror, if there is such a service, it selects no pods itself, and nobody
    /// forbids it.
    fn original(&self, key: &Key) -> Option<Arc<Endpoints>> {
        let endpoints = self.endpoints.get(key).filter(|e| is_mirrored(e))?;
        let service = self.services.get(key)?;
        service.spec.as_ref().is_some_and(|s| s.selector.is_none()).then_some(endpoints)
    }
}

fn is_mirrored(endpoints: &Endpoints) -> bool {
    let skipped = endpoints.metadata.labels.as_ref().and_then(|l| l.get(SKIP)).is_some_and(|v| v == "true");
    let elects = endpoints.metadata.annotations.as_ref();
    let elects = elects.is_some_and(|a| a.contains_key("control-plane.alpha.kubernetes.io/leader"));
    !skipped && !elects && !endpoints.is_terminating()
}

fn shape(endpoints: &Endpoints) -> Shape {
    let mut labels = endpoints.metadata.labels.clone().unwrap_or_default();
    labels.insert(SERVICE_NAME.into(), endpoints.name().into());
    labels.insert(MANAGED_BY.into(), KEEPER.into());
    let mut annotations = endpoints.metadata.annotations.clone().unwrap_or_default();
    annotations.retain(|key, _| !NOT_COPIED.contains(&key.as_str()));
    Shape {
        namespace: endpoints.namespace().into(),
        service: endpoints.name().into(),
        labels,
        annotations,
        owner: owner(endpoints),
        capacity: CAPACITY,
    }
}

/// One group for the ports and the address family of each subset. No address, no slice.
fn groups(endpoints: &Endpoints) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for subset in endpoints.subsets.iter().flatten() {
        let ports = ports(subset);
        let ready = subset.addresses.iter().flatten().map(|a| (a, true));
        let unready = subset.not_ready_addresses.iter().flatten().map(|a| (a, false));
        for (address, ready) in ready.chain(unready).take(CAPACITY) {
            let family = if address.ip.contains(':') { "IPv6" } else { "IPv4" };
            let endpoint = endpoint(address, ready);
            match groups.iter_mut().find(|g| g.address_type == family && g.ports == ports) {
                Some(group) => group.endpoints.push(endpoint),
                None => groups.push(Group {
                    address_type: family.into(),
                    ports: ports.clone(),
                    endpoints: vec![endpoint],
                }),
            }
        }
    }
    groups
}

fn ports(subset: &EndpointSubset) -> Vec<EndpointPort> {
    let ports = subset.ports.iter().flatten();
    let told = ports.map(|p| EndpointPort {
        name: Some(p.name.clone().unwrap_or_default()),
        port: Some(p.port),
        protocol: Some(p.protocol.clone().unwrap_or_else(|| "TCP".into())),
        app_protocol: p.app_protocol.clone(),
    });
    told.collect()
}

fn endpoint(address: &EndpointAddress, ready: bool) -> Endpoint {
    Endpoint {
        addresses: vec![address.ip.clone()],
        conditions: Some(EndpointConditions { ready: Some(ready), ..EndpointConditions::default() }),
        target_ref: address.target_ref.clone(),
        node_name: address.node_name.clone(),
        hostname: address.hostname.clone().filter(|h| !h.is_empty()),
        ..Endpoint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::core::EndpointPort as Port;

    #[test]
    fn subsets_become_groups_by_family_and_ports() {
        let address = |ip: &str| EndpointAddress { ip: ip.into(), ..EndpointAddress::default() };
        let mut endpoints = Endpoints::default();
        endpoints.metadata.name = Some("db".into());
        endpoints.subsets = Some(vec![EndpointSubset {
            addresses: Some(vec![address("10.0.0.1"), address("fd00::1")]),
            not_ready_addresses: Some(vec![address("10.0.0.2")]),
            ports: Some(vec![Port { port: 5432, ..Port::default() }]),
        }]);
        let groups = groups(&endpoints);
        assert_eq!(groups.iter().map(|g| (g.address_type.as_str(), g.endpoints.len())).collect::<Vec<_>>(), [
            ("IPv4", 2),
            ("IPv6", 1)
        ]);
        assert_eq!(groups[0].ports[0].protocol.as_deref(), Some("TCP"));
        endpoints.metadata.labels = Some([(SKIP.to_owned(), "true".to_owned())].into());
        assert!(!is_mirrored(&endpoints));
    }
}
