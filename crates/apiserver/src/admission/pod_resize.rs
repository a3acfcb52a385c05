//! PodResizeValidator: a pod is not resized beyond what its node has for pods, nor on a node that is not Linux.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::{Node, Pod, PodSpec};
use nakhoda_api::quantity::Quantity;
use nakhoda_api::status::Cause;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin, limit_ranger};
use crate::rules::check::text;

/// Why a node does not take the new size: the type of the cause, and words.
struct Refusal {
    reason: &'static str,
    words: String,
}

/// The plugin.
pub struct PodResizeValidator;

impl Plugin for PodResizeValidator {
    fn name(&self) -> &'static str {
        "PodResizeValidator"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Update && attributes.is("", "pods") && attributes.subresource() == "resize"
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let generation = |o: &Object| o.at(&["metadata", "generation"]).cloned();
            let Some(new) = object.filter(|new| attributes.old.is_none_or(|old| generation(old) != generation(new)))
            else {
                return Ok(());
            };
            let pod: Pod = new.typed().map_err(|error| Status::internal(&error))?;
            let spec = pod.spec.unwrap_or_default();
            let name = text(&spec.node_name);
            if name.is_empty() {
                return Ok(());
            }
            let Some(node) = attributes.call.pipeline.storage().get::<Node>("", name) else {
                return Err(attributes.forbidden(object, &format!("node {name:?} not found")));
            };
            check(&spec, &node).map_err(|refusal| {
                let mut status = attributes.forbidden(object, &refusal.words);
                status.details.get_or_insert_default().causes.push(Cause { reason: refusal.reason.into(), ..Cause::default() });
                status
            })
        })
    }
}

fn check(spec: &PodSpec, node: &Node) -> Result<(), Refusal> {
    let os = node.metadata.labels.as_ref().and_then(|labels| labels.get("kubernetes.io/os"));
    if let Some(os) = os.filter(|os| *os != "linux") {
        let node = text(&node.metadata.name);
        let words = format!("pod resize is only supported on linux nodes, node {node:?} is {os:?}");
        return Err(Refusal { reason: "UnsupportedPlatform", words });
    }
    let asked = limit_ranger::requests(spec);
    let has = node.status.as_ref().and_then(|s| s.allocatable.as_ref());
    let beyond = |name: &str, unit: fn(Quantity) -> i64| {
        let has = has.and_then(|all| Quantity::try_from(all.get(name)?).ok()).unwrap_or_default();
        let asked = asked.get(name).copied().unwrap_or_default();
        (asked > has).then(|| format!("{name}, requested: {}, allocatable: {}", unit(asked), unit(has)))
    };
    let lacks: Vec<String> = [beyond("cpu", Quantity::milli), beyond("memory", Quantity::value)].into_iter().flatten().collect();
    if lacks.is_empty() {
        return Ok(());
    }
    let words = format!("node didn't have enough allocatable resources: {}", lacks.join("; "));
    Err(Refusal { reason: "NodeCapacity", words })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(requests: serde_json::Value, os: &str) -> Option<String> {
        let spec = serde_json::from_value(json!({"containers": [{"name": "c", "resources": {"requests": requests}}]}));
        let node = serde_json::from_value(json!({"metadata": {"name": "n", "labels": {"kubernetes.io/os": os}},
            "status": {"allocatable": {"cpu": "2", "memory": "1Ki"}}}));
        check(&spec.expect("a spec"), &node.expect("a node")).err().map(|refusal| refusal.words)
    }

    #[test]
    fn a_node_has_to_have_what_a_resized_pod_asks_for() {
        assert_eq!(refused(json!({"cpu": "2", "memory": "1024"}), "linux"), None);
        assert_eq!(
            refused(json!({"cpu": "2500m", "memory": "2Ki"}), "linux").as_deref(),
            Some("node didn't have enough allocatable resources: cpu, requested: 2500, allocatable: 2000; memory, requested: 2048, allocatable: 1024")
        );
        let other = "pod resize is only supported on linux nodes, node \"n\" is \"windows\"";
        assert_eq!(refused(json!({}), "windows").as_deref(), Some(other));
    }
}
