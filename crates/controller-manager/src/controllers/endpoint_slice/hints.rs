//! For whom an endpoint is meant, as the service's `trafficDistribution` says.

use nakhoda_api::kinds::core::Service;
use nakhoda_api::kinds::discovery::{EndpointHints, ForNode, ForZone};

use super::topology;

/// The hints of a ready endpoint in a zone and on a node.
#[must_use]
pub fn of(service: &Service, zone: Option<&str>, node: Option<&str>) -> Option<EndpointHints> {
    if topology::is_auto(service) {
        return None;
    }
    let (zone, node) = match service.spec.as_ref()?.traffic_distribution.as_deref()? {
        "PreferClose" | "PreferSameZone" => (zone, None),
        "PreferSameNode" => (zone, node),
        _ => return None,
    };
    let for_zones = zone.map(|zone| vec![ForZone { name: zone.into() }]);
    let for_nodes = node.map(|node| vec![ForNode { name: node.into() }]);
    (for_zones.is_some() || for_nodes.is_some()).then_some(EndpointHints { for_zones, for_nodes })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn hints(distribution: &Value, annotation: &str, zone: Option<&str>) -> Value {
        let service = json!({"metadata": {"annotations": {"service.kubernetes.io/topology-mode": annotation}},
                             "spec": {"trafficDistribution": distribution}});
        let service = serde_json::from_value(service).expect("a service");
        serde_json::to_value(of(&service, zone, Some("n"))).expect("JSON")
    }

    #[test]
    fn an_endpoint_is_for_its_zone_or_for_its_node_first_as_the_service_says() {
        let (zones, nodes) = (json!([{"name": "z"}]), json!([{"name": "n"}]));
        for (distribution, annotation, zone, expected) in [
            (json!(null), "", Some("z"), json!(null)),
            (json!("PreferClose"), "", Some("z"), json!({"forZones": zones})),
            (json!("PreferSameZone"), "", Some("z"), json!({"forZones": zones})),
            (json!("PreferSameZone"), "", None, json!(null)),
            (json!("PreferSameNode"), "", Some("z"), json!({"forZones": zones, "forNodes": nodes})),
            (json!("PreferSameNode"), "", None, json!({"forNodes": nodes})),
            (json!("PreferSameNode"), "Auto", Some("z"), json!(null)),
            (json!("Whatever"), "", Some("z"), json!(null)),
        ] {
            assert_eq!(hints(&distribution, annotation, zone), expected, "{distribution} {annotation} {zone:?}");
        }
    }
}
