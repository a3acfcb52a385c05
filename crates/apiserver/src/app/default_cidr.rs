//! The ServiceCIDR `kubernetes`: the range that the flag names, as an object
//! (`pkg/controlplane/controller/defaultservicecidr`). It is made where it lacks, and ready at once; one that says another
//! range than the flag is left as it is.

use nakhoda_api::kinds::networking::ServiceCIDR;
use nakhoda_api::{GroupVersionResource, Object, Reason, Status, time};
use serde_json::{Value, json};

use crate::alloc::DEFAULT;
use crate::pipeline::Pipeline;
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};

const READY: &str = "Kubernetes default Service CIDR is ready";

/// Makes it, and marks it.
pub(super) async fn keep(pipeline: &Pipeline) -> Result<(), Status> {
    let range = pipeline.allocators().addresses.to_string();
    if let Some(cidr) = pipeline.storage().get::<ServiceCIDR>("", DEFAULT) {
        let is_decided = cidr.status.as_ref().and_then(|status| status.conditions.as_ref()).is_some_and(|conditions| {
            conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status != "Unknown")
        });
        let same = cidr.spec.as_ref().and_then(|spec| spec.cidrs.as_ref()).is_some_and(|cidrs| *cidrs == [range]);
        if is_decided || !same || cidr.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        return write(pipeline, target(DEFAULT, "status"), ready(pipeline), Action::Update).await;
    }
    let cidr = json!({"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": DEFAULT}, "spec": {"cidrs": [range]}});
    write(pipeline, target("", ""), cidr, Action::Create).await?;
    write(pipeline, target(DEFAULT, "status"), ready(pipeline), Action::Update).await
}

/// What another server was faster with is done.
async fn write(
    pipeline: &Pipeline,
    target: ResourceTarget,
    value: Value,
    action: fn(Write) -> Action,
) -> Result<(), Status> {
    let object = Object::from_value(value).map_err(|error| Status::internal(&error))?;
    let write = Write { body: Body::Object(Box::new(object)), options: WriteOptions::default() };
    match pipeline.internal(target, action(write)).await {
        Err(status) if status.is(Reason::AlreadyExists) || status.is(Reason::Conflict) => Ok(()),
        other => other.map(drop),
    }
}

fn ready(pipeline: &Pipeline) -> Value {
    let condition = json!({
        "type": "Ready", "status": "True", "reason": "", "message": READY,
        "lastTransitionTime": time::now_rfc3339(pipeline.now()),
    });
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": DEFAULT}, "status": {"conditions": [condition]}})
}

fn target(name: &str, subresource: &str) -> ResourceTarget {
    ResourceTarget {
        gvr: GroupVersionResource::new("networking.k8s.io", "v1", "servicecidrs"),
        name: name.into(),
        subresource: subresource.into(),
        ..ResourceTarget::default()
    }
}
