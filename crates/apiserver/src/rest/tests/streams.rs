use axum::body::Body;
use http::Method;
use http_body_util::BodyExt;
use serde_json::Value;

use super::Rest;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// Reads events off a watch until so many have come.
async fn events(mut body: Body, count: usize) -> Vec<Value> {
    let mut text = Vec::new();
    loop {
        let lines: Vec<Value> = text
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line: &&[u8]| line.ends_with(b"\n"))
            .map(|line| serde_json::from_slice(line).expect("one JSON object on a line"))
            .collect();
        if lines.len() >= count {
            return lines;
        }
        let frame = body.frame().await.expect("more frames").expect("a frame");
        text.extend_from_slice(&frame.into_data().expect("data"));
    }
}

#[tokio::test]
async fn a_watch_tells_what_is_there_and_what_happens() {
    let rest = Rest::start().await;
    rest.post(MAPS, r#"{"metadata":{"name":"a"}}"#).await;
    let path =
        format!("{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
    let watch = rest.open(Method::GET, &path, &[], "").await;
    assert_eq!(watch.headers()["content-type"], "application/json");
    rest.post(MAPS, r#"{"metadata":{"name":"b"}}"#).await;
    let events = events(watch.into_body(), 3).await;
    let told: Vec<_> = events.iter().map(|e| (e["type"].as_str(), e["object"]["metadata"]["name"].as_str())).collect();
    assert_eq!(told, [(Some("ADDED"), Some("a")), (Some("BOOKMARK"), None), (Some("ADDED"), Some("b"))]);
    assert_eq!(events[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[tokio::test]
async fn only_the_first_table_of_a_watch_has_heads() {
    let rest = Rest::start().await;
    rest.post(MAPS, r#"{"metadata":{"name":"a"}}"#).await;
    rest.post(MAPS, r#"{"metadata":{"name":"b"}}"#).await;
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let watch = rest.open(Method::GET, "/api/v1/watch/namespaces/default/configmaps", &accept, "").await;
    let events = events(watch.into_body(), 2).await;
    assert!(events[0]["object"]["columnDefinitions"].is_array());
    assert!(events[1]["object"]["columnDefinitions"].is_null());
    assert_eq!(events[1]["object"]["rows"][0]["cells"][0], "b");
}

#[tokio::test]
async fn a_watch_of_the_future_or_of_lost_history_does_not_hang() {
    let rest = Rest::start().await;
    let answered = rest.send(Method::GET, &format!("{MAPS}?watch=1&resourceVersion=x"), &[], "").await;
    assert_eq!(answered.code, 500);
}

#[tokio::test]
async fn sessions_of_pods_that_do_not_run_are_refused() {
    let rest = Rest::start().await;
    let pod = r#"{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"i"},{"name":"b","image":"i"}]}}"#;
    assert_eq!(rest.post("/api/v1/namespaces/default/pods", pod).await.code, 201);
    let one = "/api/v1/namespaces/default/pods/p";
    let log = rest.get(&format!("{one}/log"), "").await;
    assert_eq!(log.code, 400);
    assert_eq!(log.json()["message"], "a container name must be specified for pod p, choose one of: [a b]");
    let path = format!("{one}/exec?container=a&stdout=1&command=sh");
    let exec = rest.send(Method::POST, &path, &[], "").await;
    assert_eq!(exec.json()["message"], "pod p does not have a host assigned");
    assert_eq!(rest.get(&format!("{one}/log?container=a"), "").await.code, 204);
    assert_eq!(rest.get("/api/v1/namespaces/default/pods/q/log", "").await.code, 404);
}
