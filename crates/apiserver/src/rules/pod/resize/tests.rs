use serde_json::{Value, json};

use crate::kinds::core::pod::Pods;
use crate::kinds::testing;

fn container(name: &str, resources: Value) -> Value {
    json!({"name": name, "image": "i", "imagePullPolicy": "Always", "terminationMessagePolicy": "File",
           "resources": resources})
}

fn pod(containers: Value) -> Value {
    json!({"metadata": {"name": "a"}, "spec": {"containers": containers, "restartPolicy": "Always",
           "dnsPolicy": "Default", "terminationGracePeriodSeconds": 30}, "status": {"qosClass": "Burstable"}})
}

fn cpu(request: &str, limit: &str) -> Value {
    json!({"requests": {"cpu": request}, "limits": {"cpu": limit}})
}

fn resized(old: Value, new: Value) -> String {
    testing::faults::<Pods>("resize", new, Some(old))
}

#[test]
fn cpu_and_memory_may_change_and_nothing_else() {
    let only = "spec: Forbidden: only cpu and memory resources are mutable";
    let old = || json!([container("c", cpu("1", "2"))]);
    let cases = [
        (json!([container("c", cpu("2", "3"))]), ""),
        (json!([container("c", json!({"requests": {"cpu": "1", "memory": "1"}, "limits": {"cpu": "2"}}))]), ""),
        (
            json!([container(
                "c",
                json!({"requests": {"cpu": "1", "ephemeral-storage": "1"}, "limits": {"cpu": "2"}})
            )]),
            only,
        ),
        (
            json!([container("c", json!({"requests": {"cpu": "1"}}))]),
            "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
        ),
        (
            json!([container("z", cpu("1", "2"))]),
            "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
        ),
        (
            json!([container("c", cpu("1", "2")), container("d", json!({}))]),
            "spec.containers: Forbidden: containers may not be added or removed on resize",
        ),
    ];
    for (new, expected) in cases {
        assert_eq!(resized(pod(old()), pod(new.clone())), expected, "{new}");
    }
}

#[test]
fn the_class_stays() {
    let plain = || json!([container("c", json!({}))]);
    let mut old = pod(plain());
    old["status"]["qosClass"] = json!("BestEffort");
    let refused = resized(old, pod(json!([container("c", cpu("1", "2"))])));
    assert_eq!(refused, "spec: Invalid value: \"BestEffort\": Pod QOS Class may not change as a result of resizing");
}

#[test]
fn a_node_that_does_not_tell_amounts_cannot_resize() {
    let mut old = pod(json!([container("c", cpu("1", "2"))]));
    old["status"]["containerStatuses"] = json!([{"name": "c", "state": {"running": {}}}]);
    let refused = resized(old.clone(), pod(json!([container("c", cpu("2", "2"))])));
    assert_eq!(refused, "spec: Forbidden: Pod running on node without support for resize");
    old["status"]["containerStatuses"][0]["resources"] = json!({});
    assert_eq!(resized(old, pod(json!([container("c", cpu("2", "2"))]))), "");
}

#[test]
fn amounts_of_the_pod_stay_there() {
    let with = |resources: Value| {
        let mut pod = pod(json!([container("c", json!({}))]));
        pod["spec"]["resources"] = resources;
        pod
    };
    assert_eq!(resized(with(cpu("1", "1")), with(cpu("2", "2"))), "");
    let refused = resized(with(cpu("1", "1")), with(json!({"requests": {"cpu": "1"}})));
    assert_eq!(refused, "spec.resources.limits: Forbidden: pod-level resource limits cannot be removed");
}

#[test]
fn images_and_labels_of_a_resize_are_not_taken() {
    let mut new = pod(json!([container("c", cpu("2", "2"))]));
    new["metadata"]["labels"] = json!({"a": "b"});
    new["spec"]["containers"][0]["image"] = json!("other");
    let kept = testing::prepared_in::<Pods>("resize", new, Some(pod(json!([container("c", cpu("1", "2"))]))));
    assert_eq!(kept["metadata"].get("labels"), None);
    assert_eq!(kept["spec"]["containers"][0]["image"], "i");
    assert_eq!(kept["spec"]["containers"][0]["resources"]["requests"]["cpu"], "2");
}
