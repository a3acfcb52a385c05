//! What others on a request's way have to say of it.

use super::*;
use crate::testing::webhook::webhook;

const POD_SECURITY: &str = "pod-security.kubernetes.io";

fn pod() -> Value {
    json!({"metadata": {"name": "p"}, "spec": {"hostPID": true, "containers": [{"name": "c", "image": "i"}]}})
}

#[tokio::test]
async fn pod_security_tells_what_it_enforced_and_what_it_would_have_refused() {
    let (server, kept) = server("- {level: Metadata, omitStages: [RequestReceived]}").await;
    server.create("serviceaccounts", "default", &json!({"metadata": {"name": "default"}})).await.expect("made");
    let labels = json!({format!("{POD_SECURITY}/audit"): "baseline"});
    server.patch("namespaces", "", "default", &json!({"metadata": {"labels": labels}})).await.expect("labelled");
    server.get("namespaces", "", "default").await.expect("there");
    ask(&server, target("pods", ""), create(&pod())).await.1.expect("only told");
    let events = kept.take_all();
    let told = &events[0]["annotations"];
    assert_eq!(told[format!("{POD_SECURITY}/enforce-policy")], "privileged:latest");
    assert_eq!(
        told[format!("{POD_SECURITY}/audit-violations")],
        "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"
    );
    let labels = json!({format!("{POD_SECURITY}/enforce"): "baseline"});
    server.patch("namespaces", "", "default", &json!({"metadata": {"labels": labels}})).await.expect("labelled");
    // Pod Security reads the cache, which has the labels once they were read
    server.get("namespaces", "", "default").await.expect("there");
    let other = json!({"metadata": {"name": "q"}, "spec": pod()["spec"]});
    ask(&server, target("pods", ""), create(&other)).await.1.err().expect("refused");
    let events = kept.take_all();
    assert_eq!(events[0]["annotations"][format!("{POD_SECURITY}/enforce-policy")], "baseline:latest");
    assert_eq!(events[0]["responseStatus"]["code"], 403);
}

async fn changed_by_a_webhook(level: &str) -> Value {
    let (server, kept) = server(&format!("- {{level: {level}, omitStages: [RequestReceived]}}")).await;
    let hook = webhook(&server.tasks, |review| {
        let patch = json!([{"op": "add", "path": "/data", "value": {"k": "v"}}]).to_string();
        let patch = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, patch);
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
            "uid": review["request"]["uid"], "allowed": true, "patchType": "JSONPatch", "patch": patch}})
    })
    .await;
    let rules =
        json!([{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]);
    let configuration = json!({"metadata": {"name": "set"}, "webhooks": [{"name": "set.example.com", "rules": rules,
        "sideEffects": "None", "admissionReviewVersions": ["v1"],
        "clientConfig": {"url": hook.url, "caBundle": hook.bundle}}]});
    server.create("mutatingwebhookconfigurations", "", &configuration).await.expect("made");
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    ask(&server, target("configmaps", ""), create(&map)).await.1.expect("made");
    kept.take_all()[0]["annotations"].clone()
}

#[tokio::test]
async fn a_webhook_that_changes_an_object_is_told_and_how_where_bodies_are() {
    let told = changed_by_a_webhook("Metadata").await;
    let mutation = json!({"configuration": "set", "webhook": "set.example.com", "mutated": true});
    assert_eq!(told["mutation.webhook.admission.k8s.io/round_0_index_0"], mutation.to_string());
    assert!(told["patch.webhook.admission.k8s.io/round_0_index_0"].is_null());
    let told = changed_by_a_webhook("Request").await;
    let patch = told["patch.webhook.admission.k8s.io/round_0_index_0"].as_str().expect("a patch");
    assert!(patch.contains("\"path\":\"/data\"") && patch.contains("\"patchType\":\"JSONPatch\""), "{patch}");
}
