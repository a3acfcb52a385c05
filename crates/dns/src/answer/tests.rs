use std::str::FromStr;

use super::*;
use nakhoda_client::Informer;
use nakhoda_client::runtime::watcher::Event;
use serde_json::json;

const DOMAIN: &str = "cluster.local";

fn directory() -> Directory {
    let services = Informer::new();
    let slices = Informer::new();
    let directory = Directory::over(services.clone(), slices.clone());
    let all = [
        json!({"metadata": {"namespace": "a", "name": "web"},
            "spec": {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "ports": [{"name": "http", "port": 80}]}}),
        json!({"metadata": {"namespace": "a", "name": "peers"}, "spec": {"clusterIP": "None", "clusterIPs": ["None"]}}),
        json!({"metadata": {"namespace": "a", "name": "out"},
            "spec": {"type": "ExternalName", "externalName": "example.org"}}),
    ];
    services.apply(Event::Replaced(all.map(|s| serde_json::from_value(s).expect("a service")).to_vec()));
    let slice = json!({"metadata": {"namespace": "a", "name": "peers-x", "labels": {"kubernetes.io/service-name": "peers"}},
        "addressType": "IPv4", "ports": [{"name": "db", "port": 5432, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": ["10.244.0.5"], "hostname": "one", "conditions": {"ready": true}},
            {"addresses": ["10.244.0.6"], "conditions": {"ready": true}},
            {"addresses": ["10.244.0.7"], "conditions": {"ready": false}}]});
    slices.apply(Event::Replaced(vec![serde_json::from_value(slice).expect("a slice")]));
    directory
}

fn told(name: &str, asked: RecordType) -> Vec<String> {
    match answer(&directory(), DOMAIN, &Name::from_str(name).expect("a name"), asked) {
        Answer::Records(records) => records.iter().map(|r| r.data.to_string()).collect(),
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn a_service_has_its_cluster_ip() {
    assert_eq!(told("web.a.svc.cluster.local.", RecordType::A), ["10.96.0.7"]);
    assert_eq!(told("WEB.A.svc.cluster.local.", RecordType::A), ["10.96.0.7"]);
    assert_eq!(told("web.a.svc.cluster.local.", RecordType::AAAA), ["Nothing"]);
    assert_eq!(told("none.a.svc.cluster.local.", RecordType::A), ["NoSuchName"]);
    assert_eq!(told("_http._tcp.web.a.svc.cluster.local.", RecordType::SRV), ["0 100 80 web.a.svc.cluster.local."]);
}

#[test]
fn a_headless_service_has_its_ready_endpoints() {
    assert_eq!(told("peers.a.svc.cluster.local.", RecordType::A), ["10.244.0.5", "10.244.0.6"]);
    assert_eq!(told("one.peers.a.svc.cluster.local.", RecordType::A), ["10.244.0.5"]);
    assert_eq!(told("10-244-0-6.peers.a.svc.cluster.local.", RecordType::A), ["10.244.0.6"]);
    assert_eq!(
        told("_db._tcp.peers.a.svc.cluster.local.", RecordType::SRV),
        ["0 50 5432 one.peers.a.svc.cluster.local.", "0 50 5432 10-244-0-6.peers.a.svc.cluster.local."]
    );
}

#[test]
fn names_elsewhere_addresses_and_aliases_are_told() {
    assert_eq!(told("out.a.svc.cluster.local.", RecordType::A), ["example.org."]);
    assert_eq!(told("example.org.", RecordType::A), ["Elsewhere"]);
    assert_eq!(told("7.0.96.10.in-addr.arpa.", RecordType::PTR), ["web.a.svc.cluster.local."]);
    assert_eq!(told("5.0.244.10.in-addr.arpa.", RecordType::PTR), ["one.peers.a.svc.cluster.local."]);
    assert_eq!(told("10-1-2-3.a.pod.cluster.local.", RecordType::A), ["10.1.2.3"]);
    assert_eq!(told("a.svc.cluster.local.", RecordType::A), ["Nothing"]);
}
