use serde_json::{Value, json};

use super::*;

fn pod(spec: Value) -> Pod {
    serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a pod")
}

fn node() -> Node {
    serde_json::from_value(json!({
        "metadata": {"name": "n", "labels": {"disk": "ssd"}},
        "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]},
        "status": {"allocatable": {"cpu": "2", "memory": "1Ki", "pods": "2"}},
    }))
    .expect("a node")
}

fn judged(new: Value, others: &[Value]) -> Result<(), (String, String)> {
    let others: Vec<Claim> = others.iter().map(|other| Claim::of(spec::of(&pod(other.clone())))).collect();
    let (node, others) = (node(), others.iter().collect::<Vec<_>>());
    let room = room(Some(&node), Capacity::default());
    check(&pod(new), Some(&node), &room, &others).map(drop).map_err(|f| (f.reason, f.message))
}

fn asking(cpu: &str) -> Value {
    json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": cpu}}}]})
}

fn on_port(port: i32, ip: &str) -> Value {
    json!({"containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": port, "hostIP": ip}]}]})
}

#[test]
fn a_pod_that_does_not_fit_is_refused_in_upstreams_words() {
    let refused = |new: Value, others: &[Value]| judged(new, others).expect_err("refused");
    assert_eq!(
        refused(asking("1500m"), &[asking("1")]),
        (
            "OutOfcpu".into(),
            "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000".into()
        )
    );
    assert_eq!(refused(asking("0"), &[asking("0"), asking("0")]).0, "OutOfpods");
    assert_eq!(
        refused(on_port(80, "1.2.3.4"), &[on_port(80, "")]),
        (
            "NodePorts".into(),
            "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports".into()
        )
    );
    assert_eq!(refused(json!({"containers": [], "nodeSelector": {"disk": "hdd"}}), &[]).0, "NodeAffinity");
    assert_eq!(refused(json!({"containers": [], "os": {"name": "windows"}}), &[]).0, "PodOSNotSupported");
}

#[test]
fn a_pod_that_fits_is_taken() {
    for (new, other) in [
        (asking("1"), asking("1")),
        (on_port(80, "1.2.3.4"), on_port(80, "1.2.3.5")),
        (on_port(80, ""), on_port(81, "")),
        (json!({"containers": [], "nodeSelector": {"disk": "ssd"}}), asking("2")),
    ] {
        assert_eq!(judged(new.clone(), &[other]), Ok(()), "{new}");
    }
}

#[test]
fn init_containers_and_sidecars_count_as_the_scheduler_counts_them() {
    let container = |name: &str, cpu: &str| json!({"name": name, "resources": {"requests": {"cpu": cpu}}});
    let mut sidecar = container("s", "1");
    sidecar["restartPolicy"] = json!("Always");
    let spec = json!({"containers": [container("c", "1")], "initContainers": [sidecar, container("i", "3")],
        "overhead": {"cpu": "500m"}});
    assert_eq!(Claim::of(spec::of(&pod(spec))).amounts["cpu"], 4500);
}
