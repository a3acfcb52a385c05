use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, prepared, row, status, update};

fn service(spec: Value) -> Value {
    defaulted::<Services>(json!({"metadata": {"name": "s"}, "spec": spec}))
}

#[test]
fn defaults_depend_on_the_type() {
    assert_eq!(
        service(json!({"ports": [{"port": 80}]}))["spec"],
        json!({"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
               "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]})
    );
    let spec = &service(json!({"type": "LoadBalancer", "sessionAffinity": "ClientIP"}))["spec"];
    assert_eq!(spec["externalTrafficPolicy"], "Cluster");
    assert_eq!(spec["allocateLoadBalancerNodePorts"], true);
    assert_eq!(spec["sessionAffinityConfig"], json!({"clientIP": {"timeoutSeconds": 10800}}));
    assert_eq!(service(json!({"type": "ExternalName"}))["spec"].get("internalTrafficPolicy"), None);
}

#[test]
fn an_update_keeps_what_was_allocated() {
    let old = service(json!({"type": "NodePort", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"],
                             "ports": [{"port": 80, "nodePort": 30080}]}));
    let new = service(json!({"type": "NodePort", "ports": [{"port": 81}]}));
    let kept = prepared::<Services>(new, Some(old.clone()));
    assert_eq!(kept["spec"]["clusterIPs"], json!(["10.96.0.9"]));
    assert_eq!(kept["spec"]["ports"][0]["nodePort"], 30080);
    let mut plain = old.clone();
    plain["spec"]["type"] = json!("ClusterIP");
    let released = prepared::<Services>(plain, Some(old));
    assert_eq!(released["spec"]["ports"][0].get("nodePort"), None);
    assert_eq!(released["spec"].get("externalTrafficPolicy"), None);
}

#[test]
fn a_lone_address_fills_the_list() {
    let made = prepared::<Services>(service(json!({"clusterIP": "None", "ports": []})), None);
    assert_eq!(made["spec"]["clusterIPs"], json!(["None"]));
    assert_eq!(create::<Services>(made), "");
}

#[test]
fn faults_read_as_upstream_words_them() {
    assert_eq!(create::<Services>(service(json!({}))), "spec.ports: Required value");
    assert_eq!(
        create::<Services>(service(json!({"type": "x", "ports": [
            {"port": 80}, {"name": "b", "port": 80, "targetPort": "A", "nodePort": 1}]}))),
        "[spec.ports[0].name: Required value, \
         spec.ports[1].targetPort: Invalid value: \"A\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), \
         spec.ports[1].targetPort: Invalid value: \"A\": must contain at least one letter (a-z), \
         spec.type: Unsupported value: \"x\": supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", \"NodePort\", \
         spec.ports[1]: Duplicate value: {\"port\":80,\"protocol\":\"TCP\"}]"
    );
    assert_eq!(
        create::<Services>(service(json!({"type": "ExternalName", "clusterIP": "1.1.1.1", "clusterIPs": ["1.1.1.1"]}))),
        "[spec.clusterIPs: Forbidden: may not be set for ExternalName services, spec.externalName: Required value]"
    );
}

#[test]
fn the_address_stays() {
    let with = |ip: &str| service(json!({"clusterIP": ip, "clusterIPs": [ip], "ports": [{"port": 80}]}));
    assert_eq!(
        update::<Services>(with("10.96.0.1"), with("10.96.0.2")),
        "spec.clusterIPs[0]: Invalid value: [\"10.96.0.2\"]: may not change once set"
    );
}

#[test]
fn a_new_single_address_means_a_new_list_which_is_refused() {
    let old = service(json!({"clusterIP": "10.96.0.1", "clusterIPs": ["10.96.0.1"], "ports": [{"port": 80}]}));
    let new = service(json!({"clusterIP": "10.96.0.2", "ports": [{"port": 80}]}));
    let new = prepared::<Services>(new, Some(old.clone()));
    assert_eq!(
        update::<Services>(old, new),
        "spec.clusterIPs[0]: Invalid value: [\"10.96.0.2\"]: may not change once set"
    );
}

#[test]
fn only_load_balancers_have_a_balancers_address() {
    let mut new = service(json!({"ports": [{"port": 80}]}));
    new["status"] = json!({"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}});
    assert_eq!(
        status::<Services>(new.clone(), new),
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"
    );
}

#[test]
fn rows_show_addresses_and_ports() {
    let mut balanced = service(json!({"type": "LoadBalancer", "clusterIPs": ["10.96.0.1"], "selector": {"a": "b"},
                                      "ports": [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]}));
    assert_eq!(
        row::<Services>(balanced.clone()),
        ["s", "LoadBalancer", "10.96.0.1", "<pending>", "80:30080/TCP,53/UDP", "<unknown>", "a=b"]
    );
    balanced["status"] = json!({"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}});
    assert_eq!(row::<Services>(balanced)[3], "10.0.0.1");
    assert_eq!(
        row::<Services>(service(json!({"type": "ExternalName", "externalName": "x.y"})))[2..5],
        ["<none>", "x.y", "<none>"]
    );
}
