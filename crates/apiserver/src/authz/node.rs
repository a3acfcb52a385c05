//! The Node authorizer: a kubelet reads what the pods bound to its node refer to, and nothing else of
//! the kind (`k8s.io/kubernetes/plugin/pkg/auth/authorizer/node`).
//!
//! One difference from upstream: a kubelet may list and watch all Nodes, because it keeps the routes to
//! their pods.

pub mod graph;
pub mod references;

use std::sync::Arc;

use nakhoda_api::kinds::core::{PersistentVolume, Pod};
use nakhoda_api::kinds::rbac::PolicyRule;
use parking_lot::RwLock;

use super::rbac::rule;
use super::{Attributes, Authorizer, Decision};
use crate::bootstrap::policy;
use crate::request::{ResourceTarget, Target};
use crate::user::User;
pub use graph::About;
use graph::Graph;
pub use references::{Object, What};

const LEASES: &str = "kube-node-lease";

/// The authorizer. Cheap to clone; clones share one graph.
#[derive(Clone)]
pub struct NodeAuthorizer {
    graph: Arc<RwLock<Graph>>,
    rules: Arc<[PolicyRule]>,
}

// === impl NodeAuthorizer ===

impl Default for NodeAuthorizer {
    fn default() -> Self {
        Self { graph: Arc::default(), rules: policy::rules("system:node").into() }
    }
}

impl NodeAuthorizer {
    /// A pod was written.
    pub fn put(&self, pod: &Pod) {
        self.graph.write().put(pod);
    }

    /// A pod was removed.
    pub fn remove(&self, namespace: &str, name: &str) {
        self.graph.write().remove(namespace, name);
    }

    /// A volume was written.
    pub fn put_volume(&self, volume: &PersistentVolume) {
        self.graph.write().put_volume(volume);
    }

    /// A volume was removed.
    pub fn remove_volume(&self, name: &str) {
        self.graph.write().remove_volume(name);
    }

    /// An object that is about one node was written, or removed if it names none.
    pub fn put_about(&self, about: About, name: &str, node: Option<&str>) {
        self.graph.write().put_about(about, name, node);
    }

    fn decide(&self, node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
        let group = target.gvr.group.as_str();
        match (group, target.gvr.resource.as_str()) {
            ("", "secrets") => self.reads(node, asked, target, What::Secret),
            ("", "configmaps") => self.reads(node, asked, target, What::ConfigMap),
            ("", "persistentvolumeclaims") if target.subresource.is_empty() => {
                self.reads(node, asked, target, What::Claim)
            }
            ("", "persistentvolumeclaims") => self.grows(node, asked, target),
            ("", "persistentvolumes") => self.reads_volume(node, asked, target),
            ("resource.k8s.io", "resourceclaims") => self.reads_device(node, asked, target),
            ("resource.k8s.io", "resourceslices") => self.slice(node, asked, target),
            ("storage.k8s.io", "volumeattachments") => self.reads_attachment(node, asked, target),
            ("storage.k8s.io", "csinodes") => own(node, asked, target, "CSINode"),
            ("", "serviceaccounts") => self.makes_token(node, asked, target),
            ("", "pods") if reads(&asked.verb) && target.subresource.is_empty() => self.reads_pods(node, asked, target),
            // ours alone: the images of the cluster's own pods
            ("", "nodes") if target.subresource == "archives" => own_archives(node, asked, target),
            ("coordination.k8s.io", "leases") => lease(node, asked, target),
            _ => self.by_rules(asked),
        }
    }

    fn reads(&self, node: &str, asked: &Attributes, target: &ResourceTarget, what: What) -> Decision {
        let kind = what.noun();
        if !reads(&asked.verb) || !target.subresource.is_empty() {
            return no(node, &format!("can only read {kind}s, not {} them", asked.verb));
        }
        if target.name.is_empty() || target.namespace.is_empty() {
            return no(node, &format!("can only read named {kind}s"));
        }
        self.reaches(node, Object { what, namespace: target.namespace.clone(), name: target.name.clone() })
    }

    fn reads_volume(&self, node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
        if asked.verb != "get" || !target.subresource.is_empty() || target.name.is_empty() {
            return no(node, "can only get named persistentvolumes");
        }
        if self.graph.read().reaches_volume(node, &target.name) {
            return Decision::Allow(String::new());
        }
        no(node, "no relationship found between it and this object")
    }

