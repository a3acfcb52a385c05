//! DenyServiceExternalIPs: no Service takes addresses that others may have. Off unless it is asked for.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};
use serde_json::Value;

use super::{Attributes, Operation, Plugin};

/// The plugin.
pub struct DenyServiceExternalIPs;

impl Plugin for DenyServiceExternalIPs {
    fn name(&self) -> &'static str {
        "DenyServiceExternalIPs"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        writes && attributes.is("", "services") && attributes.subresource().is_empty()
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(new) = object else { return Ok(()) };
            let old = attributes.old.map(addresses).unwrap_or_default();
            if addresses(new).iter().all(|address| old.contains(address)) {
                return Ok(());
            }
            Err(attributes.forbidden(object, "Use of external IPs is denied by admission control"))
        })
    }
}

fn addresses(service: &Object) -> Vec<Value> {
    service.at(&["spec", "externalIPs"]).and_then(Value::as_array).cloned().unwrap_or_default()
}
