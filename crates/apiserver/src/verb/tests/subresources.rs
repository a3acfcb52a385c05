use serde_json::{Value, json};

use crate::testing::Server;

async fn pod(server: &Server) -> Value {
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    server.create("pods", "default", &pod).await.expect("made")
}

async fn deployment(server: &Server) -> Value {
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let spec = json!({"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template});
    server.create("deployments", "default", &json!({"metadata": {"name": "d"}, "spec": spec})).await.expect("made")
}

#[tokio::test]
async fn a_status_write_keeps_the_spec_and_applies_annotations() {
    let server = Server::start().await;
    let mut object = deployment(&server).await;
    object["spec"]["replicas"] = json!(9);
    object["metadata"]["annotations"] = json!({"k": "v"});
    object["status"] = json!({"replicas": 3, "observedGeneration": 1});
    let written = server.update("deployments/status", &object).await.expect("written");
    assert_eq!(written["spec"]["replicas"], 1);
    assert_eq!(written["status"]["replicas"], 3);
    assert_eq!(written["metadata"]["annotations"]["k"], "v");
    assert_eq!(written["metadata"]["generation"], 1);
}

#[tokio::test]
async fn a_write_of_the_object_keeps_the_status() {
    let server = Server::start().await;
    deployment(&server).await;
    server.patch("deployments/status", "default", "d", &json!({"status": {"replicas": 3}})).await.expect("patched");
    let patched = server
        .patch("deployments", "default", "d", &json!({"status": {"replicas": 7}, "spec": {"paused": true}}))
        .await;
    assert_eq!(patched.expect("patched")["status"]["replicas"], 3);
}

#[tokio::test]
async fn a_scale_reads_and_writes_replicas() {
    let server = Server::start().await;
    deployment(&server).await;
    let mut scale = server.get("deployments/scale", "default", "d").await.expect("a scale");
    assert_eq!((&scale["kind"], &scale["spec"]["replicas"]), (&json!("Scale"), &json!(1)));
    assert_eq!(scale["status"]["selector"], "a=b");
    scale["spec"]["replicas"] = json!(4);
    let scaled = server.update("deployments/scale", &scale).await.expect("scaled");
    assert_eq!(scaled["spec"]["replicas"], 4);
    let patched =
        server.patch("deployments/scale", "default", "d", &json!({"spec": {"replicas": 2}})).await.expect("patched");
    assert_eq!(patched["spec"]["replicas"], 2);
    assert_eq!(server.get("deployments", "default", "d").await.expect("there")["metadata"]["generation"], 3);
}

#[tokio::test]
async fn a_pod_is_bound_once() {
    let server = Server::start().await;
    let made = pod(&server).await;
    let binding = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n"}});
    let done = server.post("pods/binding", "default", "a", &binding).await.expect("bound");
    assert_eq!(done["status"], "Success");
    let bound = server.get("pods", "default", "a").await.expect("there");
    assert_eq!(bound["spec"]["nodeName"], "n");
    assert_eq!(bound["metadata"]["uid"], made["metadata"]["uid"]);
    let conditions = bound["status"]["conditions"].as_array().expect("conditions");
    assert!(conditions.iter().any(|c| c["type"] == "PodScheduled" && c["status"] == "True"));
    let refused = server.post("pods/binding", "default", "a", &binding).await.expect_err("bound already");
    assert_eq!(refused.code, 409);
    assert!(refused.message.ends_with("pod a is already assigned to node \"n\""), "{refused}");
}

#[tokio::test]
async fn an_evicted_pod_says_why_it_goes() {
    let server = Server::start().await;
    pod(&server).await;
    let binding = json!({"metadata": {"name": "a"}, "target": {"name": "n"}});
    server.post("pods/binding", "default", "a", &binding).await.expect("bound");
    server.post("pods/eviction", "default", "a", &json!({"metadata": {"name": "a"}})).await.expect("evicted");
    let going = server.get("pods", "default", "a").await.expect("still there");
    assert!(going["metadata"]["deletionTimestamp"].is_string());
    let conditions = going["status"]["conditions"].as_array().expect("conditions");
    assert!(conditions.iter().any(|c| c["type"] == "DisruptionTarget" && c["reason"] == "EvictionByEvictionAPI"));
}

#[tokio::test]
async fn a_resize_counts_and_takes_amounts_only() {
    let server = Server::start().await;
    let resources = json!({"requests": {"cpu": "1"}});
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]}});
    server.create("pods", "default", &pod).await.expect("made");
    let change = json!({"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "j", "resources": {"requests": {"cpu": "2"}}}]}});
    let resized = server.patch("pods/resize", "default", "a", &change).await.expect("resized");
    let container = &resized["spec"]["containers"][0];
    assert_eq!((&container["resources"]["requests"]["cpu"], &container["image"]), (&json!("2"), &json!("i")));
    assert_eq!((&resized["metadata"]["generation"], &resized["metadata"]["labels"]), (&json!(2), &Value::Null));
    let refused = server.patch("pods", "default", "a", &change).await.expect_err("not by the pod itself");
    assert_eq!(refused.code, 422);
}

#[tokio::test]
async fn a_resize_beyond_the_node_is_refused_with_the_reason() {
    let server = Server::start().await;
    let resources = json!({"requests": {"cpu": "1"}});
    let pod = json!({"metadata": {"name": "a"}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i", "resources": resources}]}});
    server.create("pods", "default", &pod).await.expect("made");
    let change = json!({"spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "9"}}}]}});
    let refused = server.patch("pods/resize", "default", "a", &change).await.expect_err("no node");
    assert_eq!(refused.message, "pods \"a\" is forbidden: node \"n\" not found");
    server.create("nodes", "", &json!({"metadata": {"name": "n"}})).await.expect("made");
    let told = json!({"status": {"allocatable": {"cpu": "4"}}});
    server.patch("nodes/status", "", "n", &told).await.expect("told");
    // a read waits until the cache has what was written
    server.get("nodes", "", "n").await.expect("there");
    let refused = server.patch("pods/resize", "default", "a", &change).await.expect_err("too much");
    assert!(refused.message.ends_with("allocatable resources: cpu, requested: 9000, allocatable: 4000"), "{refused}");
    assert_eq!(refused.details.expect("details").causes[0].reason, "NodeCapacity");
}

#[tokio::test]
async fn a_container_joins_a_pod() {
    let server = Server::start().await;
    pod(&server).await;
    let change = json!({"spec": {"ephemeralContainers": [{"name": "d", "image": "i", "targetContainerName": "c"}]}});
    let joined = server.patch("pods/ephemeralcontainers", "default", "a", &change).await.expect("joined");
    assert_eq!(joined["spec"]["ephemeralContainers"][0]["imagePullPolicy"], "Always");
    assert_eq!(joined["metadata"]["generation"], 2);
    assert_eq!(server.get("pods/ephemeralcontainers", "default", "a").await.expect("there")["metadata"]["name"], "a");
}
