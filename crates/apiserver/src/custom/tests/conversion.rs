use futures::StreamExt;
use nakhoda_store::cache::WatchItem;
use serde_json::{Value, json};

use super::define;
use crate::request::{Action, ListOptions, ResourceTarget, WatchOptions, Write, WriteOptions};
use crate::response::Answer;
use crate::testing::webhook::webhook;
use crate::testing::{Server, json_body, value};

/// Between `spec.size` of v1 and `spec.width` of v2.
fn convert(review: Value) -> Value {
    let wanted = review["request"]["desiredAPIVersion"].clone();
    let objects = review["request"]["objects"].as_array().cloned().unwrap_or_default();
    let made = objects.into_iter().map(|mut object| {
        let (from, to) = if wanted == "example.com/v2" { ("size", "width") } else { ("width", "size") };
        let moved = object["spec"][from].take();
        object["spec"] = json!({to: moved});
        object["apiVersion"] = wanted.clone();
        object
    });
    let made: Vec<Value> = made.collect();
    json!({"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1", "response": {
        "uid": review["request"]["uid"], "convertedObjects": made, "result": {"status": "Success"}}})
}

fn definition(url: &str, bundle: &str) -> Value {
    let version = |name: &str, field: &str, storage: bool| {
        json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object",
            "properties": {"spec": {"type": "object", "properties": {field: {"type": "integer"}}}}}},
            "selectableFields": [{"jsonPath": format!(".spec.{field}")}]})
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [version("v1", "size", true), version("v2", "width", false)],
            "conversion": {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"],
                "clientConfig": {"url": url, "caBundle": bundle}}},
        },
    })
}

fn of(version: &str, name: &str) -> ResourceTarget {
    ResourceTarget {
        gvr: nakhoda_api::GroupVersionResource::new("example.com", version, "widgets"),
        namespace: "default".into(),
        name: name.into(),
        ..ResourceTarget::default()
    }
}

async fn get(server: &Server, version: &str) -> Value {
    let action = Action::Get { resource_version: String::new() };
    let response = server.call(of(version, "a"), action).await.expect("there");
    shown(&response.answer)
}

/// As the front would send it.
fn shown(answer: &Answer) -> Value {
    let (Answer::Item { kind, item } | Answer::Created { kind, item }) = answer else { panic!("an item") };
    serde_json::from_slice(&crate::render::shown(kind, item).expect("converted")).expect("JSON")
}

#[tokio::test]
async fn a_webhook_converts_what_is_written_read_and_listed() {
    let server = Server::custom().await;
    let hook = webhook(&server.tasks, convert).await;
    define(&server, &definition(&hook.url, &hook.bundle)).await;
    let widget =
        json!({"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"width": 7}});
    let write = Write { body: json_body(&widget), options: WriteOptions::default() };
    let made = server.call(of("v2", ""), Action::Create(write)).await.expect("made");
    assert_eq!(shown(&made.answer)["spec"], json!({"width": 7}));
    assert_eq!(get(&server, "v1").await["spec"], json!({"size": 7}));
    assert_eq!(get(&server, "v2").await["spec"], json!({"width": 7}));
    let list = server.call(of("v2", ""), Action::List(ListOptions::default())).await.expect("a list");
    let Answer::List { kind, items, .. } = list.answer else { panic!("a list") };
    let first: Value =
        serde_json::from_slice(&crate::render::shown(&kind, &items[0]).expect("converted")).expect("JSON");
    assert_eq!((&first["apiVersion"], &first["spec"]["width"]), (&json!("example.com/v2"), &json!(7)));
}

#[tokio::test]
async fn a_webhook_that_is_not_there_fails_only_what_needs_it() {
    let server = Server::custom().await;
    let hook = webhook(&server.tasks, convert).await;
    define(&server, &definition("https://localhost:1/", &hook.bundle)).await;
    let widget =
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"size": 7}});
    let write = Write { body: json_body(&widget), options: WriteOptions::default() };
    let made = server.call(of("v1", ""), Action::Create(write)).await.expect("made");
    assert_eq!(value(&made)["spec"]["size"], 7);
    let action = Action::Get { resource_version: String::new() };
    let failed = server.call(of("v2", "a"), action).await.err().expect("not converted");
    assert!(
        failed
            .message
            .starts_with("conversion webhook for example.com/v1, Kind=Widget failed: Post \"https://localhost:1/"),
        "{failed}"
    );
}

#[tokio::test]
async fn fields_of_the_version_that_is_asked_select() {
    let server = Server::custom().await;
    let hook = webhook(&server.tasks, convert).await;
    define(&server, &definition(&hook.url, &hook.bundle)).await;
    let widget = |name: &str, width: i64| json!({"apiVersion": "example.com/v2", "kind": "Widget", "metadata": {"name": name}, "spec": {"width": width}});
    let write = |body: Value| Write { body: json_body(&body), options: WriteOptions::default() };
    let fields = |fields: &str| ListOptions { fields: fields.into(), ..ListOptions::default() };
    let options = WatchOptions { list: fields("spec.width=7"), ..WatchOptions::default() };
    let watch = server.call(of("v2", ""), Action::Watch(options)).await.expect("a watch");
    let Answer::Watch { kind, watcher, gate, .. } = watch.answer else { panic!("a watch") };
    for (name, width) in [("a", 7), ("b", 8)] {
        server.call(of("v2", ""), Action::Create(write(widget(name, width)))).await.expect("made");
    }
    for (version, selector) in [("v2", "spec.width=7"), ("v1", "spec.size=7")] {
        let list = server.call(of(version, ""), Action::List(fields(selector))).await.expect("a list");
        let Answer::List { items, .. } = list.answer else { panic!("a list") };
        assert_eq!(items.iter().map(|item| item.name()).collect::<Vec<_>>(), ["a"], "{selector}");
    }
    server.call(of("v2", "b"), Action::Update(write(widget_at(&server, "b", 7).await))).await.expect("changed");
    server.call(of("v2", "a"), Action::Update(write(widget_at(&server, "a", 9).await))).await.expect("changed");
    let events: Vec<(&str, String)> = crate::verb::gate::settled(kind, watcher, gate)
        .filter_map(|(item, _)| async move {
            let Ok(WatchItem::Notice(notice)) = item else { return None };
            Some((notice.kind.as_str(), notice.item.name().to_owned()))
        })
        .take(3)
        .collect()
        .await;
    let told = |kind, name: &str| (kind, name.to_owned());
    assert_eq!(events, [told("ADDED", "a"), told("ADDED", "b"), told("DELETED", "a")]);
}

async fn widget_at(server: &Server, name: &str, width: i64) -> Value {
    let response = server.call(of("v2", name), Action::Get { resource_version: String::new() }).await.expect("there");
    let mut widget = shown(&response.answer);
    widget["spec"]["width"] = width.into();
    widget
}
