use serde_json::{Value, json};

use crate::testing::Server;

async fn service(server: &Server, name: &str, spec: Value) -> Value {
    server.create("services", "default", &json!({"metadata": {"name": name}, "spec": spec})).await.expect("made")
}

#[tokio::test]
async fn what_a_type_does_not_need_is_given_back() {
    let server = Server::start().await;
    let ports = json!([{"port": 80, "nodePort": 30005}]);
    let made = service(&server, "a", json!({"type": "NodePort", "clusterIP": "10.96.0.7", "ports": ports})).await;
    let changed =
        server.patch("services", "default", "a", &json!({"spec": {"type": "ClusterIP"}})).await.expect("changed");
    assert_eq!(changed["spec"]["clusterIP"], made["spec"]["clusterIP"]);
    assert_eq!(changed["spec"]["ports"][0].get("nodePort"), None);
    service(&server, "b", json!({"type": "NodePort", "ports": ports})).await;
    server.delete("services", "default", "a", &json!({})).await.expect("deleted");
    service(&server, "c", json!({"clusterIP": "10.96.0.7", "ports": [{"port": 80}]})).await;
}

#[tokio::test]
async fn a_replacement_without_an_address_keeps_it() {
    let server = Server::start().await;
    let mut made = service(&server, "a", json!({"ports": [{"port": 80}]})).await;
    let address = made["spec"]["clusterIP"].clone();
    let spec = made["spec"].as_object_mut().expect("a spec");
    spec.remove("clusterIP");
    spec.remove("clusterIPs");
    made["metadata"]["labels"] = json!({"x": "y"});
    assert_eq!(server.update("services", &made).await.expect("updated")["spec"]["clusterIP"], address);
}

#[tokio::test]
async fn faults_are_left_for_validation_and_hold_nothing() {
    let server = Server::start().await;
    let cases = [
        json!({"clusterIP": "x.y", "ports": [{"port": 80}]}),
        json!({"clusterIP": "None", "clusterIPs": ["10.96.0.8"], "ports": [{"port": 80}]}),
        json!({"ports": [{"port": 80, "nodePort": 30001}]}),
        json!({"ipFamilyPolicy": "RequireDualStack", "ports": [{"port": 80}]}),
        json!({"clusterIP": "203.0.113.9", "ports": [{"port": 80}]}),
        json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}),
    ];
    for spec in cases {
        let refused = server.create("services", "default", &json!({"metadata": {"name": "a"}, "spec": spec})).await;
        assert_eq!(refused.expect_err("refused").code, 422);
    }
    service(&server, "a", json!({"clusterIP": "10.96.0.8", "ports": [{"port": 80}]})).await;
}

#[tokio::test]
async fn a_key_without_its_service_is_removed_and_a_missing_one_made() {
    let server = Server::start().await;
    service(&server, "a", json!({"clusterIP": "10.96.0.7", "ports": [{"port": 80}]})).await;
    assert_eq!(super::repair::run(&server.pipeline).await.expect("looked at"), 0);
    let (store, none) = (&server.store, nakhoda_store::Options::default());
    let (orphan, lost) = ("/registry/ipaddresses/10.96.0.99", "/registry/ipaddresses/10.96.0.7");
    nakhoda_store::Store::create(&**store, orphan.into(), "{}".into(), &none).await.expect("written");
    nakhoda_store::Store::remove(&**store, lost.into(), &none).await.expect("removed");
    assert_eq!(super::repair::run(&server.pipeline).await.expect("set right"), 2);
    assert_eq!(super::repair::run(&server.pipeline).await.expect("looked at"), 0);
}
