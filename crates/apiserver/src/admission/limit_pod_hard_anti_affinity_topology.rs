//! LimitPodHardAntiAffinityTopology: pods keep others off their node, never off more. Off unless it is asked for.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};
use serde_json::Value;

use super::{Attributes, Operation, Plugin};

const HOSTNAME: &str = "kubernetes.io/hostname";
const TERMS: [&str; 4] = ["spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];

/// The plugin.
pub struct LimitPodHardAntiAffinityTopology;

impl Plugin for LimitPodHardAntiAffinityTopology {
    fn name(&self) -> &'static str {
        "LimitPodHardAntiAffinityTopology"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let writes = matches!(attributes.operation, Operation::Create | Operation::Update);
        writes && attributes.is("", "pods") && attributes.subresource().is_empty()
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(pod) = object else { return Ok(()) };
            let terms = pod.at(&TERMS).and_then(Value::as_array).into_iter().flatten();
            let mut keys = terms.map(|term| term["topologyKey"].as_str().unwrap_or_default());
            let Some(key) = keys.find(|key| *key != HOSTNAME) else { return Ok(()) };
            let why = format!(
                "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey {key} but only key {HOSTNAME} is allowed"
            );
            Err(Status::forbidden(&attributes.call.resource(), pod.name(), &why))
        })
    }
}
