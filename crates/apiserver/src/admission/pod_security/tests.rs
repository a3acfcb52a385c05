//! Namespaces with labels on a whole server.

use nakhoda_api::Status;
use serde_json::{Value, json};

use crate::request::{Action, Write, WriteOptions};
use crate::testing::{Server, json_body, target};

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const WARN: &str = "pod-security.kubernetes.io/warn";

async fn labelled(labels: Value) -> Server {
    let server = Server::start().await;
    server.patch("namespaces", "", "default", &json!({"metadata": {"labels": labels}})).await.expect("labelled");
    server
}

async fn warned(server: &Server, resource: &str, object: &Value) -> Result<Vec<String>, Status> {
    let write = Write { body: json_body(object), options: WriteOptions::default() };
    let target = target(server.pipeline.kinds(), resource, "default", "");
    server.call(target, Action::Create(write)).await.map(|response| response.warnings)
}

fn pod(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"hostPID": true, "containers": [{"name": "c", "image": "i"}]}})
}

#[tokio::test]
async fn a_pod_is_refused_and_its_template_is_warned_of() {
    let server = labelled(json!({ENFORCE: "baseline"})).await;
    let refused = warned(&server, "pods", &pod("p")).await.expect_err("refused");
    let why = "pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostPID=true)";
    assert_eq!((refused.code, refused.message.as_str()), (403, why));
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": pod("p")["spec"]});
    let deployment = json!({"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}});
    let warnings = warned(&server, "deployments", &deployment).await.expect("made");
    assert_eq!(warnings, ["would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"]);
}

#[tokio::test]
async fn a_pod_that_is_only_warned_of_is_made() {
    let server = labelled(json!({WARN: "baseline"})).await;
    let warnings = warned(&server, "pods", &pod("p")).await.expect("made");
    assert_eq!(warnings, ["would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"]);
}

#[tokio::test]
async fn labels_that_cannot_be_read_are_refused() {
    let server = Server::start().await;
    let namespace = json!({"metadata": {"name": "n", "labels": {ENFORCE: "strict"}}});
    let refused = server.create("namespaces", "", &namespace).await.expect_err("refused");
    let why = "Namespace \"n\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strict\": must be one of privileged, baseline, restricted";
    assert_eq!((refused.code, refused.message.as_str()), (422, why));
}

#[tokio::test]
async fn who_makes_a_namespace_stricter_hears_of_its_pods() {
    let server = Server::start().await;
    for name in ["p", "q", "r"] {
        server.create("pods", "default", &pod(name)).await.expect("made");
    }
    let mut namespace = server.get("namespaces", "", "default").await.expect("there");
    namespace["metadata"]["labels"][ENFORCE] = "baseline".into();
    let write = Write { body: json_body(&namespace), options: WriteOptions::default() };
    let target = target(server.pipeline.kinds(), "namespaces", "", "default");
    let response = server.call(target, Action::Update(write)).await.expect("updated");
    let heading = "existing pods in namespace \"default\" violate the new PodSecurity enforce level \"baseline:latest\"";
    assert_eq!(response.warnings, [heading, "p (and 2 other pods): host namespaces"]);
}
