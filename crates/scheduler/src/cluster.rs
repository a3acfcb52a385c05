//! [`Cluster`]: nodes and placed pods as last seen, and what was assumed since.
//!
//! Invariant: a pod that was decided on counts on its node from that moment ([`Cluster::assume`]) until
//! the API shows where it is, or the binding fails ([`Cluster::forget`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nakhoda_api::kinds::core;
use nakhoda_api::kinds::pressure::NodePressure;
use nakhoda_client::Resource;

use crate::devices::Devices;
use crate::framework::{Changes, Step};
use crate::node::Node;
use crate::pod::PodInfo;

pub mod affinity;
pub mod budgets;
pub mod counters;
pub mod nominations;
pub mod pressures;
pub mod topology;
pub mod volumes;

use affinity::{Attitudes, Namespaces};
use budgets::Budgets;
pub use counters::{Counters, Group};
use nominations::Nominations;
use pressures::Pressures;
use topology::{Topologies, Topology};
use volumes::Volumes;

/// Nodes in an array, pods by UID.
#[derive(Debug, Default)]
pub struct Cluster {
    nodes: Vec<Node>,
    by_name: HashMap<String, usize>,
    vacant: Vec<usize>,
    known: usize,
    placed: HashMap<String, Placed>,
    images: HashMap<String, usize>,
    counters: Counters,
    attitudes: Attitudes,
    topologies: Topologies,
    budgets: Budgets,
    nominations: Nominations,
    volumes: Volumes,
    devices: Devices,
    namespaces: Namespaces,
    pressures: Pressures,
}

/// A pod that was taken from its node for a moment, to see how things would be.
pub struct Lifted {
    pod: Arc<PodInfo>,
    placed: Placed,
}

#[derive(Debug)]
struct Placed {
    slot: usize,
    assumed: bool,
}

// === impl Lifted ===

impl Lifted {
    /// Which pod.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.pod.uid
    }
}

// === impl Cluster ===

