//! The class of CVE-2021-25735, CVE-2023-2727, CVE-2023-2728 and CVE-2024-3177: admission that another way round
//! leaves out. A webhook that refuses everything is asked by every verb, kind of patch and subresource that writes,
//! dry runs included, and nothing is written.

use nakhoda_api::patch::PatchKind;
use nakhoda_api::{Status, patch};
use serde_json::{Value, json};

use crate::request::{Action, ListOptions, WriteOptions};
use crate::testing::webhook::webhook;
use crate::testing::{Server, json_body, target};

async fn guarded() -> Server {
    let server = Server::start().await;
    let labels = json!({"guarded": "yes"});
    let pod =
        json!({"metadata": {"name": "p", "labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    server.create("pods", "default", &pod).await.expect("made");
    let template = json!({"metadata": {"labels": labels}, "spec": pod["spec"]});
    let set = json!({"metadata": {"name": "r"}, "spec": {"selector": {"matchLabels": labels}, "template": template}});
    server.create("replicasets", "default", &set).await.expect("made");
    let hook = webhook(&server.tasks, |review| {
        let status = json!({"code": 403, "message": "nobody passes"});
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "response": {"uid": review["request"]["uid"], "allowed": false, "status": status}})
    })
    .await;
    let rules = json!([{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["pods", "pods/*", "replicasets", "replicasets/*"],
        "operations": ["*"]}]);
    let configuration = json!({"metadata": {"name": "guard"}, "webhooks": [{"name": "guard.example.com", "rules": rules,
        "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
        "clientConfig": {"url": hook.url, "caBundle": hook.bundle}}]});
    server.create("validatingwebhookconfigurations", "", &configuration).await.expect("made");
    server
}

fn refused(outcome: Result<Value, Status>, how: &str) {
    let status = outcome.err().unwrap_or_else(|| panic!("{how} got by"));
    assert!(status.message.contains("nobody passes"), "{how}: {status}");
}

#[tokio::test]
async fn every_way_of_writing_asks_admission() {
    let server = guarded().await;
    let before = server.get("pods", "default", "p").await.expect("there");
    let pod = json!({"metadata": {"name": "q"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    refused(server.create("pods", "default", &pod).await, "a create");
    let dry = WriteOptions { dry_run: true, ..WriteOptions::default() };
    refused(server.create_with("pods", "default", &pod, dry).await, "a dry run");
    refused(server.update("pods", &relabelled(&before)).await, "an update");
    let merge = json!({"metadata": {"labels": {"x": "y"}}});
    let json = json!([{"op": "add", "path": "/metadata/labels/x", "value": "y"}]);
    for (kind, patch) in [(PatchKind::Merge, &merge), (PatchKind::Strategic, &merge), (PatchKind::Json, &json)] {
        refused(server.patch_with("pods", "default", "p", kind, patch).await, "a patch");
    }
    let whole = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"x": "y"}}});
    refused(applied(&server, &whole).await, "an apply");
    let ephemeral = json!({"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}});
    for (sub, patch) in [("status", json!({"status": {"phase": "Failed"}})), ("ephemeralcontainers", ephemeral)] {
        let kind = PatchKind::Strategic;
        refused(server.patch_with(&format!("pods/{sub}"), "default", "p", kind, &patch).await, sub);
    }
    refused(server.patch("replicasets/scale", "default", "r", &json!({"spec": {"replicas": 3}})).await, "scale");
    let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}});
    refused(server.post("pods/binding", "default", "p", &binding).await, "a binding");
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}});
    refused(server.post("pods/eviction", "default", "p", &eviction).await, "an eviction");
    refused(server.delete("pods", "default", "p", &json!({})).await, "a deletion");
    let all = Action::DeleteCollection(
        crate::request::Deletion { body: Some(json_body(&json!({}))), options: WriteOptions::default() },
        ListOptions::default(),
    );
    let collection = server.call(target(server.pipeline.kinds(), "pods", "default", ""), all).await;
    refused(collection.map(|_| Value::Null), "a collection's deletion");
    assert_eq!(server.get("pods", "default", "p").await.expect("there"), before);
}

fn relabelled(pod: &Value) -> Value {
    let mut pod = pod.clone();
    pod["metadata"]["labels"]["x"] = "y".into();
    pod
}

async fn applied(server: &Server, object: &Value) -> Result<Value, Status> {
    let write = crate::request::PatchWrite {
        kind: patch::PatchKind::Apply,
        bytes: object.to_string().into(),
        force: true,
        options: WriteOptions { field_manager: "me".into(), ..WriteOptions::default() },
    };
    server.ask("pods", "default", "p", Action::Patch(write)).await
}
