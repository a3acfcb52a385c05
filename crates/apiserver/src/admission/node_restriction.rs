//! NodeRestriction: a kubelet writes its own Node, the pods on it, tokens for them, and its own lease, slices and
//! requests for certificates, and nothing of another node.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};
use serde_json::Value;

use super::{Attributes, Plugin};

mod audience;
mod labels;
mod own;
mod pods;
mod references;

/// The plugin.
pub struct NodeRestriction;

impl Plugin for NodeRestriction {
    fn name(&self) -> &'static str {
        "NodeRestriction"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.call.user.is_in("system:nodes")
    }

    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, object: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        let outcome = check(attributes, Some(object));
        Box::pin(async move { outcome })
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        // what is created or updated was judged before other plugins filled things in, a token before it was said
        // whom it is for; deletions and other subresources come by here only
        let seen = object.is_some() && matches!(attributes.subresource(), "" | "token");
        Box::pin(async move { if seen { Ok(()) } else { check(attributes, object) } })
    }
}

fn check(attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), Status> {
    let Some(node) = attributes.call.user.node() else {
        let why = format!("could not determine node from user {:?}", attributes.call.user.name);
        return Err(attributes.forbidden(object, &why));
    };
    let gvr = &attributes.call.target.gvr;
    let verdict = match (gvr.group.as_str(), gvr.resource.as_str()) {
        ("", "pods") => pods::check(attributes, object, node),
        ("", "nodes") => check_node(attributes, object, node),
        ("", "serviceaccounts") if attributes.subresource() == "token" => pods::check_token(attributes, object, node),
        ("", "persistentvolumeclaims") => own::check_claim(attributes, object, node),
        ("coordination.k8s.io", "leases") => own::check_lease(attributes, object, node),
        ("storage.k8s.io", "csinodes") => own::check_csi_node(attributes, object, node),
        ("resource.k8s.io", "resourceslices") => own::check_slice(attributes, object, node),
        ("certificates.k8s.io", "certificatesigningrequests") => own::check_request(attributes, object, node),
        _ => Ok(()),
    };
    verdict.map_err(|why| attributes.forbidden(object, &why))
}

fn check_node(attributes: &Attributes<'_>, object: Option<&Object>, node: &str) -> Result<(), String> {
    let name = match attributes.call.target.name.as_str() {
        "" => object.map_or("", Object::name),
        name => name,
    };
    if name != node {
        return Err(format!("node {node:?} is not allowed to modify node {name:?}"));
    }
    let Some(new) = object else { return Ok(()) };
    let changed = labels::changed(new, attributes.old);
    let forbidden = labels::forbidden(&changed);
    match attributes.old {
        None if !forbidden.is_empty() => {
            Err(format!("node {node:?} is not allowed to set the following labels: {}", forbidden.join(", ")))
        }
        Some(old) => {
            if !same(new, old, &["spec", "taints"]) {
                return Err(format!("node {node:?} is not allowed to modify taints"));
            }
            if !same(new, old, &["metadata", "ownerReferences"]) {
                return Err(format!("node {node:?} is not allowed to modify ownerReferences"));
            }
            if forbidden.is_empty() { Ok(()) } else { Err(format!("is not allowed to modify labels: {}", forbidden.join(", "))) }
        }
        None => Ok(()),
    }
}

/// An absent list and an empty one are the same.
fn same(new: &Object, old: &Object, path: &[&str]) -> bool {
    let list = |object: &Object| object.at(path).and_then(Value::as_array).cloned().unwrap_or_default();
    list(new) == list(old)
}

#[cfg(test)]
mod tests;
