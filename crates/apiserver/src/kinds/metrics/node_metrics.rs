//! NodeMetrics: what nodes use. Answered by `sub/node_metrics.rs`, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::metrics::NodeMetrics;

use crate::kind::{Columns, Info, Kind};

/// The kind.
pub struct NodeUsage;

impl Kind for NodeUsage {
    type Object = NodeMetrics;

    fn info() -> Info {
        Info {
            verbs: &["get", "list"],
            // whose labels and names are selected by
            storage: "minions",
            virtual_: true,
            ..Info::of::<NodeMetrics>("nodes", "nodemetrics", Scope::Cluster)
        }
    }

    fn columns() -> Columns<NodeMetrics> {
        Columns::<NodeMetrics>::named()
            .text("cpu", |node, _| node.usage.get("cpu").map_or("0", |amount| &amount.0).into())
            .format("quantity")
            .text("memory", |node, _| node.usage.get("memory").map_or("0", |amount| &amount.0).into())
            .format("quantity")
            .text("Window", |node, _| node.window.clone().into())
            .format("duration")
    }
}
