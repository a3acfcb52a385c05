use super::*;
use serde_json::{Value, json};

fn slices(endpoints: Value) -> Vec<Arc<EndpointSlice>> {
    let slice =
        json!({"addressType": "IPv4", "metadata": {}, "ports": [{"name": "", "port": 8080}], "endpoints": endpoints});
    vec![Arc::new(serde_json::from_value(slice).expect("a slice"))]
}

fn told(spec: Value, endpoints: Value) -> Vec<(Set, String, String)> {
    let object = json!({"metadata": {}, "spec": spec});
    let parsed: Service = serde_json::from_value(object).expect("a service");
    let place = Place { node: "here".into(), zone: "east".into() };
    service(&parsed, &slices(endpoints), &place).into_iter().map(|e| (e.set, e.key, e.targets.join(", "))).collect()
}

fn entry(set: Set, key: &str, targets: &str) -> (Set, String, String) {
    (set, key.into(), targets.into())
}

#[test]
fn a_port_is_balanced_over_its_ready_endpoints() {
    let endpoints = json!([
        {"addresses": ["10.1.0.2"], "conditions": {"ready": true}, "nodeName": "here"},
        {"addresses": ["10.2.0.2"], "conditions": {"ready": true}, "nodeName": "there"},
        {"addresses": ["10.2.0.3"], "conditions": {"ready": false}},
    ]);
    let spec = json!({"clusterIP": "10.96.0.5", "ports": [{"port": 80, "nodePort": 30080}]});
    assert_eq!(
        told(spec, endpoints),
        [
            entry(Set::Addresses, "10.96.0.5 . tcp . 80", "10.1.0.2 . 8080, 10.2.0.2 . 8080"),
            entry(Set::Ports, "tcp . 30080", "10.1.0.2 . 8080, 10.2.0.2 . 8080"),
            entry(Set::ClusterIps, "10.96.0.5", ""),
            entry(Set::Hairpins, "10.1.0.2 . 10.1.0.2", ""),
        ]
    );
}

#[test]
fn without_endpoints_a_service_refuses() {
    let spec = json!({"clusterIP": "10.96.0.5", "ports": [{"port": 80, "protocol": "UDP", "nodePort": 30080}]});
    assert_eq!(
        told(spec, json!([])),
        [
            entry(Set::ClusterIps, "10.96.0.5", ""),
            entry(Set::EmptyAddresses, "10.96.0.5 . udp . 80", ""),
            entry(Set::EmptyPorts, "udp . 30080", "")
        ]
    );
}

#[test]
fn an_endpoint_that_ends_serves_while_no_other_is_ready() {
    let endpoints =
        json!([{"addresses": ["10.1.0.2"], "conditions": {"ready": false, "serving": true, "terminating": true}}]);
    let spec = json!({"clusterIP": "10.96.0.5", "ports": [{"port": 80}]});
    assert_eq!(
        told(spec, endpoints),
        [entry(Set::Addresses, "10.96.0.5 . tcp . 80", "10.1.0.2 . 8080"), entry(Set::ClusterIps, "10.96.0.5", "")]
    );
}

#[test]
fn a_local_policy_keeps_to_this_node_and_keeps_the_source() {
    let endpoints = json!([
        {"addresses": ["10.1.0.2"], "nodeName": "here"},
        {"addresses": ["10.2.0.2"], "nodeName": "there"},
    ]);
    let spec = json!({"type": "NodePort", "externalTrafficPolicy": "Local", "clusterIP": "10.96.0.5",
        "sessionAffinity": "ClientIP", "ports": [{"port": 80, "nodePort": 30080}]});
    assert_eq!(
        told(spec, endpoints),
        [
            entry(Set::Addresses, "10.96.0.5 . tcp . 80", "10.1.0.2 . 8080, 10.2.0.2 . 8080"),
            entry(Set::Ports, "tcp . 30080", "10.1.0.2 . 8080"),
            entry(Set::ClusterIps, "10.96.0.5", ""),
            entry(Set::KeepPorts, "tcp . 30080", ""),
            entry(Set::Hairpins, "10.1.0.2 . 10.1.0.2", ""),
            entry(Set::StickyAddresses(10_800), "10.96.0.5 . tcp . 80", ""),
            entry(Set::StickyPorts(10_800), "tcp . 30080", ""),
        ]
    );
}

/// An endpoint on a node, with the zones and the nodes that it is meant for.
fn hinted(address: &str, node: &str, ready: bool, zones: &[&str], nodes: &[&str]) -> Value {
    let named = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
    json!({"addresses": [address], "nodeName": node, "conditions": {"ready": ready},
           "hints": {"forZones": named(zones), "forNodes": named(nodes)}})
}

fn balanced(policy: Value, endpoints: Value) -> String {
    let spec = json!({"clusterIP": "10.96.0.5", "internalTrafficPolicy": policy, "ports": [{"port": 80}]});
    let of = |e: &(Set, String, String)| e.0 == Set::Addresses;
    told(spec, endpoints).into_iter().find(of).map(|e| e.2.replace(" . 8080", "")).unwrap_or_default()
}

#[test]
fn hints_for_this_node_go_before_those_for_its_zone_and_count_only_if_every_ready_endpoint_has_them() {
    let (one, two, three) = ("10.1.0.1", "10.2.0.2", "10.3.0.3");
    let table = [
        ([hinted(one, "here", true, &["east"], &["here"]), hinted(two, "there", true, &["east"], &["there"])], one),
        ([hinted(one, "a", true, &["east"], &["a"]), hinted(two, "b", true, &["west"], &["b"])], one),
        ([hinted(one, "a", true, &["west"], &[]), hinted(two, "b", true, &["west", "east"], &[])], two),
        // None for here: all.
        ([hinted(one, "a", true, &["west"], &["a"]), hinted(two, "b", true, &["north"], &["b"])], "10.1.0.1, 10.2.0.2"),
        // One has none: all.
        ([hinted(one, "a", true, &["east"], &[]), hinted(three, "b", true, &[], &[])], "10.1.0.1, 10.3.0.3"),
        // Only ready ones are asked.
        ([hinted(one, "a", true, &["east"], &[]), hinted(three, "b", false, &[], &[])], one),
    ];
    for (endpoints, expected) in table {
        assert_eq!(balanced(json!(null), json!(endpoints)), expected, "{endpoints:?}");
    }
    let local = [hinted(one, "here", true, &["west"], &["there"]), hinted(two, "there", true, &["east"], &["here"])];
    assert_eq!(balanced(json!("Local"), json!(local)), one, "a local policy asks for no hint");
}

#[test]
fn a_host_port_is_the_pods() {
    let pod: Pod = serde_json::from_value(json!({"metadata": {}, "status": {"phase": "Running", "podIP": "10.1.0.9"},
        "spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 8080}]}]}}))
    .expect("a pod");
    let elements = host_ports(&pod);
    assert_eq!(
        elements[0],
        Element { set: Set::Ports, key: "tcp . 8080".into(), targets: vec!["10.1.0.9 . 80".into()] }
    );
    assert_eq!(elements.len(), 2);
}
