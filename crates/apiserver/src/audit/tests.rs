use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::{GroupVersionResource, Status};
use nakhoda_daemon::Tasks;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::webhook::{Batching, Webhook};
use super::*;
use crate::request::{
    Accept, Action, Caller, ListOptions, Request, ResourceTarget, Target, WatchOptions, Write, WriteOptions,
};
use crate::response::Response;
use crate::testing::{Server, json_body};
use crate::user::User;

mod annotations;
mod grpc;

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Value>>>);

impl Sink for Kept {
    fn take(&self, event: &Event) {
        self.0.lock().push(serde_json::to_value(event).expect("JSON"));
    }
}

impl Kept {
    fn take_all(&self) -> Vec<Value> {
        std::mem::take(&mut *self.0.lock())
    }

    fn stages(&self) -> Vec<String> {
        self.take_all().iter().map(|event| event["stage"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

fn policy(rules: &str) -> Policy {
    Policy::parse(format!("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n{rules}").as_bytes()).expect("a policy")
}

async fn server(rules: &str) -> (Server, Kept) {
    let kept = Kept::default();
    (Server::audited(Auditor::new(policy(rules), vec![Box::new(kept.clone())])).await, kept)
}

fn target(resource: &str, name: &str) -> ResourceTarget {
    let gvr = GroupVersionResource::new("", "v1", resource);
    ResourceTarget { gvr, namespace: "default".into(), name: name.into(), ..ResourceTarget::default() }
}

/// A request as a client sends it.
async fn ask(server: &Server, target: ResourceTarget, action: Action) -> (Trail, Result<Response, Status>) {
    let caller = Caller { agent: "test".into(), address: Some(([127, 0, 0, 1], 1).into()), ..Caller::default() };
    let trail = caller.trail.clone();
    let request = Request { target: Target::Resource(target), action, caller, accept: Accept::default() };
    (trail, server.pipeline.call(request).await)
}

fn create(object: &Value) -> Action {
    Action::Create(Write { body: json_body(object), options: WriteOptions::default() })
}

#[tokio::test]
async fn a_write_is_told_before_and_after() {
    let (server, kept) = server("- {level: RequestResponse, omitStages: [ResponseStarted]}").await;
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}});
    ask(&server, target("configmaps", ""), create(&object)).await.1.expect("made");
    let events = kept.take_all();
    let [received, complete] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&received["stage"], &received["responseStatus"]), (&json!("RequestReceived"), &Value::Null));
    assert_eq!(received["auditID"], complete["auditID"]);
    let mut told = complete.as_object().expect("an object").clone();
    for field in ["auditID", "requestReceivedTimestamp", "stageTimestamp", "responseObject"] {
        assert!(told.shift_remove(field).is_some(), "{field}");
    }
    let expected = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse", "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/default/configmaps", "verb": "create",
        "user": {"username": "system:anonymous", "groups": ["system:unauthenticated"]},
        "sourceIPs": ["127.0.0.1"], "userAgent": "test",
        "objectRef": {"resource": "configmaps", "namespace": "default", "name": "a", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 201},
        "requestObject": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}},
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}
    });
    assert_eq!(Value::Object(told), expected);
    assert_eq!(complete["responseObject"]["data"], json!({"k": "v"}));
    assert!(ask(&server, target("configmaps", ""), create(&object)).await.1.is_err(), "there already");
    let refused = kept.take_all().pop().expect("told");
    assert_eq!(
        (&refused["responseStatus"]["code"], &refused["responseStatus"]["reason"]),
        (&json!(409), &json!("AlreadyExists"))
    );
}

#[tokio::test]
async fn credentials_are_never_told() {
    let (server, kept) = server("- {level: RequestResponse}").await;
    let secret = json!({"metadata": {"name": "a"}, "data": {"k": "dg=="}});
    ask(&server, target("secrets", ""), create(&secret)).await.1.expect("made");
    ask(&server, target("secrets", ""), Action::List(ListOptions::default())).await.1.expect("listed");
    let events = kept.take_all();
    assert_eq!(events.len(), 4);
    for event in events {
        assert!(event["level"] == "Metadata" && !event.to_string().contains("dg=="), "{event}");
    }
}

#[tokio::test]
async fn a_watch_is_told_when_it_begins_and_when_it_ends() {
    let (server, kept) = server("- {level: Metadata}").await;
    let (trail, answer) = ask(&server, target("configmaps", ""), Action::Watch(WatchOptions::default())).await;
    assert_eq!(kept.stages(), ["RequestReceived", "ResponseStarted"]);
    drop((trail, answer));
    assert_eq!(kept.stages(), ["ResponseComplete"]);
}

#[tokio::test]
async fn requests_of_the_process_itself_are_not_told() {
    let (server, kept) = server("- {level: Metadata}").await;
    server.get("namespaces", "", "default").await.expect("read");
    assert!(kept.take_all().is_empty());
}

