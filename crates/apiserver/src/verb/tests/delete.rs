use nakhoda_api::status::Details;
use serde_json::{Value, json};

use crate::request::{Action, Deletion, ListOptions, WriteOptions};
use crate::testing::{Server, target};

async fn config_map(server: &Server, meta: Value) -> Value {
    server.create("configmaps", "default", &json!({"metadata": meta})).await.expect("made")
}

async fn pod(server: &Server, node: Option<&str>) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "i"}]});
    if let Some(node) = node {
        spec["nodeName"] = json!(node);
    }
    server.create("pods", "default", &json!({"metadata": {"name": "a"}, "spec": spec})).await.expect("made")
}

#[tokio::test]
async fn a_deletion_answers_with_a_status_that_names_the_object() {
    let server = Server::start().await;
    let made = config_map(&server, json!({"name": "a"})).await;
    let answer = server.delete("configmaps", "default", "a", &json!({})).await.expect("deleted");
    let details: Details = serde_json::from_value(answer["details"].clone()).expect("details");
    assert_eq!((details.name.as_str(), details.kind.as_str()), ("a", "configmaps"));
    assert_eq!(details.uid, made["metadata"]["uid"]);
    assert_eq!(server.delete("configmaps", "default", "a", &json!({})).await.expect_err("gone").code, 404);
}

#[tokio::test]
async fn preconditions_hold() {
    let server = Server::start().await;
    config_map(&server, json!({"name": "a"})).await;
    for conditions in [json!({"uid": "other"}), json!({"resourceVersion": "1"})] {
        let refused = server.delete("configmaps", "default", "a", &json!({"preconditions": conditions})).await;
        let refused = refused.expect_err("refused");
        assert_eq!(refused.code, 409);
        assert!(refused.message.contains("in the precondition"), "{refused}");
    }
    let wrong = server.delete("configmaps", "default", "a", &json!({"propagationPolicy": "Sideways"})).await;
    assert_eq!(wrong.expect_err("no such policy").code, 422);
}

#[tokio::test]
async fn a_finalizer_holds_an_object_until_it_is_taken_off() {
    let server = Server::start().await;
    config_map(&server, json!({"name": "a", "finalizers": ["x/y"]})).await;
    let marked = server.delete("configmaps", "default", "a", &json!({})).await.expect("marked");
    assert!(marked["metadata"]["deletionTimestamp"].is_string());
    let refused =
        server.patch("configmaps", "default", "a", &json!({"metadata": {"finalizers": ["x/y", "z/z"]}})).await;
    assert!(refused.expect_err("no new ones").message.contains("no new finalizers can be added"));
    server.patch("configmaps", "default", "a", &json!({"metadata": {"finalizers": null}})).await.expect("taken off");
    assert_eq!(server.get("configmaps", "default", "a").await.expect_err("gone").code, 404);
}

#[tokio::test]
async fn the_policy_becomes_a_finalizer() {
    let server = Server::start().await;
    for (policy, finalizer) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
        let name = policy.to_lowercase();
        config_map(&server, json!({"name": name})).await;
        let marked =
            server.delete("configmaps", "default", &name, &json!({"propagationPolicy": policy})).await.expect("marked");
        assert_eq!(marked["metadata"]["finalizers"], json!([finalizer]));
    }
}

#[tokio::test]
async fn a_pod_on_a_node_stays_until_its_kubelet_deletes_it() {
    let server = Server::start().await;
    let made = pod(&server, Some("n")).await;
    let marked = server.delete("pods", "default", "a", &json!({})).await.expect("marked");
    assert_eq!(marked["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(marked["metadata"]["generation"], 2);
    let again = server.delete("pods", "default", "a", &json!({})).await.expect("pending");
    assert_eq!(again["metadata"]["resourceVersion"], marked["metadata"]["resourceVersion"]);
    let shorter = server.delete("pods", "default", "a", &json!({"gracePeriodSeconds": 5})).await.expect("shortened");
    assert_eq!(shorter["metadata"]["deletionGracePeriodSeconds"], 5);
    let last = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": made["metadata"]["uid"]}});
    server.delete("pods", "default", "a", &last).await.expect("deleted");
    assert_eq!(server.get("pods", "default", "a").await.expect_err("gone").code, 404);
}

#[tokio::test]
async fn a_pod_without_a_node_goes_at_once() {
    let server = Server::start().await;
    pod(&server, None).await;
    server.delete("pods", "default", "a", &json!({})).await.expect("deleted");
    assert_eq!(server.get("pods", "default", "a").await.expect_err("gone").code, 404);
}

#[tokio::test]
async fn a_namespace_goes_with_the_last_of_its_finalizers() {
    let server = Server::start().await;
    server.create("namespaces", "", &json!({"metadata": {"name": "n"}})).await.expect("made");
    let mut marked = server.delete("namespaces", "", "n", &json!({})).await.expect("marked");
    assert_eq!(marked["status"]["phase"], "Terminating");
    marked["spec"]["finalizers"] = json!([]);
    server.update("namespaces/finalize", &marked).await.expect("finalized");
    assert_eq!(server.get("namespaces", "", "n").await.expect_err("gone").code, 404);
    let refused = server.delete("namespaces", "", "default", &json!({})).await.expect_err("refused");
    assert_eq!(refused.message, "namespaces \"default\" is forbidden: this namespace may not be deleted");
}

#[tokio::test]
async fn a_collection_is_deleted_by_selection() {
    let server = Server::start().await;
    for (name, label) in [("a", "x"), ("b", "y"), ("c", "x")] {
        config_map(&server, json!({"name": name, "labels": {"l": label}})).await;
    }
    let deletion = Deletion { body: None, options: WriteOptions::default() };
    let options = ListOptions { labels: "l=x".into(), ..ListOptions::default() };
    let target = target(server.pipeline.kinds(), "configmaps", "default", "");
    server.call(target, Action::DeleteCollection(deletion, options)).await.expect("deleted");
    assert_eq!(server.names("configmaps", "default", ListOptions::default()).await.expect("a list"), ["b"]);
}
