//! Definitions and their objects on a whole server.

mod conversion;

use std::time::Duration;

use nakhoda_api::Status;
use nakhoda_api::patch::PatchKind;
use serde_json::{Value, json};

use crate::request::ListOptions;
use crate::testing::{Server, strict};

/// A kind with a bit of everything.
pub(super) fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wi"], "categories": ["all"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "required": ["size"], "properties": {
                        "size": {"type": "integer", "minimum": 1, "maximum": 100},
                        "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
                        "replicas": {"type": "integer"},
                        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                    }},
                    "status": {"type": "object", "properties": {"message": {"type": "string"}, "replicas": {"type": "integer"}}},
                }}},
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
                "selectableFields": [{"jsonPath": ".spec.colour"}],
            }],
        },
    })
}

fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

/// Makes the definition, and waits until its objects are served.
pub(super) async fn define(server: &Server, definition: &Value) -> Value {
    server.create("customresourcedefinitions", "", definition).await.expect("a definition");
    let name = definition["metadata"]["name"].as_str().expect("a name").to_owned();
    until(server, &name, |crd| crd["status"].to_string().contains(r#""type":"Established""#)).await
}

/// The definition once it is as it should be; the test runner ends a test that waits forever.
async fn until(server: &Server, name: &str, done: impl Fn(&Value) -> bool) -> Value {
    loop {
        let crd = server.get("customresourcedefinitions", "", name).await.expect("a definition");
        if done(&crd) {
            return crd;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn served() -> Server {
    let server = Server::custom().await;
    define(&server, &definition()).await;
    server
}

fn told(outcome: Result<Value, Status>) -> String {
    outcome.expect_err("refused").message
}

#[tokio::test]
async fn a_definition_is_established_and_its_objects_are_served() {
    let server = Server::custom().await;
    let crd = define(&server, &definition()).await;
    let kinds: Vec<_> =
        crd["status"]["conditions"].as_array().expect("conditions").iter().map(|c| &c["type"]).collect();
    assert_eq!(kinds, ["NamesAccepted", "Established"]);
    assert_eq!(crd["status"]["acceptedNames"]["listKind"], "WidgetList");
    assert_eq!(crd["status"]["storedVersions"], json!(["v1"]));
    let made = server.create("widgets", "default", &widget("a", json!({"size": 5, "odd": 1}))).await.expect("made");
    assert_eq!(made["spec"], json!({"colour": "red", "size": 5}));
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(server.get("widgets", "default", "a").await.expect("there")["spec"]["colour"], "red");
}

#[tokio::test]
async fn faults_are_told_as_upstream_tells_them() {
    let server = served().await;
    let outcome = server.create("widgets", "default", &widget("a", json!({"size": 101, "colour": "pink"}))).await;
    let message = told(outcome);
    assert!(message.starts_with("Widget.example.com \"a\" is invalid: ["), "{message}");
    assert!(message.contains("spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100"));
    assert!(message.contains("spec.colour: Unsupported value: \"pink\": supported values: \"red\", \"blue\""));
    let unknown = widget("a", json!({"size": 1, "odd": 1}));
    let message = told(server.create_with("widgets", "default", &unknown, strict()).await);
    assert_eq!(
        message,
        "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: unknown field \"spec.odd\""
    );
    let twice = widget("a", json!({"size": 1, "tags": ["x", "x"]}));
    assert!(told(server.create("widgets", "default", &twice).await).contains("spec.tags[1]: Duplicate value: \"x\""));
}

#[tokio::test]
async fn the_status_is_written_apart_and_the_generation_counts_the_rest() {
    let server = served().await;
    server.create("widgets", "default", &widget("a", json!({"size": 1}))).await.expect("made");
    let patch = json!({"status": {"message": "m"}, "metadata": {"labels": {"a": "b"}}, "spec": {"size": 9}});
    let written = server.patch("widgets/status", "default", "a", &patch).await.expect("written");
    assert_eq!((&written["status"]["message"], &written["spec"]["size"]), (&json!("m"), &json!(1)));
    assert_eq!((&written["metadata"]["labels"], &written["metadata"]["generation"]), (&Value::Null, &json!(1)));
    let changed = server.patch("widgets", "default", "a", &json!({"spec": {"size": 2}})).await.expect("changed");
    assert_eq!((&changed["metadata"]["generation"], &changed["status"]["message"]), (&json!(2), &json!("m")));
    let bad = server.patch("widgets/status", "default", "a", &json!({"status": {"message": 5}})).await;
    assert!(told(bad).contains("status.message: Invalid value: \"integer\": message in body must be of type string"));
}

#[tokio::test]
async fn scale_looks_where_the_definition_says() {
    let server = served().await;
    server.create("widgets", "default", &widget("a", json!({"size": 1, "replicas": 3}))).await.expect("made");
    let scale = server.get("widgets/scale", "default", "a").await.expect("a scale");
    assert_eq!((&scale["spec"]["replicas"], &scale["kind"]), (&json!(3), &json!("Scale")));
    server.patch("widgets/scale", "default", "a", &json!({"spec": {"replicas": 4}})).await.expect("scaled");
    assert_eq!(server.get("widgets", "default", "a").await.expect("there")["spec"]["replicas"], 4);
}

#[tokio::test]
async fn objects_are_selected_by_the_fields_that_the_definition_names() {
    let server = served().await;
    server.create("widgets", "default", &widget("a", json!({"size": 1}))).await.expect("made");
    server.create("widgets", "default", &widget("b", json!({"size": 1, "colour": "blue"}))).await.expect("made");
    let by = |fields: &str| ListOptions { fields: fields.into(), ..ListOptions::default() };
    assert_eq!(server.names("widgets", "default", by("spec.colour=blue")).await.expect("a list"), ["b"]);
    let odd = server.names("widgets", "default", by("spec.size=1")).await.expect_err("refused");
    assert_eq!(odd.message, "field label not supported: spec.size");
}

#[tokio::test]
async fn a_strategic_patch_is_refused() {
    let server = served().await;
    server.create("widgets", "default", &widget("a", json!({"size": 1}))).await.expect("made");
    let patch = json!({"spec": {"size": 2}});
    let refused =
        server.patch_with("widgets", "default", "a", PatchKind::Strategic, &patch).await.expect_err("refused");
    assert_eq!(refused.code, 415);
}

#[tokio::test]
async fn a_changed_definition_shows_stored_objects_anew() {
    let server = served().await;
    server.create("widgets", "default", &widget("a", json!({"size": 1}))).await.expect("made");
    let schema = json!([{"op": "add",
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/shape",
        "value": {"type": "string", "default": "round"}}]);
    server
        .patch_with("customresourcedefinitions", "", "widgets.example.com", PatchKind::Json, &schema)
        .await
        .expect("changed");
    loop {
        let shown = server.get("widgets", "default", "a").await.expect("there");
        if shown["spec"]["shape"] == "round" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_deleted_definition_takes_its_objects_with_it() {
    let server = served().await;
    server.create("widgets", "default", &widget("a", json!({"size": 1}))).await.expect("made");
    let gone = server.delete("customresourcedefinitions", "", "widgets.example.com", &json!({})).await.expect("marked");
    assert_eq!(gone["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    while server.get("customresourcedefinitions", "", "widgets.example.com").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let gvr = nakhoda_api::GroupVersionResource::new("example.com", "v1", "widgets");
    while server.pipeline.kinds().get(&gvr).is_some() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    define(&server, &definition()).await;
    assert!(server.get("widgets", "default", "a").await.is_err_and(|status| status.code == 404));
}

#[tokio::test]
async fn another_version_shows_the_same_objects() {
    let server = Server::custom().await;
    let mut definition = definition();
    let mut second = definition["spec"]["versions"][0].clone();
    second["name"] = json!("v2");
    second["storage"] = json!(false);
    definition["spec"]["versions"].as_array_mut().expect("a list").push(second);
    define(&server, &definition).await;
    server.create("widgets", "default", &widget("a", json!({"size": 1}))).await.expect("made");
    let v2 = nakhoda_api::GroupVersionResource::new("example.com", "v2", "widgets");
    let target =
        crate::request::ResourceTarget { gvr: v2, namespace: "default".into(), name: "a".into(), ..Default::default() };
    let action = crate::request::Action::Get { resource_version: String::new() };
    let shown = crate::testing::value(&server.call(target, action).await.expect("there"));
    assert_eq!((&shown["apiVersion"], &shown["spec"]["size"]), (&json!("example.com/v2"), &json!(1)));
}

#[tokio::test]
async fn rules_in_cel_are_checked_when_they_are_defined_and_when_objects_are_written() {
    let server = Server::custom().await;
    let mut definition = definition();
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
    definition.pointer_mut(spec).expect("there")["x-kubernetes-validations"] = json!([{"rule": "self.siz < 90"}]);
    let refused = server.create("customresourcedefinitions", "", &definition).await;
    assert!(told(refused).contains("compilation failed: ERROR: <input>:1:5: undefined field 'siz'"));
    definition.pointer_mut(spec).expect("there")["x-kubernetes-validations"] =
        json!([{"rule": "self.size < 90", "message": "too large"}]);
    define(&server, &definition).await;
    let refused = server.create("widgets", "default", &widget("a", json!({"size": 95}))).await;
    assert_eq!(told(refused), "Widget.example.com \"a\" is invalid: spec: Invalid value: too large");
}

#[tokio::test]
async fn what_is_served_is_listed_as_local_api_services() {
    let server = Server::custom().await;
    let aggregation = crate::aggregation::Aggregation::new(None, &server.tasks);
    crate::aggregation::follow::start(&aggregation, &server.pipeline, &server.tasks);
    define(&server, &definition()).await;
    loop {
        if let Ok(service) = server.get("apiservices", "", "v1.example.com").await
            && service["status"]["conditions"][0]["reason"] == "Local"
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    server.delete("customresourcedefinitions", "", "widgets.example.com", &json!({})).await.expect("marked");
    while server.get("apiservices", "", "v1.example.com").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(server.get("apiservices", "", "v1.apps").await.is_ok());
}

#[tokio::test]
async fn a_patch_that_changes_nothing_writes_nothing() {
    let server = served().await;
    let made = server.create("widgets", "default", &widget("a", json!({"size": 5}))).await.expect("made");
    for patch in [json!({"spec": {"size": 5}}), json!({"status": {"message": "x"}})] {
        let same = server.patch("widgets", "default", "a", &patch).await.expect("patched");
        assert_eq!(same["metadata"]["resourceVersion"], made["metadata"]["resourceVersion"], "{patch}");
    }
}
