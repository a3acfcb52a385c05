//! [`Nominations`]: which pods were promised a node that others are leaving. Until they are placed, a
//! less important pod must leave room for them.

use std::collections::HashMap;
use std::sync::Arc;

use crate::pod::PodInfo;

/// Promises by the name of the node and by the pod's UID.
#[derive(Debug, Default)]
pub struct Nominations {
    by_node: HashMap<String, Vec<Arc<PodInfo>>>,
    node_of: HashMap<String, String>,
}

// === impl Nominations ===

impl Nominations {
    /// A pod is promised a node, instead of any other before.
    pub fn set(&mut self, pod: Arc<PodInfo>, node: &str) {
        self.remove(&pod.uid);
        self.node_of.insert(pod.uid.clone(), node.into());
        self.by_node.entry(node.into()).or_default().push(pod);
    }

    /// A pod is placed, gone, or promised nothing any more.
    pub fn remove(&mut self, uid: &str) {
        let Some(node) = self.node_of.remove(uid) else { return };
        if let Some(pods) = self.by_node.get_mut(&node) {
            pods.retain(|pod| pod.uid != uid);
            if pods.is_empty() {
                self.by_node.remove(&node);
            }
        }
    }

    /// The node a pod was promised.
    #[must_use]
    pub fn node_of(&self, uid: &str) -> Option<&str> {
        self.node_of.get(uid).map(String::as_str)
    }

    /// The pods that a node is kept for, as far as a pod has to respect them: no less important than it.
    pub fn ahead_of<'a>(&'a self, pod: &'a PodInfo, node: &str) -> impl Iterator<Item = &'a Arc<PodInfo>> {
        let ahead = |other: &&Arc<PodInfo>| other.priority >= pod.priority && other.uid != pod.uid;
        self.by_node.get(node).into_iter().flatten().filter(ahead)
    }

    /// Those that a node is kept for and that are less important than a pod which takes it over.
    #[must_use]
    pub fn behind(&self, pod: &PodInfo, node: &str) -> Vec<Arc<PodInfo>> {
        let behind = |other: &&Arc<PodInfo>| other.priority < pod.priority;
        self.by_node.get(node).into_iter().flatten().filter(behind).cloned().collect()
    }
}
