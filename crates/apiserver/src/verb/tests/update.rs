use nakhoda_api::patch::PatchKind;
use serde_json::{Value, json};

use crate::testing::Server;

async fn config_map(server: &Server) -> Value {
    let object = json!({"metadata": {"name": "a"}, "data": {"k": "v"}});
    server.create("configmaps", "default", &object).await.expect("made")
}

#[tokio::test]
async fn an_update_of_an_old_version_is_refused() {
    let server = Server::start().await;
    let first = config_map(&server).await;
    let mut next = first.clone();
    next["data"]["k"] = json!("w");
    let second = server.update("configmaps", &next).await.expect("updated");
    assert_ne!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let refused = server.update("configmaps", &next).await.expect_err("too old");
    assert_eq!(refused.code, 409);
    assert!(refused.message.contains("the object has been modified; please apply your changes"), "{refused}");
}

#[tokio::test]
async fn an_update_that_changes_nothing_writes_nothing() {
    let server = Server::start().await;
    let first = config_map(&server).await;
    assert_eq!(server.update("configmaps", &first).await.expect("unchanged"), first);
}

#[tokio::test]
async fn an_update_cannot_change_what_is_fixed() {
    let server = Server::start().await;
    let first = config_map(&server).await;
    let mut other = first.clone();
    other["metadata"]["uid"] = json!("other");
    assert_eq!(server.update("configmaps", &other).await.expect_err("another uid").code, 409);
    let mut later = first.clone();
    later["metadata"]["creationTimestamp"] = json!("2000-01-01T00:00:00Z");
    let kept = server.update("configmaps", &later).await.expect("ignored");
    assert_eq!(kept["metadata"]["creationTimestamp"], first["metadata"]["creationTimestamp"]);
}

#[tokio::test]
async fn an_update_of_what_is_not_there_is_not_found() {
    let server = Server::start().await;
    let object = json!({"metadata": {"name": "a", "namespace": "default"}});
    assert_eq!(server.update("configmaps", &object).await.expect_err("not there").code, 404);
}

#[tokio::test]
async fn patches_of_three_kinds_are_done_and_an_apply_must_say_whose_it_is() {
    let server = Server::start().await;
    config_map(&server).await;
    let json = json!([{"op": "add", "path": "/data/j", "value": "1"}]);
    server.patch_with("configmaps", "default", "a", PatchKind::Json, &json).await.expect("json patch");
    let merge = json!({"data": {"m": "1", "k": null}});
    server.patch_with("configmaps", "default", "a", PatchKind::Merge, &merge).await.expect("merge patch");
    let strategic = json!({"data": {"s": "1"}});
    let object =
        server.patch_with("configmaps", "default", "a", PatchKind::Strategic, &strategic).await.expect("strategic");
    assert_eq!(object["data"], json!({"j": "1", "m": "1", "s": "1"}));
    let refused = server.patch_with("configmaps", "default", "a", PatchKind::Apply, &strategic).await;
    assert_eq!(refused.expect_err("nobody's").code, 422);
}

#[tokio::test]
async fn generation_counts_changes_of_the_spec_only() {
    let server = Server::start().await;
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let spec = json!({"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template});
    let made =
        server.create("deployments", "default", &json!({"metadata": {"name": "d"}, "spec": spec})).await.expect("made");
    assert_eq!(made["metadata"]["generation"], 1);
    let labelled = server
        .patch("deployments", "default", "d", &json!({"metadata": {"labels": {"x": "y"}}}))
        .await
        .expect("labelled");
    assert_eq!(labelled["metadata"]["generation"], 1);
    let scaled = server.patch("deployments", "default", "d", &json!({"spec": {"replicas": 2}})).await.expect("scaled");
    assert_eq!(scaled["metadata"]["generation"], 2);
}

#[tokio::test]
async fn concurrent_patches_are_all_applied() {
    let server = Server::start().await;
    config_map(&server).await;
    let patches = (0..20).map(|n| {
        let patch = json!({"data": {format!("k{n}"): "v"}});
        let server = &server;
        async move { server.patch("configmaps", "default", "a", &patch).await }
    });
    for outcome in futures::future::join_all(patches).await {
        outcome.expect("patched");
    }
    let object = server.get("configmaps", "default", "a").await.expect("there");
    assert_eq!(object["data"].as_object().map(serde_json::Map::len), Some(21));
}
