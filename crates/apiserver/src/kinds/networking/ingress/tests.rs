use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, row, status as status_faults, update};

fn ingress(path: Value) -> Value {
    json!({"metadata": {"name": "a"}, "spec": {"rules": [{"host": "a.example.com", "http": {"paths": [path]}}]}})
}

#[test]
fn all_faults_are_told_in_upstreams_words() {
    let backend = json!({"service": {"name": "b", "port": {"number": 80}}});
    assert_eq!(create::<Ingresses>(ingress(json!({"path": "/", "pathType": "Prefix", "backend": backend}))), "");
    assert_eq!(
        create::<Ingresses>(ingress(json!({"path": "a//b/.", "pathType": "Exact", "backend": {}}))),
        "[spec.rules[0].http.paths[0].path: Invalid value: \"a//b/.\": must be an absolute path, \
         spec.rules[0].http.paths[0].path: Invalid value: \"a//b/.\": must not contain '//', \
         spec.rules[0].http.paths[0].path: Invalid value: \"a//b/.\": cannot end with '/.', \
         spec.rules[0].http.paths[0].backend: Invalid value: \"\": resource or service backend is required]"
    );
    assert_eq!(
        create::<Ingresses>(json!({"metadata": {"name": "a"}, "spec": {}})),
        "spec: Invalid value: null: either `defaultBackend` or `rules` must be specified"
    );
}

#[test]
fn what_was_stored_under_older_rules_may_stay() {
    let old = json!({"spec": {"defaultBackend": {"service": {"name": "b", "port": {"number": 80}}}, "tls": [{"secretName": "A"}]}});
    assert_eq!(update::<Ingresses>(old.clone(), old.clone()), "");
    assert!(create::<Ingresses>(old).contains("spec.tls[0].secretName"));
}

#[test]
fn a_status_names_addresses_and_hosts() {
    let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}, {"hostname": "10.0.0.1"}]}}});
    assert_eq!(
        status_faults::<Ingresses>(json!({}), status.clone()),
        "status.loadBalancer.ingress[1].hostname: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address"
    );
    assert_eq!(row::<Ingresses>(status)[1..5], ["<none>", "*", "10.0.0.1", "80"]);
}
