//! Endpoint slices of services with a selector: the addresses of their pods, with what each is good for.
//!
//! Hints for zones and nodes follow `trafficDistribution`. Absent: those of the annotation `topology-mode: Auto`.

use std::sync::Arc;

use nakhoda_api::kinds::core::{Node, Pod, Service};
use nakhoda_api::kinds::discovery::EndpointSlice;
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Change, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::backends;
use crate::context::{Context, Watches};
use crate::selector::matches_all;
use crate::slices::{MANAGED_BY, Plan, SERVICE_NAME};

pub mod hints;
pub mod plan;

const NAME: &str = "endpointslice";
const WORKERS: usize = 5;
/// The label of slices that this controller keeps.
pub const KEEPER: &str = "endpointslice-controller.k8s.io";
/// The index of slices by keeper and service.
const BY_SERVICE: &str = "service";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (services, pods) = (cx.informers.of::<Service>(), cx.informers.of::<Pod>());
    let (slices, nodes) = (cx.informers.of::<EndpointSlice>(), cx.informers.of::<Node>());
    slices.add_index(BY_SERVICE, by_service);
    let ledger = Ledger::default();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&services, |s: &Service| vec![Key::of(s)]);
    let all = services.clone();
    watches.on_change(&pods, move |change| backends::affected(&all, change));
    let seen = ledger.clone();
    watches.on_change(&slices, move |change| affected(KEEPER, &seen, change));
    let all = services.clone();
    watches.on_change(&nodes, move |change| moved(&all, change));
    watches.run(WORKERS, Slices { cx: cx.clone(), services, pods, slices, nodes, ledger });
}

struct Slices {
    cx: Context,
    services: Informer<Service>,
    pods: Informer<Pod>,
    slices: Informer<EndpointSlice>,
    nodes: Informer<Node>,
    ledger: Ledger,
}

// === impl Slices ===

impl Reconcile for Slices {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(service) = self.services.get(key) else {
            self.ledger.forget(key);
            return Ok(Outcome::Done);
        };
        let Some(spec) = backends::selecting(&service).filter(|_| !service.is_terminating()) else {
            return Ok(Outcome::Done);
        };
        if !self.ledger.settled(key) {
            return Ok(Outcome::Done);
        }
        let selected = |pod: &Arc<Pod>| matches_all(spec.selector.as_ref(), pod.metadata.labels.as_ref());
        let pods: Vec<_> = self.pods.in_namespace(&key.namespace).into_iter().filter(selected).collect();
        let groups = plan::groups(&service, spec, &pods, |node| self.zone(node));
        let existing = self.slices.by_index(BY_SERVICE, &format!("{KEEPER}/{key}"));
        Plan::new(&plan::shape(&service, spec), groups, &existing).execute(&self.cx.client, &self.ledger, key).await?;
        Ok(Outcome::Done)
    }
}

impl Slices {
    fn zone(&self, node: &str) -> Option<String> {
        zone(&*self.nodes.get(&Key::new("", node))?)
    }
}

/// The keeper, the namespace and the service of a slice.
#[must_use]
pub fn by_service(slice: &EndpointSlice) -> Vec<String> {
    let label = |name| slice.metadata.labels.as_ref().and_then(|l| l.get(name));
    let (Some(keeper), Some(service)) = (label(MANAGED_BY), label(SERVICE_NAME)) else { return Vec::new() };
    vec![format!("{keeper}/{}/{service}", slice.namespace())]
}

/// The service of a slice that this keeper made, or had made before its labels were changed.
pub fn affected(keeper: &str, ledger: &Ledger, change: &Change<EndpointSlice>) -> Vec<Key> {
    let key = |slice: &EndpointSlice| {
        let labels = slice.metadata.labels.as_ref()?;
        let name = labels.get(SERVICE_NAME).filter(|_| labels.get(MANAGED_BY).is_some_and(|k| k == keeper))?;
        Some(Key::new(slice.namespace(), name))
    };
    let mut keys: Vec<Key> = key(change.object()).into_iter().collect();
    match change {
        Change::Added(_) => keys.iter().for_each(|k| ledger.created(k)),
        Change::Updated { old, .. } => keys.extend(key(old)),
        Change::Deleted(_) => {}
    }
    keys
}

/// All services, if a node has moved to another zone.
fn moved(services: &Informer<Service>, change: &Change<Node>) -> Vec<Key> {
    match change {
        Change::Updated { old, new } if zone(old) != zone(new) => {
            services.list().iter().map(|s| Key::of(&**s)).collect()
        }
        _ => Vec::new(),
    }
}

fn zone(node: &Node) -> Option<String> {
    node.metadata.labels.as_ref()?.get(ZONE).filter(|z| !z.is_empty()).cloned()
}
