use http::Method;

use super::Rest;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

#[tokio::test]
async fn discovery_tells_the_same_in_both_forms() {
    let rest = Rest::start().await;
    let all = rest.get("/apis", AGGREGATED).await;
    assert_eq!(all.header("content-type"), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    let groups: Vec<_> =
        all.json()["items"].as_array().expect("items").iter().map(|g| g["metadata"]["name"].clone()).collect();
    let plain = rest.get("/apis", "application/json").await.json();
    let listed: Vec<_> = plain["groups"].as_array().expect("groups").iter().map(|g| g["name"].clone()).collect();
    assert_eq!(groups, listed);
    assert_eq!(rest.get("/api", "").await.json()["kind"], "APIVersions");
    assert_eq!(rest.get("/api/v1/", "").await.json()["groupVersion"], "v1");
    assert_eq!(rest.get("/apis/novel", "").await.code, 404);
}

#[tokio::test]
async fn discovery_that_a_client_has_is_not_sent_again() {
    let rest = Rest::start().await;
    let first = rest.get("/api", AGGREGATED).await;
    let headers = [("accept", AGGREGATED), ("if-none-match", first.header("etag"))];
    let second = rest.send(Method::GET, "/api", &headers, "").await;
    assert_eq!((second.code.as_u16(), second.body.len()), (304, 0));
}

#[tokio::test]
async fn version_health_and_metrics_are_served() {
    let rest = Rest::start().await;
    assert_eq!(rest.get("/version", "").await.json()["minor"], "37");
    for path in ["/healthz", "/livez", "/readyz/ping"] {
        assert_eq!(rest.get(path, "").await.body, "ok", "{path}");
    }
    assert_eq!(rest.get("/metrics", "").await.code, 200);
    assert_eq!(rest.get("/novel", "").await.code, 404);
}

#[tokio::test]
async fn a_document_takes_the_methods_that_upstream_takes_for_it() {
    let rest = Rest::start().await;
    for (method, path, code) in [
        (Method::POST, "/version", 405),
        (Method::HEAD, "/version", 405),
        (Method::HEAD, "/api/v1", 405),
        (Method::HEAD, "/healthz", 200),
        (Method::POST, "/apis", 200),
        (Method::OPTIONS, "/apis/apps", 200),
        (Method::POST, "/apis/apps/v1", 405),
        (Method::POST, "/apis/apps/v9", 404),
        (Method::POST, "/novel", 404),
        (Method::PUT, "/api/v1/novel", 404),
        (Method::OPTIONS, "/api/v1/namespaces/a/pods/b/novel", 404),
        (Method::OPTIONS, "/api/v1/namespaces/a/pods/b", 405),
    ] {
        assert_eq!(rest.send(method.clone(), path, &[], "").await.code, code, "{method} {path}");
    }
    assert_eq!(rest.get("/apis/novel", "").await.body, "404 page not found\n");
}

#[tokio::test]
async fn openapi_is_found_by_its_hash() {
    let rest = Rest::start().await;
    let root = rest.get("/openapi/v3", "").await.json();
    let url = root["paths"]["api/v1"]["serverRelativeURL"].as_str().expect("a path").to_owned();
    let document = rest.get(&url, "application/json").await;
    assert_eq!(document.header("cache-control"), "public, immutable");
    let patch = &document.json()["paths"]["/api/v1/namespaces/{namespace}/configmaps/{name}"]["patch"];
    assert_eq!(patch["x-kubernetes-group-version-kind"]["kind"], "ConfigMap");
    let moved = rest.get("/openapi/v3/api/v1?hash=OLD", "").await;
    assert_eq!((moved.code.as_u16(), moved.header("location")), (301, url.as_str()));
    let headers = [("if-none-match", document.header("etag"))];
    assert_eq!(rest.send(Method::GET, &url, &headers, "").await.code, 304);
}
