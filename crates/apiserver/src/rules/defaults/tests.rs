use serde_json::json;

use super::*;

fn defaulted(spec: serde_json::Value) -> serde_json::Value {
    let mut spec: PodSpec = serde_json::from_value(spec).expect("a spec");
    pod(&mut spec);
    serde_json::to_value(spec).expect("JSON")
}

#[test]
fn a_bare_pod_gets_what_upstream_gives_it() {
    assert_eq!(
        defaulted(json!({"containers": [{"name": "a", "image": "nginx"}]})),
        json!({
            "containers": [{
                "name": "a",
                "image": "nginx",
                "imagePullPolicy": "Always",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
            }],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": true,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        })
    );
}

#[test]
fn requests_follow_limits_and_amounts_become_canonical() {
    let spec = defaulted(json!({"containers": [{"name": "a", "resources": {
        "limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": "0.1"}}}]}));
    let resources = &spec["containers"][0]["resources"];
    assert_eq!(resources["limits"], json!({"cpu": "1", "memory": "1Gi"}));
    assert_eq!(resources["requests"], json!({"cpu": "100m", "memory": "1Gi"}));
}

#[test]
fn probes_volumes_and_accounts_are_completed() {
    let spec = defaulted(json!({
        "serviceAccount": "builder",
        "containers": [{"name": "a", "image": "a:1", "readinessProbe": {"httpGet": {"port": 80}}}],
        "volumes": [{"name": "v"}, {"name": "s", "secret": {"secretName": "x"}}],
    }));
    assert_eq!(spec["containers"][0]["imagePullPolicy"], "IfNotPresent");
    assert_eq!(
        spec["containers"][0]["readinessProbe"],
        json!({"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10,
               "successThreshold": 1, "failureThreshold": 3})
    );
    assert_eq!(spec["volumes"][0], json!({"name": "v", "emptyDir": {}}));
    assert_eq!(spec["volumes"][1]["secret"]["defaultMode"], 420);
    assert_eq!(spec["serviceAccountName"], "builder");
}

#[test]
fn the_latest_tag_is_pulled_each_time() {
    for (image, policy) in [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("host:5000/a", "Always"),
        ("a:1", "IfNotPresent"),
        ("host:5000/a:1", "IfNotPresent"),
        ("a@sha256:00", "IfNotPresent"),
        ("", "IfNotPresent"),
    ] {
        assert_eq!(pull_policy(image), policy, "{image}");
    }
}
