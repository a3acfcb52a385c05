//! Webhooks on a whole server.

use base64::Engine;
use nakhoda_api::Status;
use serde_json::{Value, json};

use crate::testing::Server;
use crate::testing::webhook::{Hook, webhook};

/// Refuses what is named `bad`, and labels the rest.
fn answer(review: Value) -> Value {
    let request = &review["request"];
    let allowed = request["name"] != "bad";
    let mut response = json!({"uid": request["uid"], "allowed": allowed});
    if !allowed {
        response["status"] = json!({"message": "no bad ones", "code": 403, "reason": "Forbidden"});
    } else if request["operation"] == "CREATE" {
        let patch = json!([{"op": "add", "path": "/data", "value": {"from": request["userInfo"]["username"]}}]);
        response["patchType"] = json!("JSONPatch");
        response["patch"] = base64::engine::general_purpose::STANDARD.encode(patch.to_string()).into();
    }
    json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response})
}

fn configuration(kind: &str, hook: &Hook, change: impl FnOnce(&mut Value)) -> Value {
    let mut one = json!({
        "name": "hook.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "timeoutSeconds": 5,
        "clientConfig": {"url": hook.url, "caBundle": hook.bundle},
        "rules": [{"operations": ["CREATE", "DELETE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}],
    });
    change(&mut one);
    json!({"kind": kind, "apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "hooks"}, "webhooks": [one]})
}

async fn make(server: &Server, name: &str) -> Result<Value, Status> {
    server.create("configmaps", "default", &json!({"metadata": {"name": name}})).await
}

/// The cache shows a configuration a moment after it was written.
async fn configured(server: &Server, plural: &str, configuration: &Value) {
    server.create(plural, "", configuration).await.expect("configured");
    server.names(plural, "", Default::default()).await.expect("a list");
}

#[tokio::test]
async fn a_webhook_changes_and_refuses() {
    let server = Server::start().await;
    let hook = webhook(&server.tasks, answer).await;
    let configuration = configuration("MutatingWebhookConfiguration", &hook, |_| {});
    configured(&server, "mutatingwebhookconfigurations", &configuration).await;
    let made = make(&server, "good").await.expect("made");
    assert_eq!(made["data"]["from"], "system:apiserver");
    let refused = make(&server, "bad").await.expect_err("refused");
    assert_eq!(refused.message, "admission webhook \"hook.example.com\" denied the request: no bad ones");
    assert_eq!(refused.code, 403);
}

#[tokio::test]
async fn conditions_and_selectors_keep_a_webhook_from_being_asked() {
    let server = Server::start().await;
    let hook = webhook(&server.tasks, answer).await;
    let configuration = configuration("ValidatingWebhookConfiguration", &hook, |one| {
        one["matchConditions"] = json!([{"name": "not", "expression": "object.metadata.name != 'bad'"}]);
    });
    configured(&server, "validatingwebhookconfigurations", &configuration).await;
    make(&server, "bad").await.expect("not asked");
    server.delete("configmaps", "default", "bad", &json!({})).await.expect_err("asked: there is no object");
}

#[tokio::test]
async fn a_webhook_that_is_not_there_refuses_unless_it_may_fail() {
    let server = Server::start().await;
    let hook = webhook(&server.tasks, answer).await;
    let gone = Hook { url: "https://localhost:1/".into(), bundle: hook.bundle };
    let fails = configuration("ValidatingWebhookConfiguration", &gone, |_| {});
    configured(&server, "validatingwebhookconfigurations", &fails).await;
    let refused = make(&server, "good").await.expect_err("refused");
    assert!(refused.message.starts_with("Internal error occurred: failed calling webhook \"hook.example.com\": failed to call webhook: Post \"https://localhost:1/?timeout=5s\""), "{refused}");
    let patch =
        json!({"webhooks": [configuration("", &gone, |one| one["failurePolicy"] = json!("Ignore"))["webhooks"][0]]});
    server.patch("validatingwebhookconfigurations", "", "hooks", &patch).await.expect("changed");
    server.names("validatingwebhookconfigurations", "", Default::default()).await.expect("a list");
    make(&server, "good").await.expect("ignored");
}
