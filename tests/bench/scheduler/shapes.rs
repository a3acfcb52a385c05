//! Nodes and pods of the workloads that upstream measures its scheduler with (`scheduler_perf`).

use anyhow::Result;
use clap::ValueEnum;
use nakhoda_api::kinds::core::{Namespace, Node, Pod};
use serde_json::{Value, json};

const ZONES: usize = 10;
const NAMESPACES: usize = 10;
const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// What pods ask for beside CPU and memory.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Shape {
    /// Nothing.
    Plain,
    /// A label of the node.
    NodeAffinity,
    /// To be in one zone with their like.
    Affinity,
    /// To be at no node with their like.
    AntiAffinity,
    /// The same as a wish.
    Preferred,
    /// Their like in namespaces with a label to be at other nodes.
    NamespaceSelector,
    /// To be spread over zones.
    Spread,
    /// A fifth of each.
    Mixed,
}

// === impl Shape ===

impl Shape {
    /// All of them.
    pub(super) const ALL: [Self; 8] = [
        Self::Plain,
        Self::NodeAffinity,
        Self::Affinity,
        Self::AntiAffinity,
        Self::Preferred,
        Self::NamespaceSelector,
        Self::Spread,
        Self::Mixed,
    ];

    /// As on the command line.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// A pod that no other is.
    pub(super) fn pod(self, index: usize) -> Result<Pod> {
        let shape = match self {
            Self::Mixed => [Self::Plain, Self::Affinity, Self::AntiAffinity, Self::Preferred, Self::Spread][index % 5],
            shape => shape,
        };
        let namespace = match shape {
            Self::NamespaceSelector => format!("namespace-{}", index % NAMESPACES),
            _ => "default".into(),
        };
        let mut pod = json!({
            "metadata": {"name": format!("pod-{index}"), "namespace": namespace, "uid": format!("{index}"),
                         "labels": {"shape": shape.name()}},
            "spec": {"schedulerName": "default-scheduler", "containers": [{"name": "pause", "image": "pause",
                "resources": {"requests": {"cpu": "10m", "memory": "50Mi"}}}]},
        });
        shape.asks(&mut pod["spec"]);
        Ok(serde_json::from_value(pod)?)
    }

    fn asks(self, spec: &mut Value) {
        let like = json!({"matchLabels": {"shape": self.name()}});
        let near = |key: &str| json!({"labelSelector": like, "topologyKey": key});
        let required = |terms: Value| json!({"requiredDuringSchedulingIgnoredDuringExecution": terms});
        match self {
            Self::Plain | Self::Mixed => {}
            Self::NodeAffinity => {
                let expression = json!({"key": ZONE, "operator": "In", "values": ["zone-1", "zone-2"]});
                let terms = json!({"nodeSelectorTerms": [{"matchExpressions": [expression]}]});
                spec["affinity"]["nodeAffinity"] = required(terms);
            }
            Self::Affinity => spec["affinity"]["podAffinity"] = required(json!([near(ZONE)])),
            Self::AntiAffinity => spec["affinity"]["podAntiAffinity"] = required(json!([near(HOST)])),
            Self::NamespaceSelector => {
                let mut term = near(HOST);
                term["namespaceSelector"] = json!({"matchLabels": {"team": "devops"}});
                spec["affinity"]["podAntiAffinity"] = required(json!([term]));
            }
            Self::Preferred => {
                let term = json!([{"weight": 1, "podAffinityTerm": near(HOST)}]);
                spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] = term;
            }
            Self::Spread => {
                let constraint = json!({"maxSkew": 5, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": like});
                spec["topologySpreadConstraints"] = json!([constraint]);
            }
        }
    }
}

/// A node of upstream's size: 4 cores, 32 GiB, 110 pods.
pub(super) fn node(index: usize) -> Result<Node> {
    let name = format!("node-{index}");
    Ok(serde_json::from_value(json!({
        "metadata": {"name": name, "labels": {HOST: name, ZONE: format!("zone-{}", index % ZONES)}},
        "status": {"allocatable": {"cpu": "4", "memory": "32Gi", "pods": "110"}},
    }))?)
}

/// The namespaces of [`Shape::NamespaceSelector`].
pub(super) fn namespaces() -> impl Iterator<Item = Result<Namespace>> {
    (0..NAMESPACES).map(|index| {
        let metadata = json!({"name": format!("namespace-{index}"), "labels": {"team": "devops"}});
        Ok(serde_json::from_value(json!({"metadata": metadata}))?)
    })
}