#[test]
fn the_first_rule_that_matches_decides() {
    let rules = "- {level: None, users: [a]}\n- {level: Request, userGroups: [g], verbs: [get]}\n\
                 - {level: Metadata, resources: [{group: '', resources: [pods, '*/status', 'nodes/*']}], omitStages: [RequestReceived]}\n\
                 - {level: Request, resources: [{group: '*', resources: ['*'], resourceNames: [n]}]}\n\
                 - {level: None, nonResourceURLs: ['/healthz*']}\n- {level: RequestResponse, namespaces: [kube-system]}\n";
    let policy = policy(rules);
    let user = |name: &str, group: &str| User { name: name.into(), groups: vec![group.into()], ..User::default() };
    let on = |text: &str, name: &str| {
        let (resource, subresource) = text.split_once('/').unwrap_or((text, ""));
        let target = ResourceTarget { subresource: subresource.into(), ..super::tests::target(resource, name) };
        Target::Resource(target)
    };
    let cases = [
        (user("a", ""), "get", on("pods", "x"), Level::None),
        (user("b", "g"), "get", Target::Path("/x".into()), Level::Request),
        (user("b", "g"), "list", Target::Path("/x".into()), Level::None),
        (user("b", ""), "get", on("pods", "x"), Level::Metadata),
        (user("b", ""), "get", on("pods/log", "x"), Level::None),
        (user("b", ""), "get", on("pods/status", "x"), Level::Metadata),
        (user("b", ""), "get", on("nodes/proxy", "x"), Level::Metadata),
        (user("b", ""), "get", on("nodes", "x"), Level::Metadata),
        (user("b", ""), "get", on("secrets", "n"), Level::Request),
        (user("b", ""), "get", Target::Path("/healthz/etcd".into()), Level::None),
        (user("b", ""), "get", on("secrets", "x"), Level::None),
    ];
    for (user, verb, target, level) in cases {
        assert_eq!(policy.told(&user, verb, &target).level, level, "{} {verb} {target}", user.name);
    }
    let told = policy.told(&user("b", ""), "get", &on("pods", "x"));
    assert!(!told.tells(Stage::RequestReceived) && told.tells(Stage::ResponseComplete));
}

#[test]
fn wrong_policies_are_refused_with_the_place() {
    let cases = [
        (
            "rules:\n- {level: All}",
            "rules[0].level: Unsupported value: \"All\": supported values: \"None\", \"Metadata\", \"Request\", \"RequestResponse\"",
        ),
        ("rules:\n- {users: [a]}", "rules[0].level: Required value"),
        ("rules: []", "loaded illegal policy with 0 rules"),
        (
            "rules:\n- {level: None, nonResourceURLs: [a]}",
            "rules[0].nonResourceURLs[0]: Invalid value: \"a\": non-resource URL rules must begin with a '/' character",
        ),
        (
            "rules:\n- {level: None, nonResourceURLs: ['/a*b']}",
            "non-resource URL wildcards '*' must be the final character of the rule",
        ),
        (
            "rules:\n- {level: None, nonResourceURLs: ['/a'], namespaces: [b]}",
            "rules cannot apply to both regular resources and non-resource URLs",
        ),
        ("rules:\n- {level: None, resources: [{group: v1/a}]}", "rules[0].resources.group: Invalid value: \"v1/a\""),
        (
            "rules:\n- {level: None, resources: [{resourceNames: [a]}]}",
            "using resourceNames requires at least one resource",
        ),
        (
            "omitStages: [End]\nrules:\n- {level: None}",
            "omitStages[0]: Invalid value: \"End\": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic",
        ),
        ("rule: []", "failed decoding"),
    ];
    for (text, expected) in cases {
        let text = format!("apiVersion: audit.k8s.io/v1\nkind: Policy\n{text}\n");
        let error = Policy::parse(text.as_bytes()).expect_err(&text).to_string();
        assert!(error.contains(expected), "{error} for {text}");
    }
    let other = Policy::parse(b"apiVersion: audit.k8s.io/v1beta1\nkind: Policy\nrules: []\n").expect_err("refused");
    assert_eq!(other.to_string(), "unknown group version field audit.k8s.io/v1beta1, Kind=Policy in policy");
}

#[tokio::test]
async fn a_webhook_gets_events_in_batches() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let path = std::env::temp_dir().join(format!("nakhoda-audit-webhook-{}", std::process::id()));
    let config = format!(
        "current-context: a\ncontexts: [{{name: a, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}/sink?a=b'}}}}]\nusers: [{{name: u, user: {{token: t}}}}]\n"
    );
    std::fs::write(&path, config).expect("written");
    let tasks = Tasks::new();
    let batching = Batching { buffer: 10, size: 2, wait: Duration::from_secs(60) };
    let webhook = Webhook::open(&path, batching, &tasks).expect("a webhook");
    for _ in 0..2 {
        webhook.take(&Event::new(Level::Metadata, "2024-01-02T03:04:05.000006Z".into()));
    }
    let (mut stream, _) = listener.accept().await.expect("a call");
    let mut text = String::new();
    while !text.ends_with("]}") {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await.expect("read");
        text.push_str(std::str::from_utf8(&piece[..length]).expect("UTF-8"));
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("answered");
    let (head, body) = text.split_once("\r\n\r\n").expect("a request");
    assert!(head.starts_with("POST /sink?a=b HTTP/1.1\r\n") && head.contains("Bearer t"), "{head}");
    let list: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!((&list["kind"], list["items"].as_array().map(Vec::len)), (&json!("EventList"), Some(2)));
    tasks.stop();
    std::fs::remove_file(path).expect("removed");
}
