use serde_json::{Value, json};

use super::*;
use crate::testing::Server;

#[test]
fn an_eviction_of_the_version_before_is_taken() {
    let body = |text: &str| Body::Bytes { media: Media::Json, bytes: text.to_owned().into() };
    let told = |body: Body| match renewed(&body) {
        Body::Bytes { bytes, .. } => Object::from_json(&bytes).map(|object| object.api_version().to_owned()).ok(),
        Body::Object(_) => None,
    };
    assert_eq!(told(body(r#"{"apiVersion": "policy/v1beta1", "kind": "Eviction"}"#)).as_deref(), Some("policy/v1"));
    assert_eq!(told(body(r#"{"apiVersion": "v1", "kind": "Pod"}"#)).as_deref(), Some("v1"));
}

async fn pod(server: &Server, name: &str, ready: bool) {
    let pod = json!({"metadata": {"name": name, "labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    server.create("pods", "default", &pod).await.expect("made");
    let ready = if ready { "True" } else { "False" };
    let status = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]});
    server.patch("pods/status", "default", name, &json!({"status": status})).await.expect("runs");
}

async fn budget(server: &Server, name: &str, status: Value) {
    let budget = json!({"metadata": {"name": name}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}});
    server.create("poddisruptionbudgets", "default", &budget).await.expect("made");
    let patch = json!({"status": status});
    server.patch("poddisruptionbudgets/status", "default", name, &patch).await.expect("counted");
}

async fn evict(server: &Server, name: &str) -> Result<Value, nakhoda_api::Status> {
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
    server.post("pods/eviction", "default", name, &eviction).await
}

#[tokio::test]
async fn a_budget_is_spent_pod_by_pod() {
    let server = Server::start().await;
    pod(&server, "p", true).await;
    pod(&server, "q", true).await;
    let status = json!({"observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2});
    budget(&server, "one", status).await;
    evict(&server, "p").await.expect("allowed");
    let left = server.get("poddisruptionbudgets", "default", "one").await.expect("there");
    assert!(left["status"]["disruptedPods"]["p"].is_string());
    assert_eq!(left["status"]["conditions"][0]["reason"], "InsufficientPods");
    let refused = evict(&server, "q").await.expect_err("used up");
    assert_eq!(refused.code, 429);
    let causes = &refused.details.expect("details").causes;
    assert_eq!(causes[0].message, "The disruption budget one does not allow evicting pods currently");
}

#[tokio::test]
async fn a_budget_that_nobody_has_counted_yet_allows_nothing() {
    let server = Server::start().await;
    pod(&server, "p", true).await;
    budget(&server, "one", json!({})).await;
    let refused = evict(&server, "p").await.expect_err("not counted");
    let details = refused.details.expect("details");
    assert_eq!((refused.code, details.retry_after_seconds), (429, 10));
    assert_eq!(details.causes[0].message, "The disruption budget one is still being processed by the server.");
}

#[tokio::test]
async fn a_pod_that_is_not_ready_costs_nothing_while_enough_are() {
    let server = Server::start().await;
    pod(&server, "p", false).await;
    budget(&server, "one", json!({"observedGeneration": 1, "currentHealthy": 1, "desiredHealthy": 1})).await;
    evict(&server, "p").await.expect("allowed");
}

#[tokio::test]
async fn two_budgets_are_one_too_many() {
    let server = Server::start().await;
    pod(&server, "p", true).await;
    budget(&server, "one", json!({})).await;
    budget(&server, "two", json!({})).await;
    assert_eq!(evict(&server, "p").await.expect_err("two").code, 500);
}