impl Cluster {
    /// The nodes that the API knows, each at its slot.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.known)
    }

    /// How many nodes the API knows.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.known
    }

    /// Whether there is no node.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.known == 0
    }

    /// How many slots there are, known nodes or not.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.nodes.len()
    }

    /// The node at a slot.
    #[must_use]
    pub fn at(&self, slot: usize) -> &Node {
        &self.nodes[slot]
    }

    /// A node by name, if the API knows it.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.by_name.get(name).map(|slot| &self.nodes[*slot]).filter(|node| node.known)
    }

    /// On how many nodes an image is.
    #[must_use]
    pub fn image_spread(&self, image: &str) -> usize {
        self.images.get(image).copied().unwrap_or_default()
    }

    /// How many pods of a group are at each slot; empty if it is not counted.
    #[must_use]
    pub fn count(&self, group: &Group) -> &[u32] {
        self.counters.get(group)
    }

    /// Counts a group from now on.
    pub fn track(&mut self, group: Group) {
        self.counters.track(group, &self.nodes, &self.namespaces);
    }

    /// Keeps the domains of a label from now on.
    pub fn follow(&mut self, key: &str) {
        self.topologies.track(key, &self.nodes);
    }

    /// The domains of a label that is followed.
    #[must_use]
    pub fn topology(&self, key: &str) -> Option<&Topology> {
        self.topologies.get(key)
    }

    /// What placed pods want of others near them.
    #[must_use]
    pub const fn attitudes(&self) -> &Attitudes {
        &self.attitudes
    }

    /// The disruption budgets.
    #[must_use]
    pub const fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// The disruption budgets, to be changed.
    pub const fn budgets_mut(&mut self) -> &mut Budgets {
        &mut self.budgets
    }

    /// Which pods were promised which node.
    #[must_use]
    pub const fn nominations(&self) -> &Nominations {
        &self.nominations
    }

    /// The promises, to be changed.
    pub const fn nominations_mut(&mut self) -> &mut Nominations {
        &mut self.nominations
    }

    /// Where tasks are stalled.
    #[must_use]
    pub const fn pressures(&self) -> &Pressures {
        &self.pressures
    }

    /// Where tasks are stalled, to be changed.
    pub const fn pressures_mut(&mut self) -> &mut Pressures {
        &mut self.pressures
    }

    /// A kubelet has measured its node.
    pub fn set_pressure(&mut self, report: &NodePressure) {
        let slot = self.by_name.get(report.name());
        let pods = slot.into_iter().flat_map(|slot| self.nodes[*slot].pods.values());
        self.pressures.measure(report, pods.map(|pod| &**pod));
    }

    /// Volumes and claims.
    #[must_use]
    pub const fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    /// Devices and claims to them.
    #[must_use]
    pub const fn devices(&self) -> &Devices {
        &self.devices
    }

    /// Devices and claims to them, to be changed.
    pub const fn devices_mut(&mut self) -> &mut Devices {
        &mut self.devices
    }

    /// What a pod needs at its node counts until the API shows it or [`Cluster::forget_steps`] is called.
    pub fn assume_steps(&mut self, pod: &PodInfo, steps: &[Step]) {
        self.volumes.assume(steps);
        for step in steps {
            if let Step::Reserve { claim, allocation: Some(allocation) } = step {
                self.devices.assume(claim, &pod.uid, (**allocation).clone());
            }
        }
    }

    /// What was decided did not come about.
    pub fn forget_steps(&mut self, steps: &[Step]) {
        self.volumes.forget(steps);
        for step in steps {
            if let Step::Reserve { claim, allocation: Some(_) } = step {
                self.devices.forget(claim);
            }
        }
    }

    /// Volumes and claims, to be changed.
    pub const fn volumes_mut(&mut self) -> &mut Volumes {
        &mut self.volumes
    }

    /// The labels of the namespaces.
    #[must_use]
    pub const fn namespaces(&self) -> &Namespaces {
        &self.namespaces
    }

    /// A namespace is new or has changed. Says whether its labels did.
    pub fn set_namespace(&mut self, object: &core::Namespace) -> bool {
        let labels = object.metadata.labels.clone().unwrap_or_default();
        let changed = self.namespaces.get(object.name()) != Some(&labels);
        if changed {
            self.namespaces.insert(object.name().into(), labels);
            self.counters.renamed();
        }
        changed
    }

    /// A namespace is gone.
    pub fn remove_namespace(&mut self, name: &str) {
        self.namespaces.remove(name);
    }

    /// A node is new or has changed. Says what of it is news, and where.
    pub fn set_node(&mut self, object: &core::Node) -> (usize, Changes) {
        let slot = self.slot(object.name());
        let images = std::mem::take(&mut self.nodes[slot].images);
        self.spread(images.keys(), false);
        let node = &mut self.nodes[slot];
        if !node.known {
            self.known += 1;
        }
        node.images = images;
        let changes = node.update(object);
        let images = std::mem::take(&mut node.images);
        self.spread(images.keys(), true);
        self.nodes[slot].images = images;
        if changes.meets(Changes::NODE_ADDED.or(Changes::NODE_LABELS)) {
            self.topologies.relabel(slot, &self.nodes[slot].labels);
        }
        (slot, changes)
    }

    /// A node is gone. Pods that are still said to be there keep its slot.
    pub fn remove_node(&mut self, name: &str) {
        let Some(slot) = self.by_name.get(name).copied().filter(|slot| self.nodes[*slot].known) else { return };
        let node = std::mem::take(&mut self.nodes[slot]);
        self.spread(node.images.keys(), false);
        self.known -= 1;
        let mut rest = Node { slot, name: node.name, ..Node::default() };
        for pod in node.pods.into_values() {
            rest.place(pod);
        }
        self.nodes[slot] = rest;
        self.topologies.relabel(slot, &BTreeMap::new());
        self.vacate(slot);
    }

    /// The API shows a pod on a node; it replaces what was assumed.
    pub fn place(&mut self, pod: Arc<PodInfo>) {
        let node = pod.node_name().to_owned();
        self.put(pod, &node, false);
    }

    /// A pod was decided on and will be bound.
    pub fn assume(&mut self, pod: Arc<PodInfo>, node: &str) {
        self.put(pod, node, true);
    }

    /// A binding has failed. Says which slot got room; none if the API has shown the pod since.
    pub fn forget(&mut self, uid: &str) -> Option<usize> {
        self.placed.get(uid).filter(|placed| placed.assumed)?;
        self.remove(uid)
    }

    /// A pod is gone or has ended. Says which slot got room.
    pub fn remove(&mut self, uid: &str) -> Option<usize> {
        let Placed { slot, .. } = self.placed.remove(uid)?;
        self.take(slot, uid);
        self.vacate(slot);
        Some(slot)
    }

    /// Takes a pod from its node until it is restored.
    pub fn lift(&mut self, uid: &str) -> Option<Lifted> {
        let placed = self.placed.remove(uid)?;
        let pod = self.take(placed.slot, uid)?;
        Some(Lifted { pod, placed })
    }

    /// Puts a pod back to where it was.
    pub fn restore(&mut self, lifted: Lifted) {
        let Lifted { pod, placed } = lifted;
        self.seat(pod, placed);
    }

    /// Whether a pod is decided on but not yet shown by the API.
    #[must_use]
    pub fn is_assumed(&self, uid: &str) -> bool {
        self.placed.get(uid).is_some_and(|placed| placed.assumed)
    }

    /// Whether a pod counts on a node.
    #[must_use]
    pub fn holds(&self, uid: &str) -> bool {
        self.placed.contains_key(uid)
    }

    fn put(&mut self, pod: Arc<PodInfo>, node: &str, assumed: bool) {
        self.remove(&pod.uid);
        self.nominations.remove(&pod.uid);
        let slot = self.slot(node);
        self.seat(pod, Placed { slot, assumed });
    }

    fn seat(&mut self, pod: Arc<PodInfo>, placed: Placed) {
        let slot = placed.slot;
        self.counters.add(slot, &pod, &self.namespaces);
        self.attitudes.add(slot, &pod, |key| self.topologies.hold(key, &self.nodes));
        self.volumes.add_user(&pod);
        self.placed.insert(pod.uid.clone(), placed);
        self.nodes[slot].place(pod);
    }

    fn take(&mut self, slot: usize, uid: &str) -> Option<Arc<PodInfo>> {
        let pod = self.nodes[slot].displace(uid)?;
        self.counters.remove(slot, &pod, &self.namespaces);
        self.attitudes.remove(slot, &pod, &mut self.topologies);
        self.volumes.remove_user(&pod);
        Some(pod)
    }

    fn slot(&mut self, name: &str) -> usize {
        if let Some(slot) = self.by_name.get(name) {
            return *slot;
        }
        let slot = self.vacant.pop().unwrap_or_else(|| {
            self.nodes.push(Node::default());
            self.nodes.len() - 1
        });
        self.nodes[slot] = Node { slot, name: name.into(), ..Node::default() };
        self.by_name.insert(name.into(), slot);
        self.counters.widen(self.nodes.len());
        slot
    }

    fn vacate(&mut self, slot: usize) {
        let node = &mut self.nodes[slot];
        if !node.known && node.pods.is_empty() {
            self.by_name.remove(&node.name);
            *node = Node { slot, ..Node::default() };
            self.vacant.push(slot);
        }
    }

    fn spread<'a>(&mut self, images: impl Iterator<Item = &'a String>, more: bool) {
        for image in images {
            let nodes = self.images.entry(image.clone()).or_default();
            *nodes = if more { *nodes + 1 } else { nodes.saturating_sub(1) };
            if *nodes == 0 {
                self.images.remove(image);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{info, node, pod};

    #[test]
    fn an_assumed_pod_counts_until_the_api_shows_it_or_the_binding_fails() {
        let mut cluster = Cluster::default();
        cluster.set_node(&node("n").build());
        let pending = info(pod("a").cpu("1"));
        cluster.assume(pending.clone(), "n");
        assert_eq!(cluster.node("n").expect("known").requested.cpu, 1000);
        assert_eq!(cluster.forget(&pending.uid), Some(0));
        assert_eq!(cluster.node("n").expect("known").requested.cpu, 0);
        cluster.assume(pending.clone(), "n");
        cluster.place(info(pod("a").cpu("1").on("n")));
        assert_eq!(cluster.forget(&pending.uid), None);
        assert_eq!(cluster.node("n").expect("known").requested.cpu, 1000);
    }

    #[test]
    fn pods_may_come_before_their_node_and_stay_after_it() {
        let mut cluster = Cluster::default();
        cluster.place(info(pod("a").cpu("1").on("n")));
        assert!(cluster.is_empty() && cluster.node("n").is_none());
        cluster.set_node(&node("n").build());
        assert_eq!(cluster.node("n").expect("known").requested.cpu, 1000);
        cluster.remove_node("n");
        assert!(cluster.is_empty() && cluster.holds("a"));
        cluster.remove("a");
        cluster.set_node(&node("other").build());
        assert_eq!((cluster.slots(), cluster.node("other").expect("known").requested.cpu), (1, 0));
    }

    #[test]
    fn image_spread_follows_the_nodes() {
        let mut cluster = Cluster::default();
        cluster.set_node(&node("n").image("i:1", 5).build());
        cluster.set_node(&node("m").image("i:1", 5).build());
        cluster.set_node(&node("m").image("i:1", 5).build());
        assert_eq!(cluster.image_spread("i:1"), 2);
        cluster.remove_node("n");
        cluster.set_node(&node("m").build());
        assert_eq!(cluster.image_spread("i:1"), 0);
    }
}
