//! PodMetrics: what the containers of pods use. Answered by `sub/pod_metrics.rs`, never stored.

use nakhoda_api::Scope;
use nakhoda_api::kinds::metrics::PodMetrics;
use nakhoda_api::quantity::Quantity;

use crate::kind::{Columns, Info, Kind};

/// The kind.
pub struct PodUsage;

impl Kind for PodUsage {
    type Object = PodMetrics;

    fn info() -> Info {
        Info {
            verbs: &["get", "list"],
            virtual_: true,
            ..Info::of::<PodMetrics>("pods", "podmetrics", Scope::Namespaced)
        }
    }

    fn columns() -> Columns<PodMetrics> {
        Columns::<PodMetrics>::named()
            .text("cpu", |pod, _| sum(pod, "cpu").into())
            .format("quantity")
            .text("memory", |pod, _| sum(pod, "memory").into())
            .format("quantity")
            .text("Window", |pod, _| pod.window.clone().into())
            .format("duration")
    }
}

/// Of all containers together.
fn sum(pod: &PodMetrics, resource: &str) -> String {
    let amounts = pod.containers.iter().filter_map(|container| container.usage.get(resource));
    let amounts = amounts.filter_map(|amount| Quantity::parse(&amount.0).ok());
    amounts.fold(Quantity::ZERO, |sum, amount| sum + amount).to_string()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_the_sum_of_the_containers() {
        let container = |cpu, memory| json!({"name": "c", "usage": {"cpu": cpu, "memory": memory}});
        let pod = json!({"metadata": {"name": "a"}, "window": "10s",
            "containers": [container("1500000n", "1Ki"), container("1m", "3Ki")]});
        let pod: PodMetrics = serde_json::from_value(pod).expect("it fits");
        let cells = PodUsage::columns().cells(&pod, Timestamp::UNIX_EPOCH);
        assert_eq!(cells, ["a", "2500u", "4Ki", "10s"]);
    }
}
