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
    let ours = json!({"metadata": {"labels": {"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}}});
    let foreign = json!({"metadata": {"name": "10.96.0.50"}, "spec": {"parentRef": {"group": "a.b", "resource": "c", "name": "d"}}});
    server.create("ipaddresses", "", &foreign).await.expect("made");
    let (orphan, lost) = ("/registry/ipaddresses/10.96.0.99", "/registry/ipaddresses/10.96.0.7");
    nakhoda_store::Store::create(&**store, orphan.into(), ours.to_string().into(), &none).await.expect("written");
    nakhoda_store::Store::remove(&**store, lost.into(), &none).await.expect("removed");
    assert_eq!(super::repair::run(&server.pipeline).await.expect("set right"), 2);
    assert_eq!(super::repair::run(&server.pipeline).await.expect("looked at"), 0);
}

/// A ServiceCIDR that is ready.
async fn cidr(server: &Server, name: &str, range: &str) {
    let object = json!({"metadata": {"name": name}, "spec": {"cidrs": [range]}});
    let mut made = server.create("servicecidrs", "", &object).await.expect("made");
    let condition = json!({"type": "Ready", "status": "True", "reason": "", "message": "", "lastTransitionTime": "2026-01-02T03:04:05Z"});
    made["status"] = json!({"conditions": [condition]});
    server.update("servicecidrs/status", &made).await.expect("marked");
}

/// The caches know of a write a moment after it is answered; a read waits for that.
async fn caught_up(server: &Server) {
    server.get("servicecidrs", "", "kubernetes").await.expect("there");
}

#[tokio::test]
async fn another_range_is_used_once_the_first_is_full_and_no_longer_when_it_goes() {
    let server = Server::start().await;
    cidr(&server, "kubernetes", "10.96.0.0/30").await;
    caught_up(&server).await;
    let spec = json!({"ports": [{"port": 80}]});
    for name in ["a", "b"] {
        assert!(
            service(&server, name, spec.clone()).await["spec"]["clusterIP"]
                .as_str()
                .expect("one")
                .starts_with("10.96.0.")
        );
    }
    let body = |name: &str| json!({"metadata": {"name": name}, "spec": spec});
    let refused = server.create("services", "default", &body("c")).await.expect_err("the range is full");
    assert_eq!(refused.code, 500);
    cidr(&server, "more", "10.97.0.0/24").await;
    caught_up(&server).await;
    assert!(
        service(&server, "c", spec.clone()).await["spec"]["clusterIP"].as_str().expect("one").starts_with("10.97.0.")
    );
    let held = server.names("ipaddresses", "", Default::default()).await.expect("a list");
    assert_eq!(held.len(), 3);
    server.delete("servicecidrs", "", "more", &json!({})).await.expect("deleted");
    caught_up(&server).await;
    server.create("services", "default", &body("d")).await.expect_err("the range is gone");
}

#[tokio::test]
async fn an_address_that_somebody_else_holds_is_not_given() {
    let server = Server::start().await;
    let foreign = json!({"metadata": {"name": "10.96.0.7"}, "spec": {"parentRef": {"group": "a.b", "resource": "c", "name": "d"}}});
    server.create("ipaddresses", "", &foreign).await.expect("made");
    let body = json!({"metadata": {"name": "a"}, "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 80}]}});
    assert_eq!(server.create("services", "default", &body).await.expect_err("it is held").code, 422);
}
