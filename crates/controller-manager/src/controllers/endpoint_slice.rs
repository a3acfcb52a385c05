//! Endpoint slices of services with a selector: the addresses of their pods, with what each is good for.
//!
//! Hints for zones and nodes follow `trafficDistribution`, or the annotation `topology-mode: Auto`.

use std::collections::BTreeSet;
use std::sync::Arc;

use nakhoda_api::kinds::core::{Node, Pod, Service};
use nakhoda_api::kinds::discovery::EndpointSlice;
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Change, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result};
use parking_lot::Mutex;

use crate::backends;
use crate::context::{Context, Watches};
use crate::selector::matches_all;
use crate::slices::{MANAGED_BY, Plan, SERVICE_NAME};
use crate::told::Told;

pub mod hints;
pub mod plan;
pub mod topology;

use topology::{Refusal, share};

const NAME: &str = "endpointslice";
const WORKERS: usize = 5;
/// The label of slices that this controller keeps.
pub const KEEPER: &str = "endpointslice-controller.k8s.io";
/// The index of slices by keeper and service.
const BY_SERVICE: &str = "service";
const ZONE: &str = "topology.kubernetes.io/zone";
const ENABLED: &str = "TopologyAwareHintsEnabled";
const DISABLED: &str = "TopologyAwareHintsDisabled";

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
    let (all, known, there) = (services.clone(), slices.clone(), nodes.clone());
    watches.on_change(&nodes, move |change| unbalanced(&all, &known, &there, change));
    let recorder = cx.recorder("endpoint-slice-controller");
    let hinted = Mutex::default();
    watches.run(WORKERS, Slices { cx: cx.clone(), services, pods, slices, nodes, ledger, recorder, hinted });
}

struct Slices {
    cx: Context,
    services: Informer<Service>,
    pods: Informer<Pod>,
    slices: Informer<EndpointSlice>,
    nodes: Informer<Node>,
    ledger: Ledger,
    recorder: Recorder,
    /// Services that were given hints by zone.
    hinted: Mutex<BTreeSet<Key>>,
}

// === impl Slices ===

impl Reconcile for Slices {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(service) = self.services.get(key) else {
            self.ledger.forget(key);
            self.hinted.lock().remove(key);
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
        let mut groups = plan::groups(&service, spec, &pods, |node| self.zone(node));
        let existing = self.slices.by_index(BY_SERVICE, &format!("{KEEPER}/{key}"));
        let auto = topology::is_auto(&service);
        if auto {
            topology::carry(&mut groups, &existing);
        }
        let mut plan = Plan::new(&plan::shape(&service, spec), groups, &existing);
        let shares = auto.then(|| topology::shares(&self.nodes.list())).flatten();
        let mut told = Vec::new();
        for family in plan::families(spec) {
            let given = auto.then(|| topology::give(&mut plan, &existing, family, shares.as_ref()));
            told.extend(self.noticed(key, family, given));
        }
        plan.execute(&self.cx.client, &self.ledger, key).await?;
        told.into_iter().for_each(|told| told.about(&*service, &self.recorder));
        Ok(Outcome::Done)
    }
}

impl Slices {
    /// Notes whether a service has hints by zone, and says what is to be told of that.
    fn noticed(&self, key: &Key, family: &str, given: Option<std::result::Result<(), Refusal>>) -> Option<Told> {
        let mut hinted = self.hinted.lock();
        let (reason, message) = match given {
            Some(Ok(())) if hinted.insert(key.clone()) => (ENABLED, "Topology Aware Hints has been enabled".to_owned()),
            Some(Ok(())) => return None,
            Some(Err(refusal)) => {
                hinted.remove(key);
                (DISABLED, refusal.to_string())
            }
            None if hinted.remove(key) => (DISABLED, "Topology Aware Hints has been disabled".to_owned()),
            None => return None,
        };
        Some(Told { warning: reason == DISABLED, reason, message: format!("{message}, addressType: {family}") })
    }

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

/// Services whose hints no longer suit the zones, if what these weigh has changed.
fn unbalanced(
    services: &Informer<Service>,
    slices: &Informer<EndpointSlice>,
    nodes: &Informer<Node>,
    change: &Change<Node>,
) -> Vec<Key> {
    if let Change::Updated { old, new } = change
        && topology::weight(old) == topology::weight(new)
    {
        return Vec::new();
    }
    let auto: Vec<Key> = services.list().iter().filter(|s| topology::is_auto(s)).map(|s| Key::of(&**s)).collect();
    if auto.is_empty() {
        return auto;
    }
    let shares = topology::shares(&nodes.list());
    let unsuited = |key: &Key| {
        let hinted = topology::hinted(&slices.by_index(BY_SERVICE, &format!("{KEEPER}/{key}")));
        share::is_overloaded(&hinted, shares.as_ref())
    };
    auto.into_iter().filter(unsuited).collect()
}

fn zone(node: &Node) -> Option<String> {
    node.metadata.labels.as_ref()?.get(ZONE).filter(|z| !z.is_empty()).cloned()
}
