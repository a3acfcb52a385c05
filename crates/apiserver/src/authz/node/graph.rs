//! Which objects the pods of each node refer to, counted, so that one pod's end takes only its own
//! references away.

use std::collections::HashMap;

use nakhoda_api::kinds::core::{PersistentVolume, Pod};

use super::references::{Object, What, references};

#[derive(Debug)]
struct Bound {
    node: String,
    refers: Vec<Object>,
}

/// A kind of which each object is about one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// A volume that is attached to it.
    Attachment,
    /// Devices that it has.
    Slice,
}

/// What marks a pod that a kubelet has made: nobody asked the API for what it names.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Pods, nodes and references.
#[derive(Debug, Default)]
pub struct Graph {
    pods: HashMap<(String, String), Bound>,
    counts: HashMap<String, HashMap<Object, usize>>,
    /// Whose each volume is.
    claims: HashMap<String, Object>,
    /// Which node each object is about.
    about: HashMap<(About, String), String>,
}

// === impl Graph ===

impl Graph {
    /// A pod was written; one that is bound to no node refers to nothing.
    pub fn put(&mut self, pod: &Pod) {
        let meta = &pod.metadata;
        let (namespace, name) = (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
        self.remove(&namespace, &name);
        let Some(spec) = &pod.spec else { return };
        let Some(node) = spec.node_name.clone().filter(|n| !n.is_empty()) else { return };
        let mirrors = meta.annotations.as_ref().is_some_and(|all| all.contains_key(MIRROR));
        let refers = if mirrors { Vec::new() } else { references(&namespace, &name, pod, spec) };
        let counts = self.counts.entry(node.clone()).or_default();
        for object in &refers {
            *counts.entry(object.clone()).or_default() += 1;
        }
        self.pods.insert((namespace, name), Bound { node, refers });
    }

    /// A pod was removed.
    pub fn remove(&mut self, namespace: &str, name: &str) {
        let Some(bound) = self.pods.remove(&(namespace.into(), name.into())) else { return };
        let Some(counts) = self.counts.get_mut(&bound.node) else { return };
        for object in bound.refers {
            if let Some(count) = counts.get_mut(&object) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&object);
                }
            }
        }
    }

    /// A volume was written.
    pub fn put_volume(&mut self, volume: &PersistentVolume) {
        let name = volume.metadata.name.clone().unwrap_or_default();
        let claim = volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref());
        let claim = claim.and_then(|c| Some((c.namespace.clone()?, c.name.clone()?)));
        match claim {
            Some((namespace, claim)) => {
                drop(self.claims.insert(name, Object { what: What::Claim, namespace, name: claim }));
            }
            None => self.remove_volume(&name),
        }
    }

    /// A volume was removed.
    pub fn remove_volume(&mut self, name: &str) {
        self.claims.remove(name);
    }

    /// An object that is about one node was written, or removed if it names none.
    pub fn put_about(&mut self, about: About, name: &str, node: Option<&str>) {
        let key = (about, name.to_owned());
        match node {
            Some(node) => drop(self.about.insert(key, node.to_owned())),
            None => drop(self.about.remove(&key)),
        }
    }

    /// Whether an object is about the node.
    #[must_use]
    pub fn is_about(&self, about: About, name: &str, node: &str) -> bool {
        self.about.get(&(about, name.to_owned())).is_some_and(|other| other == node)
    }

    /// Whether a pod of the node refers to the claim that a volume belongs to.
    #[must_use]
    pub fn reaches_volume(&self, node: &str, volume: &str) -> bool {
        self.claims.get(volume).is_some_and(|claim| self.reaches(node, claim))
    }

    /// Whether a pod of the node refers to the object.
    #[must_use]
    pub fn reaches(&self, node: &str, object: &Object) -> bool {
        self.counts.get(node).is_some_and(|c| c.contains_key(object))
    }

    /// Whether the pod is bound to the node.
    #[must_use]
    pub fn runs(&self, node: &str, namespace: &str, name: &str) -> bool {
        self.pods.get(&(namespace.into(), name.into())).is_some_and(|b| b.node == node)
    }
}
