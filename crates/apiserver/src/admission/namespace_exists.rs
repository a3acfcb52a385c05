//! NamespaceExists: nothing is written in a namespace that is not there. Off unless it is asked for: what is made is
//! NamespaceLifecycle's.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::Namespace;
use nakhoda_api::{GroupResource, Object, Scope, Status};

use super::{Attributes, Operation, Plugin};

/// The plugin.
pub struct NamespaceExists;

impl Plugin for NamespaceExists {
    fn name(&self) -> &'static str {
        "NamespaceExists"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation != Operation::Connect && attributes.call.kind.info.scope == Scope::Namespaced
    }

    fn validate<'a>(&'a self, attributes: &'a Attributes<'a>, _: Option<&'a Object>) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let name = attributes.call.namespace();
            if name.is_empty() || attributes.find::<Namespace>("", name).await?.is_some() {
                return Ok(());
            }
            Err(Status::not_found(&GroupResource::new("", "namespaces"), name))
        })
    }
}
