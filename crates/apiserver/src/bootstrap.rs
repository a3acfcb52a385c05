//! What a cluster has from its first moment: namespaces, priority classes, roles and bindings. What is
//! there is kept; a built-in role that lacks a rule of its own gets it back, as upstream's
//! reconciliation does, unless its annotation forbids that.

pub mod flow;
pub mod policy;
pub mod reconcile;
pub mod tracking;

use futures::{StreamExt, TryStreamExt, stream};
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use serde_json::json;

use crate::pipeline::Pipeline;
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};
use crate::response::Answer;
use policy::Policy;

const NAMESPACES: &[&str] = &["default", "kube-system", "kube-public", "kube-node-lease"];
const PRIORITY_CLASSES: &[(&str, i64, &str)] = &[
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
];

/// So many roles and bindings are looked at and made at a time.
const AT_ONCE: usize = 16;

/// Makes what is missing.
pub async fn ensure(pipeline: &Pipeline) -> Result<(), Status> {
    for name in NAMESPACES {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        create(pipeline, ("", "namespaces"), "", namespace).await?;
    }
    for (name, value, description) in PRIORITY_CLASSES {
        let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
            "value": value, "description": description});
        create(pipeline, ("scheduling.k8s.io", "priorityclasses"), "", class).await?;
    }
    flow::ensure(pipeline).await?;
    stream::iter(policy::built_in()).map(|policy| put(pipeline, policy)).buffer_unordered(AT_ONCE).try_collect().await
}

async fn put(pipeline: &Pipeline, policy: Policy) -> Result<(), Status> {
    let (resource, wanted) = match &policy {
        Policy::Role(role) => ("roles", Object::from_typed(role)),
        Policy::ClusterRole(role) => ("clusterroles", Object::from_typed(role)),
        Policy::Binding(binding) => ("rolebindings", Object::from_typed(binding)),
        Policy::ClusterBinding(binding) => ("clusterrolebindings", Object::from_typed(binding)),
    };
    let wanted = wanted.map_err(|e| Status::internal(&e))?;
    let at = target(("rbac.authorization.k8s.io", resource), wanted.namespace(), wanted.name());
    // the cache is enough: what it lacks is made, and what is there already is no failure then
    let read = pipeline.internal(at.clone(), Action::Get { resource_version: "0".into() }).await;
    let found = match read {
        Ok(response) => object(response.answer)?,
        Err(status) if status.is(Reason::NotFound) => {
            let namespace = wanted.namespace().to_owned();
            return create(pipeline, ("rbac.authorization.k8s.io", resource), &namespace, wanted.into_value()).await;
        }
        Err(status) => return Err(status),
    };
    match reconcile::missing(&found, &wanted) {
        None => Ok(()),
        Some(mended) => {
            let write = Write { body: Body::Object(Box::new(mended)), options: WriteOptions::default() };
            match pipeline.internal(at, Action::Update(write)).await {
                // another server mends it, too
                Err(status) if status.is(Reason::Conflict) => Ok(()),
                other => other.map(drop),
            }
        }
    }
}

async fn create(
    pipeline: &Pipeline,
    resource: (&str, &str),
    namespace: &str,
    value: serde_json::Value,
) -> Result<(), Status> {
    let object = Object::from_value(value).map_err(|e| Status::internal(&e))?;
    let known = target(resource, namespace, object.name());
    if pipeline.storage().item(&known.gvr, namespace, object.name()).is_some() {
        return Ok(());
    }
    let write = Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() };
    match pipeline.internal(target(resource, namespace, ""), Action::Create(write)).await {
        Err(status) if !status.is(Reason::AlreadyExists) => Err(status),
        _ => Ok(()),
    }
}

fn target((group, resource): (&str, &str), namespace: &str, name: &str) -> ResourceTarget {
    ResourceTarget {
        gvr: GroupVersionResource::new(group, "v1", resource),
        namespace: namespace.into(),
        name: name.into(),
        ..ResourceTarget::default()
    }
}

fn object(answer: Answer) -> Result<Object, Status> {
    match answer {
        Answer::Item { item, .. } | Answer::Created { item, .. } => {
            Object::from_json(item.json()).map_err(|e| Status::internal(&e))
        }
        Answer::Object { object, .. } => Ok(*object),
        _ => Err(Status::failure(500, Reason::InternalError, "a read answered with no object")),
    }
}
