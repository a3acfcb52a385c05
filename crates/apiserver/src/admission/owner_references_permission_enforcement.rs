//! OwnerReferencesPermissionEnforcement: who gives an object another owner must be allowed to delete it, and who has
//! an owner wait for it must be allowed to finalize the owner. Off unless it is asked for.

use futures::future::BoxFuture;
use nakhoda_api::{GroupVersionKind, GroupVersionResource, Object, Scope, Status};
use serde_json::Value;

use super::{Attributes, Operation, Plugin};
use crate::authz;
use crate::request::{ResourceTarget, Target};

/// The plugin.
pub struct OwnerReferencesPermissionEnforcement;

impl Plugin for OwnerReferencesPermissionEnforcement {
    fn name(&self) -> &'static str {
        "OwnerReferencesPermissionEnforcement"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        // the status of a pod changes none of its owners
        writes && !(attributes.is("", "pods") && attributes.subresource() == "status")
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        let outcome = object.map_or(Ok(()), |new| check(attributes, new));
        Box::pin(async move { outcome })
    }
}

fn check(attributes: &Attributes<'_>, new: &Object) -> Result<(), Status> {
    let (owners, before) = (owners(new), attributes.old.map(owners).unwrap_or_default());
    if owners == before {
        return Ok(());
    }
    let forbidden = |why: String| Err(attributes.forbidden(Some(new), &why));
    if attributes.operation != Operation::Create {
        let reason = may(attributes, "delete", attributes.call.target.clone());
        if let Err(reason) = reason {
            return forbidden(format!("cannot set an ownerRef on a resource you can't delete: {reason}, <nil>"));
        }
    }
    let waits = |owner: &&Value| owner["blockOwnerDeletion"] == true;
    let known = |owner: &Value| before.iter().filter(waits).any(|old| old["uid"] == owner["uid"]);
    let mut blocking = owners.iter().filter(waits).filter(|owner| !known(owner)).peekable();
    if blocking.peek().is_none() || may(attributes, "update", finalizers("*", "*", "*", "", "*")).is_ok() {
        return Ok(());
    }
    for owner in blocking {
        let (version, kind) = (owner["apiVersion"].as_str().unwrap_or_default(), owner["kind"].as_str().unwrap_or_default());
        let Some(target) = target(attributes, version, kind, owner["name"].as_str().unwrap_or_default()) else {
            return forbidden(format!(
                "cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion {version} Kind {kind}: no matches for kind {kind:?} in version {version:?}"
            ));
        };
        if let Err(reason) = may(attributes, "update", target) {
            return forbidden(format!(
                "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: {reason}, <nil>"
            ));
        }
    }
    Ok(())
}

fn owners(object: &Object) -> Vec<Value> {
    object.at(&["metadata", "ownerReferences"]).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// The finalizers of an owner.
fn target(attributes: &Attributes<'_>, api_version: &str, kind: &str, name: &str) -> Option<ResourceTarget> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let served = attributes.call.pipeline.kinds().by_kind(&GroupVersionKind::new(group, version, kind))?;
    let namespace = if served.info.scope == Scope::Namespaced { attributes.call.namespace() } else { "" };
    Some(finalizers(group, version, served.info.plural, namespace, name))
}

fn finalizers(group: &str, version: &str, resource: &str, namespace: &str, name: &str) -> ResourceTarget {
    ResourceTarget {
        gvr: GroupVersionResource::new(group, version, resource),
        namespace: namespace.into(),
        name: name.into(),
        subresource: "finalizers".into(),
        path: String::new(),
    }
}

/// What the authorizers say if the caller may not.
fn may(attributes: &Attributes<'_>, verb: &str, target: ResourceTarget) -> Result<(), String> {
    let question = authz::Attributes::new(attributes.call.user.clone(), verb, Target::Resource(target));
    let decision = attributes.call.pipeline.decide(&question);
    if decision.is_allowed() { Ok(()) } else { Err(decision.reason().to_owned()) }
}