    fn grows(&self, node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
        if target.subresource == "status" && matches!(asked.verb.as_str(), "update" | "patch") {
            let (namespace, name) = (target.namespace.clone(), target.name.clone());
            return self.reaches(node, Object { what: What::Claim, namespace, name });
        }
        no(node, "can only update or patch the status of this type")
    }

    fn reads_device(&self, node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
        if asked.verb != "get" || !target.subresource.is_empty() || target.name.is_empty() {
            return no(node, "can only get named resourceclaims");
        }
        let (namespace, name) = (target.namespace.clone(), target.name.clone());
        self.reaches(node, Object { what: What::Device, namespace, name })
    }

    fn reads_attachment(&self, node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
        if asked.verb != "get" || !target.subresource.is_empty() {
            return no(node, "can only get named volumeattachments");
        }
        self.is_about(About::Attachment, node, target)
    }

    /// What it holds is judged by admission when one is made.
    fn slice(&self, node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
        match asked.verb.as_str() {
            _ if !target.subresource.is_empty() => no(node, "cannot authorize ResourceSlice subresources"),
            "create" => Decision::Allow(String::new()),
            "get" | "update" | "patch" | "delete" => self.is_about(About::Slice, node, target),
            "list" | "watch" | "deletecollection" if asked.selected("spec.nodeName") == Some(node) => {
                Decision::Allow(String::new())
            }
            _ => no(node, "can only list/watch/deletecollection resourceslices with nodeName field selector"),
        }
    }

    fn is_about(&self, about: About, node: &str, target: &ResourceTarget) -> Decision {
        if self.graph.read().is_about(about, &target.name, node) {
            return Decision::Allow(String::new());
        }
        no(node, "no relationship found between it and this object")
    }

    fn makes_token(&self, node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
        if asked.verb == "get" && target.subresource.is_empty()
            || asked.verb == "create" && target.subresource == "token"
        {
            let (namespace, name) = (target.namespace.clone(), target.name.clone());
            return self.reaches(node, Object { what: What::Account, namespace, name });
        }
        no(node, "can only read service accounts of its pods and create tokens for them")
    }

    fn reads_pods(&self, node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
        let selects = asked.selected("spec.nodeName") == Some(node);
        let bound = || self.graph.read().runs(node, &target.namespace, &target.name);
        if selects || !target.name.is_empty() && bound() {
            return Decision::Allow(String::new());
        }
        no(node, "can only read pods bound to it: get one, or list with a spec.nodeName field selector")
    }

    fn reaches(&self, node: &str, object: Object) -> Decision {
        if self.graph.read().reaches(node, &object) {
            return Decision::Allow(String::new());
        }
        no(node, "no relationship found between it and this object")
    }

    fn by_rules(&self, asked: &Attributes) -> Decision {
        if rule::any_allows(&self.rules, asked) {
            Decision::Allow(String::new())
        } else {
            Decision::NoOpinion(String::new())
        }
    }
}

impl Authorizer for NodeAuthorizer {
    fn authorize(&self, asked: &Attributes) -> Decision {
        match (&asked.target, asked.user.node()) {
            (_, None) => Decision::NoOpinion(String::new()),
            (Target::Resource(target), Some(node)) => self.decide(node, asked, target),
            (Target::Path(_), Some(_)) => self.by_rules(asked),
        }
    }

    fn silent_on_rules(&self, user: &User) -> Option<&'static str> {
        user.node().map(|_| "node authorizer does not support user rule resolution")
    }
}

fn reads(verb: &str) -> bool {
    matches!(verb, "get" | "list" | "watch")
}

fn lease(node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
    if target.namespace != LEASES {
        return no(node, &format!("can only access leases in the {LEASES:?} namespace"));
    }
    own(node, asked, target, "lease")
}

/// An object that has the node's name; that of a new one is judged by admission.
fn own(node: &str, asked: &Attributes, target: &ResourceTarget, what: &str) -> Decision {
    match asked.verb.as_str() {
        _ if !target.subresource.is_empty() => no(node, &format!("cannot access subresources of its {what}")),
        "create" => Decision::Allow(String::new()),
        "get" | "update" | "patch" | "delete" if target.name == node => Decision::Allow(String::new()),
        _ => no(node, &format!("can only access its own {what}")),
    }
}

fn own_archives(node: &str, asked: &Attributes, target: &ResourceTarget) -> Decision {
    if asked.verb == "get" && target.name == node {
        return Decision::Allow(String::new());
    }
    no(node, "can only read the archives of its own node")
}

fn no(node: &str, why: &str) -> Decision {
    Decision::NoOpinion(format!("node {node:?} {why}"))
}

#[cfg(test)]
mod tests;
