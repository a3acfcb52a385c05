use serde_json::json;

use crate::request::WriteOptions;
use crate::testing::{Server, strict};

#[tokio::test]
async fn a_new_object_gets_what_the_server_gives() {
    let server = Server::start().await;
    let given =
        json!({"metadata": {"name": "a", "uid": "mine", "generation": 7, "managedFields": []}, "data": {"k": "v"}});
    let made = server.create("configmaps", "default", &given).await.expect("made");
    let meta = &made["metadata"];
    assert_eq!(meta["namespace"], "default");
    assert_ne!(meta["uid"], "mine");
    assert!(meta["creationTimestamp"].is_string() && meta["resourceVersion"].is_string());
    assert_eq!(meta.get("generation"), None, "ConfigMaps have none");
    assert_eq!(server.get("configmaps", "default", "a").await.expect("there"), made);
}

#[tokio::test]
async fn a_name_is_made_of_a_prefix() {
    let server = Server::start().await;
    let made =
        server.create("configmaps", "default", &json!({"metadata": {"generateName": "a-"}})).await.expect("made");
    let name = made["metadata"]["name"].as_str().expect("a name");
    assert!(name.starts_with("a-") && name.len() == 7, "{name}");
}

#[tokio::test]
async fn what_is_there_is_not_made_again() {
    let server = Server::start().await;
    let object = json!({"metadata": {"name": "a"}});
    server.create("configmaps", "default", &object).await.expect("made");
    let refused = server.create("configmaps", "default", &object).await.expect_err("refused");
    assert_eq!((refused.code, refused.message.as_str()), (409, "configmaps \"a\" already exists"));
}

#[tokio::test]
async fn a_body_must_fit_the_request() {
    let server = Server::start().await;
    let cases = [
        (
            json!({"metadata": {"name": "a", "namespace": "other"}}),
            400,
            "the namespace of the provided object does not match",
        ),
        (
            json!({"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}}),
            400,
            "cannot be handled as a ConfigMap",
        ),
        (
            json!({"kind": "ConfigMap", "apiVersion": "v2", "metadata": {"name": "a"}}),
            400,
            "does not match the expected API version (v1)",
        ),
        (json!({"metadata": {"name": "A"}}), 422, "metadata.name: Invalid value: \"A\""),
        (json!({"metadata": {}}), 422, "metadata.name: Required value: name or generateName is required"),
        (json!({"metadata": {"name": "a", "labels": {"x": "a b"}}}), 422, "metadata.labels: Invalid value: \"a b\""),
    ];
    for (object, code, text) in cases {
        let refused = server.create("configmaps", "default", &object).await.expect_err("refused");
        assert_eq!(refused.code, code, "{refused}");
        assert!(refused.message.contains(text), "{refused}");
    }
}

#[tokio::test]
async fn unknown_fields_are_refused_if_the_client_wants_it() {
    let server = Server::start().await;
    let object = json!({"metadata": {"name": "a"}, "dota": {"k": "v"}});
    let refused = server.create_with("configmaps", "default", &object, strict()).await.expect_err("refused");
    assert_eq!(refused.code, 400);
    assert!(refused.message.ends_with("strict decoding error: unknown field \"dota\""), "{refused}");
}

#[tokio::test]
async fn a_dry_run_stores_nothing() {
    let server = Server::start().await;
    let options = WriteOptions { dry_run: true, ..WriteOptions::default() };
    let object = json!({"metadata": {"name": "a"}});
    server.create_with("configmaps", "default", &object, options).await.expect("would be made");
    assert_eq!(server.get("configmaps", "default", "a").await.expect_err("not there").code, 404);
}

#[tokio::test]
async fn nothing_is_made_in_a_namespace_that_is_not_there_or_is_going() {
    let server = Server::start().await;
    let object = json!({"metadata": {"name": "a"}});
    let refused = server.create("configmaps", "nowhere", &object).await.expect_err("refused");
    assert_eq!((refused.code, refused.message.as_str()), (404, "namespaces \"nowhere\" not found"));
    server.create("namespaces", "", &json!({"metadata": {"name": "gone"}})).await.expect("made");
    server.delete("namespaces", "", "gone", &json!({})).await.expect("marked");
    server.get("namespaces", "", "gone").await.expect("seen by the cache");
    let refused = server.create("configmaps", "gone", &object).await.expect_err("refused");
    assert!(refused.message.contains("unable to create new content in namespace gone because it is being terminated"));
}

#[tokio::test]
async fn services_get_addresses_and_ports_once() {
    let server = Server::start().await;
    let service = |name: &str, spec: serde_json::Value| json!({"metadata": {"name": name}, "spec": spec});
    let ports = json!([{"port": 80, "protocol": "TCP"}]);
    let asked = json!({"clusterIP": "10.96.0.9", "type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]});
    let first = server.create("services", "default", &service("a", asked.clone())).await.expect("made");
    assert_eq!(first["spec"]["clusterIPs"], json!(["10.96.0.9"]));
    let refused = server.create("services", "default", &service("b", asked)).await.expect_err("taken");
    let text = "spec.clusterIPs: Invalid value: [\"10.96.0.9\"]: failed to allocate IP 10.96.0.9: provided IP is already allocated";
    assert!(refused.message.contains(text), "{refused}");
    let taken_port = json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]});
    let refused = server.create("services", "default", &service("b", taken_port)).await.expect_err("taken");
    assert!(
        refused.message.contains("spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated"),
        "{refused}"
    );
    let free =
        server.create("services", "default", &service("c", json!({"ports": ports.clone()}))).await.expect("made");
    assert!(free["spec"]["clusterIP"].as_str().is_some_and(|ip| ip.starts_with("10.96.0.")), "{free}");
    let headless =
        server.create("services", "default", &service("d", json!({"clusterIP": "None", "ports": ports}))).await;
    assert_eq!(headless.expect("made")["spec"]["clusterIP"], "None");
}

#[tokio::test]
async fn node_ports_run_out_and_come_back() {
    let server = Server::start().await;
    let service = |n: usize| json!({"metadata": {"name": format!("s{n}")}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}});
    for n in 0..10 {
        server.create("services", "default", &service(n)).await.expect("a port is left");
    }
    assert_eq!(server.create("services", "default", &service(10)).await.expect_err("none is left").code, 500);
    server.delete("services", "default", "s3", &json!({})).await.expect("deleted");
    server.create("services", "default", &service(10)).await.expect("the port is free again");
}

#[tokio::test]
async fn a_pod_is_completed_by_admission() {
    let server = Server::start().await;
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let made = server.create("pods", "default", &pod).await.expect("made");
    let spec = &made["spec"];
    assert_eq!(spec["serviceAccountName"], "default");
    assert_eq!(spec["priority"], 0);
    assert_eq!(spec["tolerations"].as_array().map(Vec::len), Some(2));
    let mount = &spec["containers"][0]["volumeMounts"][0];
    assert_eq!(mount["mountPath"], "/var/run/secrets/kubernetes.io/serviceaccount");
    assert_eq!(spec["volumes"][0]["name"], mount["name"]);
    assert_eq!(made["status"]["phase"], "Pending");
}
