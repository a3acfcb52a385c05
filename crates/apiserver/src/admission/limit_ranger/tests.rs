use nakhoda_api::Reason;
use serde_json::{Value, json};

use crate::testing::Server;

async fn server(limits: Value) -> Server {
    let server = Server::start().await;
    let range = json!({"metadata": {"name": "r"}, "spec": {"limits": [limits]}});
    server.create("limitranges", "default", &range).await.expect("made");
    server.get("limitranges", "default", "r").await.expect("in the cache, too");
    server
}

fn pod(resources: &Value) -> Value {
    json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i", "resources": resources}]}})
}

#[tokio::test]
async fn a_container_that_says_nothing_gets_the_defaults() {
    let limits = json!({"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}});
    let made = server(limits).await.create("pods", "default", &pod(&json!({}))).await.expect("made");
    let resources = json!({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}});
    assert_eq!(made["spec"]["containers"][0]["resources"], resources);
    let note = "LimitRanger plugin set: cpu request for container c; cpu limit for container c";
    assert_eq!(made["metadata"]["annotations"]["kubernetes.io/limit-ranger"], note);
}

#[tokio::test]
async fn what_lies_out_of_bounds_is_refused() {
    for (limits, asked, fault) in [
        (
            json!({"type": "Container", "min": {"cpu": "1"}}),
            json!({"requests": {"cpu": "500m"}}),
            "minimum cpu usage per Container is 1, but request is 500m",
        ),
        (
            json!({"type": "Pod", "max": {"memory": "1Gi"}}),
            json!({"limits": {"memory": "2Gi"}}),
            "maximum memory usage per Pod is 1Gi, but limit is 2Gi",
        ),
        (
            json!({"type": "Pod", "max": {"cpu": "1"}}),
            json!({}),
            "maximum cpu usage per Pod is 1.  No limit is specified",
        ),
        (
            json!({"type": "Container", "maxLimitRequestRatio": {"cpu": "2"}}),
            json!({"requests": {"cpu": "1"}, "limits": {"cpu": "3"}}),
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
    ] {
        let status = server(limits).await.create("pods", "default", &pod(&asked)).await.expect_err("refused");
        assert!(status.is(Reason::Forbidden));
        assert_eq!(status.message, format!("pods \"p\" is forbidden: {fault}"));
    }
}
