//! The class of CVE-2019-11247 (cluster-scoped custom resources by way of a namespace in which one has rights) and
//! CVE-2022-3162 (other kinds' objects by way of path tricks): a path names one object, in one scope, or nothing.

use http::Method;
use serde_json::{Value, json};

use super::Rest;
use crate::testing::Server;

/// A server with a custom kind that lies in no namespace, and an object of it.
async fn gadgets() -> Rest {
    let server = Server::custom().await;
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({"metadata": {"name": "gadgets.example.com"}, "spec": {
        "group": "example.com", "scope": "Cluster", "names": {"plural": "gadgets", "kind": "Gadget"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}});
    server.create("customresourcedefinitions", "", &definition).await.expect("defined");
    while server.pipeline.kinds().get(&nakhoda_api::GroupVersionResource::new("example.com", "v1", "gadgets")).is_none()
    {
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let gadget = json!({"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}, "a": 1});
    server.create("gadgets", "", &gadget).await.expect("made");
    let map = json!({"metadata": {"name": "there"}, "data": {"k": "v"}});
    server.create("configmaps", "default", &map).await.expect("made");
    Rest::over(server)
}

#[tokio::test]
async fn what_lies_in_no_namespace_is_not_found_in_one() {
    let rest = gadgets().await;
    assert_eq!(rest.get("/apis/example.com/v1/gadgets/g", "*/*").await.code, 200);
    let body = r#"{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"h"}}"#;
    for (kind, name) in
        [("/apis/example.com/v1/namespaces/default/gadgets", "g"), ("/api/v1/namespaces/default/nodes", "n")]
    {
        let one = format!("{kind}/{name}");
        let asked = [
            (Method::GET, kind, ""),
            (Method::POST, kind, body),
            (Method::DELETE, kind, ""),
            (Method::GET, &one, ""),
            (Method::PUT, &one, body),
            (Method::PATCH, &one, "{}"),
            (Method::DELETE, &one, ""),
        ];
        for (method, path, body) in asked {
            let media = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
            let answer = rest.send(method.clone(), path, &[("content-type", media)], body).await;
            assert_eq!(answer.code, 404, "{method} {path}");
        }
    }
    assert_eq!(rest.get("/apis/example.com/v1/gadgets/g", "*/*").await.json()["a"], 1);
}

#[tokio::test]
async fn a_path_that_winds_about_leads_nowhere() {
    let rest = gadgets().await;
    let maps = "/api/v1/namespaces/default/configmaps";
    for trick in [
        "/api/v1/namespaces/default/gadgets/../configmaps/there",
        "/api/v1/namespaces/default/secrets/%2e%2e/configmaps/there",
        "/api/v1/namespaces/default/secrets%2f..%2fconfigmaps/there",
        "/api/v1/namespaces/default/configmaps;x/there",
        "/api/v1/namespaces/default//configmaps/there",
        "/api/v1/namespaces//configmaps/there",
        "/api/v1/namespaces/default/configmaps%00/there",
        "/api/v1/namespaces/default/ConfigMaps/there",
        "/api//v1/namespaces/default/configmaps/there",
        "//api/v1/namespaces/default/configmaps/there",
        "/apis//v1/namespaces/default/configmaps/there",
        "/apis/example.com/v1/gadgets/..%2fgadgets%2fg",
        "/apis/example.com/v1/gadgets/%2e%2e%2f%2e%2e%2fconfigmaps%2fdefault%2fthere",
        "/apis/example.com/v1/gadgets%2fg",
        "/apis/example.com/v1/gadgets/..",
        "/apis/example.com/v1/gadgets/.",
        "/apis/example.com%2fv1/gadgets/g",
    ] {
        let answer = rest.get(trick, "*/*").await;
        assert!(answer.code.is_client_error(), "{trick}: {}", answer.code);
        let shown: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        assert!(shown["data"].is_null() && shown["items"].is_null(), "{trick}: {shown}");
    }
    assert_eq!(rest.get(&format!("{maps}/there"), "*/*").await.code, 200);
}
