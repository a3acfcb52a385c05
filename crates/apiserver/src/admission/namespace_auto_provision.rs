//! NamespaceAutoProvision: a namespace that is written into is made. Off unless it is asked for.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::Namespace;
use nakhoda_api::{GroupVersionResource, Object, Reason, Scope, Status};
use serde_json::json;

use super::{Attributes, Operation, Plugin};
use crate::request::{Action, Body, ResourceTarget, Write, WriteOptions};

/// The plugin.
pub struct NamespaceAutoProvision;

impl Plugin for NamespaceAutoProvision {
    fn name(&self) -> &'static str {
        "NamespaceAutoProvision"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let in_namespace = attributes.call.kind.info.scope == Scope::Namespaced;
        attributes.operation == Operation::Create && in_namespace && !attributes.dry_run
    }

    fn mutate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: &'a mut Object,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let (call, name) = (attributes.call, attributes.call.namespace());
            if name.is_empty() || call.pipeline.storage().get::<Namespace>("", name).is_some() {
                return Ok(());
            }
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            let namespace = Object::from_value(namespace).map_err(|error| Status::internal(&error))?;
            let write = Write { body: Body::Object(Box::new(namespace)), options: WriteOptions::default() };
            let gvr = GroupVersionResource::new("", "v1", "namespaces");
            let target = ResourceTarget { gvr, ..ResourceTarget::default() };
            match Box::pin(call.pipeline.internal(target, Action::Create(write))).await {
                Err(status) if !status.is(Reason::AlreadyExists) => {
                    Err(attributes.forbidden(Some(object), &status.message))
                }
                _ => Ok(()),
            }
        })
    }
}
