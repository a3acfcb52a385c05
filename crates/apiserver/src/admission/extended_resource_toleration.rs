//! ExtendedResourceToleration: who asks for a device tolerates the taint by which its nodes are kept for those who
//! do. Off unless it is asked for.

use std::collections::BTreeSet;

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::{Pod, PodSpec, Toleration};
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::rules::pod::resources::is_extended;

/// The plugin.
pub struct ExtendedResourceToleration;

impl Plugin for ExtendedResourceToleration {
    fn name(&self) -> &'static str {
        "ExtendedResourceToleration"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        writes && attributes.is("", "pods") && attributes.subresource().is_empty()
    }

    fn mutate<'a>(&'a self, _: &'a Attributes<'a>, object: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let pod: Pod = object.typed().map_err(|error| Status::internal(&error))?;
            let Some(spec) = pod.spec else { return Ok(()) };
            let missing = missing(&spec);
            if !missing.is_empty() {
                let all: Vec<_> = spec.tolerations.into_iter().flatten().chain(missing).collect();
                let all = serde_json::to_value(all).map_err(|error| Status::internal(&error))?;
                object.set_at(&["spec", "tolerations"], all);
            }
            Ok(())
        })
    }
}

fn missing(spec: &PodSpec) -> Vec<Toleration> {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let requests = containers.filter_map(|c| c.resources.as_ref()?.requests.as_ref()).flat_map(|r| r.keys());
    let devices: BTreeSet<&String> = requests.filter(|name| is_extended(name)).collect();
    let wanted = devices.into_iter().map(|name| Toleration {
        key: Some(name.clone()),
        operator: Some("Exists".into()),
        effect: Some("NoSchedule".into()),
        ..Toleration::default()
    });
    let known = spec.tolerations.as_deref().unwrap_or_default();
    wanted.filter(|one| !known.contains(one)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_device_is_tolerated_once() {
        let asks = json!({"resources": {"requests": {"example.com/gpu": "1", "cpu": "1"}}, "name": "c"});
        let mut spec: PodSpec = serde_json::from_value(json!({"containers": [asks, asks]})).expect("a spec");
        let found = missing(&spec);
        assert_eq!(found.iter().map(|t| t.key.as_deref()).collect::<Vec<_>>(), [Some("example.com/gpu")]);
        spec.tolerations = Some(found);
        assert!(missing(&spec).is_empty());
    }
}
