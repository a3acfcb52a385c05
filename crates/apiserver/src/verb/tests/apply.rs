use bytes::Bytes;
use nakhoda_api::Status;
use nakhoda_api::patch::PatchKind;
use serde_json::{Value, json};

use crate::request::{Action, PatchWrite, WriteOptions};
use crate::testing::Server;

fn config_map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}, "data": data})
}

async fn apply(server: &Server, manager: &str, force: bool, object: &Value) -> Result<Value, Status> {
    let options = WriteOptions { field_manager: manager.into(), ..WriteOptions::default() };
    let write = PatchWrite { kind: PatchKind::Apply, bytes: Bytes::from(object.to_string()), force, options };
    server.ask("configmaps", "default", "a", Action::Patch(write)).await
}

fn entry<'a>(object: &'a Value, manager: &str) -> Option<&'a Value> {
    object["metadata"]["managedFields"].as_array()?.iter().find(|entry| entry["manager"] == manager)
}

#[tokio::test]
async fn an_apply_makes_what_is_not_there_and_owns_what_it_says() {
    let server = Server::start().await;
    let made = apply(&server, "me", false, &config_map(&json!({"k": "v"}))).await.expect("made");
    let own = entry(&made, "me").expect("an owner");
    assert_eq!((&own["operation"], &own["fieldsV1"]), (&json!("Apply"), &json!({"f:data": {"f:k": {}}})));
    let changed = apply(&server, "me", false, &config_map(&json!({"l": "w"}))).await.expect("applied");
    assert_eq!(changed["data"], json!({"l": "w"}));
}

#[tokio::test]
async fn an_apply_that_changes_nothing_writes_nothing() {
    let server = Server::start().await;
    let made = apply(&server, "me", false, &config_map(&json!({"k": "v"}))).await.expect("made");
    let same = apply(&server, "me", false, &config_map(&json!({"k": "v"}))).await.expect("applied");
    assert_eq!(same["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"]);
}

#[tokio::test]
async fn a_conflict_names_the_owner_and_the_field_and_force_ends_it() {
    let server = Server::start().await;
    apply(&server, "me", false, &config_map(&json!({"k": "v"}))).await.expect("made");
    let refused = apply(&server, "you", false, &config_map(&json!({"k": "w"}))).await.expect_err("a conflict");
    assert_eq!(refused.code, 409);
    assert_eq!(refused.message, "Apply failed with 1 conflict: conflict with \"me\": .data.k");
    let causes = refused.details.expect("details").causes;
    assert_eq!((causes[0].reason.as_str(), causes[0].field.as_str()), ("FieldManagerConflict", ".data.k"));
    let forced = apply(&server, "you", true, &config_map(&json!({"k": "w"}))).await.expect("forced");
    assert!(entry(&forced, "me").is_none() && entry(&forced, "you").is_some());
}

#[tokio::test]
async fn a_patch_takes_what_it_changes() {
    let server = Server::start().await;
    apply(&server, "me", false, &config_map(&json!({"k": "v", "l": "v"}))).await.expect("made");
    let patched = server.patch("configmaps", "default", "a", &json!({"data": {"k": "w"}})).await.expect("patched");
    assert_eq!(entry(&patched, "me").expect("still there")["fieldsV1"], json!({"f:data": {"f:l": {}}}));
    let refused = apply(&server, "me", false, &config_map(&json!({"k": "v"}))).await.expect_err("a conflict");
    assert!(refused.message.contains(" using v1: .data.k"), "{}", refused.message);
}

#[tokio::test]
async fn a_bad_configuration_says_what_is_wrong() {
    let server = Server::start().await;
    let mut wrong = config_map(&json!({}));
    wrong["kind"] = json!("Secret");
    let refused = apply(&server, "me", false, &wrong).await.expect_err("another kind");
    assert_eq!((refused.code, refused.message.as_str()), (400, "invalid object type: /v1, Kind=Secret"));
    let mut unknown = config_map(&json!({}));
    unknown["foo"] = json!(1);
    let refused = apply(&server, "me", false, &unknown).await.expect_err("an unknown field");
    let text =
        "failed to create typed patch object (default/a; /v1, Kind=ConfigMap): .foo: field not declared in schema";
    assert_eq!((refused.code, refused.message.as_str()), (500, text));
}

/// The deployment `d` with one replica, after scales to so many.
async fn scaled(server: &Server, replicas: &[i32]) -> Value {
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let spec = json!({"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template});
    server.create("deployments", "default", &json!({"metadata": {"name": "d"}, "spec": spec})).await.expect("made");
    for replicas in replicas {
        let options = WriteOptions { field_manager: "scaler".into(), ..WriteOptions::default() };
        let patch = json!({"spec": {"replicas": replicas}}).to_string();
        let write = PatchWrite { kind: PatchKind::Merge, bytes: Bytes::from(patch), force: false, options };
        server.ask("deployments/scale", "default", "d", Action::Patch(write)).await.expect("scaled");
    }
    server.get("deployments", "default", "d").await.expect("there")
}

#[tokio::test]
async fn a_scale_that_changes_nothing_sets_the_owner_of_the_replicas_apart_as_upstream_does() {
    let (once, twice) = (Server::start().await, Server::start().await);
    let owners = |object: &Value| -> Vec<bool> {
        let entries = object["metadata"]["managedFields"].as_array().expect("owners").iter();
        entries.map(|entry| entry["fieldsV1"]["f:spec"].get("f:replicas").is_some()).collect()
    };
    assert_eq!(owners(&scaled(&once, &[1]).await), [true, false]);
    assert_eq!(owners(&scaled(&twice, &[1, 1]).await), [false]);
}

#[tokio::test]
async fn what_has_items_without_keys_is_not_tracked() {
    let server = Server::start().await;
    let account = json!({"metadata": {"name": "a"}, "secrets": [{"kind": "Secret"}]});
    let made = server.create("serviceaccounts", "default", &account).await.expect("made");
    assert_eq!(made["metadata"].get("managedFields"), None);
}

#[tokio::test]
async fn who_scales_owns_the_replicas_through_scale() {
    let server = Server::start().await;
    let object = scaled(&server, &[3]).await;
    let own = entry(&object, "scaler").expect("an owner");
    assert_eq!((&own["subresource"], &own["fieldsV1"]), (&json!("scale"), &json!({"f:spec": {"f:replicas": {}}})));
}
