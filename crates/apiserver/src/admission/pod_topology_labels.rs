//! PodTopologyLabels: a pod carries the zone and the region of its node, from the moment that it has one.

use futures::future::BoxFuture;
use nakhoda_api::kinds::core::Node;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};

const LABELS: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

/// The plugin.
pub struct PodTopologyLabels;

impl Plugin for PodTopologyLabels {
    fn name(&self) -> &'static str {
        "PodTopologyLabels"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.operation == Operation::Create
            && attributes.is("", "pods")
            && ["", "binding"].contains(&attributes.subresource())
    }

    /// The labels of a Binding become the pod's.
    fn mutate<'a>(&'a self, attributes: &'a Attributes<'a>, new: &'a mut Object) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let name = match attributes.subresource() {
                "" => new.str_at(&["spec", "nodeName"]),
                _ => new.str_at(&["target", "name"]).filter(|_| new.str_at(&["target", "kind"]) == Some("Node")),
            };
            let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(()) };
            let node = attributes.call.pipeline.storage().get::<Node>("", name);
            let labels = node.and_then(|node| node.metadata.labels).unwrap_or_default();
            for (label, value) in labels.into_iter().filter(|(label, _)| LABELS.contains(&label.as_str())) {
                new.set_at(&["metadata", "labels", &label], value.into());
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::LABELS;
    use crate::testing::Server;

    #[tokio::test]
    async fn a_pod_gets_the_zone_of_its_node_when_it_is_bound_or_made_there() {
        let server = Server::start().await;
        let labels = json!({"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r", "x": "y"});
        let node = json!({"metadata": {"name": "n", "labels": labels}});
        server.create("nodes", "", &node).await.expect("made");
        let pod = |name: &str, node: Option<&str>| {
            json!({"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": "mine"}},
                "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}]}})
        };
        server.create("pods", "default", &pod("there", Some("n"))).await.expect("made");
        let made = server.create("pods", "default", &pod("bound", None)).await.expect("made");
        assert_eq!(made["metadata"]["labels"][LABELS[0]], "mine");
        let binding = json!({"metadata": {"name": "bound"}, "target": {"kind": "Node", "name": "n"}});
        server.post("pods/binding", "default", "bound", &binding).await.expect("bound");
        for name in ["there", "bound"] {
            let pod = server.get("pods", "default", name).await.expect("there");
            assert_eq!(pod["metadata"]["labels"], json!({LABELS[0]: "z", LABELS[1]: "r"}));
        }
    }
}
