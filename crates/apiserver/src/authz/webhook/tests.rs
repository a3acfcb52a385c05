//! A webhook behind TLS in this process.

use std::sync::atomic::{AtomicUsize, Ordering};

use nakhoda_api::GroupVersionResource;
use nakhoda_daemon::Tasks;
use serde_json::json;

use super::*;
use crate::request::{ResourceTarget, Target};
use crate::testing::webhook::{Hook, kubeconfig, webhook};

static ASKED: AtomicUsize = AtomicUsize::new(0);

fn answer(review: Value) -> Value {
    ASKED.fetch_add(1, Ordering::Relaxed);
    let spec = &review["spec"];
    let status = match spec["user"].as_str().expect("a user") {
        "jane" if spec["resourceAttributes"]["verb"] == "get" => json!({"allowed": true, "reason": "she may"}),
        "bob" => json!({"allowed": false, "denied": true, "reason": "he may not"}),
        "field" => json!({"allowed": spec["resourceAttributes"]["fieldSelector"]["requirements"]
            == json!([{"key": "spec.nodeName", "operator": "In", "values": ["a"]}])
            && spec["resourceAttributes"]["labelSelector"]["requirements"]
            == json!([{"key": "a", "operator": "NotIn", "values": ["b", "c"]}, {"key": "d", "operator": "DoesNotExist"}])}),
        _ => json!({"allowed": false, "reason": "who is it?"}),
    };
    json!({"kind": "SubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": status})
}

fn authorizer(hook: &Hook, condition: &str, denies_on_failure: bool) -> Webhook {
    let path = kubeconfig(hook);
    let server = Server::from_kubeconfig(&path).expect("a server");
    std::fs::remove_file(path).expect("removed");
    let programs = Program::compile(condition, &question::variables()).map(|(program, _)| vec![program]);
    let minute = Duration::from_secs(60);
    let settings =
        Settings { authorized: minute, unauthorized: minute, timeout: minute, beta: false, denies_on_failure };
    Webhook::new("w".into(), server, programs.expect("a condition"), settings)
}

fn asked(user: &str, verb: &str, fields: &str) -> Attributes {
    let labels = if fields.is_empty() { "" } else { "a notin (b, c), !d" };
    let gvr = GroupVersionResource::new("", "v1", "pods");
    let target = Target::Resource(ResourceTarget { gvr, namespace: "default".into(), ..ResourceTarget::default() });
    let user = User { name: user.into(), ..User::default() };
    Attributes::new(user, verb, target).selecting(fields, labels)
}

#[tokio::test]
async fn a_webhook_decides_what_its_conditions_leave_to_it() {
    let tasks = Tasks::new();
    let hook = webhook(&tasks, answer).await;
    let authorizer =
        authorizer(&hook, "request.user != 'nobody' && request.resourceAttributes.namespace == 'default'", false);
    for (user, verb, fields, wanted) in [
        ("jane", "get", "", Decision::Allow("she may".into())),
        ("jane", "get", "", Decision::Allow("she may".into())),
        ("jane", "list", "", Decision::NoOpinion("who is it?".into())),
        ("bob", "get", "", Decision::Deny("he may not".into())),
        ("field", "list", "spec.nodeName=a", Decision::Allow(String::new())),
        ("nobody", "get", "", Decision::NoOpinion(String::new())),
    ] {
        assert_eq!(authorizer.ask(&asked(user, verb, fields)).await, wanted, "{user} {verb}");
    }
    assert_eq!(ASKED.load(Ordering::Relaxed), 4, "jane's first answer was kept, nobody was not asked about");
    tasks.stop();
}

#[tokio::test]
async fn a_webhook_that_fails_decides_by_its_policy() {
    let tasks = Tasks::new();
    let gone = Hook { url: "https://localhost:1/".into(), bundle: webhook(&tasks, answer).await.bundle };
    let question = asked("jane", "get", "");
    assert_eq!(authorizer(&gone, "true", true).ask(&question).await, Decision::Deny(String::new()));
    assert_eq!(authorizer(&gone, "true", false).ask(&question).await, Decision::NoOpinion(String::new()));
    let path = Attributes { target: Target::Path("/livez".into()), ..question };
    let broken = authorizer(&gone, "request.resourceAttributes.namespace == 'a'", true);
    assert_eq!(broken.ask(&path).await, Decision::Deny(String::new()), "a condition that fails is a failure");
    let other = authorizer(&gone, "!has(request.nonResourceAttributes)", true);
    assert_eq!(other.ask(&path).await, Decision::NoOpinion(String::new()), "the webhook has no say in it");
    tasks.stop();
}
