//! [`Node`]: a node and what is placed on it, updated in place.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nakhoda_api::kinds::core::{self, Taint};
use nakhoda_api::quantity::Quantity;

use crate::framework::Changes;
use crate::pod::{HostPort, PodInfo};
use crate::resources::Resources;

/// A node as the scheduler sees it.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its place in the cluster's array, stable while it exists.
    pub slot: usize,
    /// Its name.
    pub name: String,
    /// False while only pods speak of it.
    pub known: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it repels.
    pub taints: Vec<Taint>,
    /// Whether it was cordoned.
    pub unschedulable: bool,
    /// What pods may have in all.
    pub allocatable: Resources,
    /// How many pods may be there.
    pub most_pods: i64,
    /// Sizes of the images that are there, by every name they have.
    pub images: HashMap<String, i64>,
    /// What its pods have asked for.
    pub requested: Resources,
    /// The same for scoring: CPU and memory.
    pub scored: [i64; 2],
    /// Its pods by UID.
    pub pods: BTreeMap<String, Arc<PodInfo>>,
    /// Ports that its pods have taken.
    pub ports: Vec<HostPort>,
}

// === impl Node ===

impl Node {
    /// Takes over what the API says, and tells what of it is news to a pod that did not fit.
    pub fn update(&mut self, object: &core::Node) -> Changes {
        let next = Self::read(object);
        let mut changes = Changes::NONE;
        if !self.known {
            changes |= Changes::NODE_ADDED;
        }
        if self.allocatable != next.allocatable || self.most_pods != next.most_pods {
            changes |= Changes::NODE_ALLOCATABLE;
        }
        if self.labels != next.labels {
            changes |= Changes::NODE_LABELS;
        }
        if self.taints != next.taints || self.unschedulable != next.unschedulable {
            changes |= Changes::NODE_TAINTS;
        }
        self.known = true;
        self.labels = next.labels;
        self.taints = next.taints;
        self.unschedulable = next.unschedulable;
        self.allocatable = next.allocatable;
        self.most_pods = next.most_pods;
        self.images = next.images;
        changes
    }

    /// Counts a pod in.
    pub fn place(&mut self, pod: Arc<PodInfo>) {
        self.requested.add(&pod.requests);
        self.scored = [self.scored[0] + pod.scored[0], self.scored[1] + pod.scored[1]];
        self.ports.extend(pod.ports.iter().cloned());
        self.pods.insert(pod.uid.clone(), pod);
    }

    /// Counts a pod out.
    pub fn displace(&mut self, uid: &str) -> Option<Arc<PodInfo>> {
        let pod = self.pods.remove(uid)?;
        self.requested.subtract(&pod.requests);
        self.scored = [self.scored[0] - pod.scored[0], self.scored[1] - pod.scored[1]];
        for port in &pod.ports {
            if let Some(at) = self.ports.iter().position(|p| p == port) {
                self.ports.swap_remove(at);
            }
        }
        Some(pod)
    }

    fn read(object: &core::Node) -> Self {
        let spec = object.spec.as_ref();
        let status = object.status.as_ref();
        let allocatable = status.and_then(|s| s.allocatable.as_ref().or(s.capacity.as_ref()));
        let pods = allocatable.and_then(|a| a.get("pods")).and_then(|q| Quantity::parse(&q.0).ok());
        Self {
            labels: object.metadata.labels.clone().unwrap_or_default(),
            taints: spec.and_then(|s| s.taints.clone()).unwrap_or_default(),
            unschedulable: spec.and_then(|s| s.unschedulable).unwrap_or_default(),
            allocatable: Resources::read(allocatable.into_iter().flatten()),
            most_pods: pods.map(Quantity::value).unwrap_or_default(),
            images: status.map(images).unwrap_or_default(),
            ..Self::default()
        }
    }
}

fn images(status: &core::NodeStatus) -> HashMap<String, i64> {
    let mut images = HashMap::new();
    for image in status.images.iter().flatten() {
        for name in image.names.iter().flatten() {
            images.insert(name.clone(), image.size_bytes.unwrap_or_default());
        }
    }
    images
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{node, pod};

    #[test]
    fn what_is_placed_and_displaced_leaves_no_trace() {
        let mut host = Node::default();
        host.update(&node("n").build());
        let before = host.clone();
        let info = Arc::new(PodInfo::new(Arc::new(pod("a").cpu("1").host_port(80).build())));
        host.place(info.clone());
        assert_eq!((host.requested.cpu, host.ports.len(), host.pods.len()), (1000, 1, 1));
        host.displace(&info.uid);
        assert_eq!((host.requested, host.scored, host.ports), (before.requested, before.scored, before.ports));
    }

    #[test]
    fn a_heart_beat_is_no_news() {
        let mut host = Node::default();
        assert_eq!(host.update(&node("n").build()) & Changes::NODE_ADDED, Changes::NODE_ADDED);
        assert_eq!(host.update(&node("n").build()), Changes::NONE);
        assert_eq!(host.update(&node("n").taint("x", "", "NoSchedule").build()), Changes::NODE_TAINTS);
    }
}
