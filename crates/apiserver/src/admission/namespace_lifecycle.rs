//! NamespaceLifecycle: nothing is made in a namespace that is not there or is going away, and the
//! namespaces that the cluster lives in are not deleted.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::Namespace;
use nakhoda_api::status::Cause;
use nakhoda_api::{GroupResource, GroupVersionResource, Object, Scope, Status};

use super::{Attributes, Operation, Plugin};
use crate::verb::get;

const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// The plugin.
pub struct NamespaceLifecycle;

impl Plugin for NamespaceLifecycle {
    fn name(&self) -> &'static str {
        "NamespaceLifecycle"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let in_namespace = attributes.call.kind.info.scope == Scope::Namespaced;
        match attributes.operation {
            Operation::Create => in_namespace && !attributes.is("authorization.k8s.io", "localsubjectaccessreviews"),
            Operation::Delete => attributes.is("", "namespaces"),
            Operation::Update | Operation::Connect => false,
        }
    }

    /// Before other plugins look for things in the namespace.
    fn mutate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: &'a mut Object,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            if attributes.operation == Operation::Create { check(attributes, object).await } else { Ok(()) }
        })
    }

    fn validate<'a>(&'a self, attributes: &'a Attributes<'a>, _: Option<&'a Object>) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let name = &attributes.call.target.name;
            if attributes.operation == Operation::Delete && IMMORTAL.contains(&name.as_str()) {
                let why = "this namespace may not be deleted";
                return Err(Status::forbidden(&attributes.call.resource(), name, why));
            }
            Ok(())
        })
    }
}

async fn check(attributes: &Attributes<'_>, object: &Object) -> Result<(), Status> {
    let name = attributes.call.namespace();
    let Some(namespace) = find(attributes, name).await? else {
        return Err(Status::not_found(&GroupResource::new("", "namespaces"), name));
    };
    if namespace.status.and_then(|s| s.phase).as_deref() != Some("Terminating") {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    let mut status = attributes.forbidden(Some(object), &why);
    if let Some(details) = &mut status.details {
        details.causes.push(Cause {
            reason: "NamespaceTerminating".into(),
            message: format!("namespace {name} is being terminated"),
            field: "metadata.namespace".into(),
        });
    }
    Err(status)
}

/// From the cache; one that is missing there is asked of the store, because it may have been made a
/// moment ago.
async fn find(attributes: &Attributes<'_>, name: &str) -> Result<Option<Namespace>, Status> {
    let storage = attributes.call.pipeline.storage();
    if let Some(namespace) = storage.get::<Namespace>("", name) {
        return Ok(Some(namespace));
    }
    let namespaces = GroupVersionResource::new("", "v1", "namespaces");
    let Some(kind) = attributes.call.pipeline.kinds().get(&namespaces) else { return Ok(Some(Namespace::default())) };
    let call = attributes.call.on(&kind, "", name);
    get::snapshot(&call, "").await?;
    Ok(storage.get::<Namespace>("", name))
}
