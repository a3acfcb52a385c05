use serde_json::{Value, json};

use super::super::read;
use super::*;
use crate::Object;

fn quota(name: &str, hard: Value, used: Value, spec: Value) -> ResourceQuota {
    let quota = json!({"metadata": {"name": name}, "spec": spec, "status": {"hard": hard, "used": used}});
    serde_json::from_value(quota).expect("a quota")
}

fn pod(cpu: Value) -> Value {
    json!({"spec": {"containers": [{"name": "a", "resources": {"requests": cpu}},
        {"name": "b", "resources": {"requests": cpu}}]}})
}

/// The first quota afterwards, or the refusal.
fn asked(
    resource: &str,
    sub: &str,
    quotas: &[ResourceQuota],
    new: Value,
    old: Option<Value>,
    limited: &[Limited],
) -> String {
    let resource = GroupResource::new("", resource);
    let object = |value| read(&resource, &Object::from_value(value).expect("an object")).expect("of its type");
    let (new, old) = (object(new), old.map(object));
    let request =
        Request { resource: &resource, subresource: sub, old: old.as_deref(), new: &*new, now: Timestamp::UNIX_EPOCH };
    match charges(quotas, &request, limited) {
        Ok(all) => all.iter().map(|c| format!("{}: {}", c.quota, list(&c.used))).collect::<Vec<_>>().join("; "),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn a_new_pod_is_charged_or_refused_in_upstreams_words() {
    let cpu = json!({"cpu": "1"});
    for (hard, used, new, outcome) in [
        (json!({"pods": "2", "cpu": "4"}), json!({"pods": "1", "cpu": "1"}), pod(cpu.clone()), "0: cpu=3,pods=2"),
        (
            json!({"pods": "1", "cpu": "2", "services": "9"}),
            json!({"pods": "1", "cpu": "500m", "services": "0"}),
            pod(cpu.clone()),
            "exceeded quota: q, requested: cpu=2,pods=1, used: cpu=500m,pods=1, limited: cpu=2,pods=1",
        ),
        (
            json!({"requests.cpu": "1", "limits.memory": "1"}),
            json!({"requests.cpu": "0", "limits.memory": "0"}),
            pod(json!({})),
            "failed quota: q: must specify limits.memory for: a,b; requests.cpu for: a,b",
        ),
        (json!({"pods": "1", "cpu": "4"}), json!({}), pod(cpu), "status unknown for quota: q, resources: cpu,pods"),
        (json!({"services": "0"}), json!({"services": "0"}), pod(json!({})), ""),
    ] {
        assert_eq!(asked("pods", "", &[quota("q", hard, used, json!({}))], new, None, &[]), outcome);
    }
}

#[test]
fn every_quota_that_matches_is_charged_and_none_else() {
    let all = |name: &str, spec: Value| quota(name, json!({"pods": "5"}), json!({"pods": "0"}), spec);
    let quotas = [
        all("a", json!({"scopes": ["Terminating"]})),
        all("b", json!({})),
        all("c", json!({"scopes": ["NotTerminating"]})),
    ];
    assert_eq!(asked("pods", "", &quotas, pod(json!({})), None, &[]), "1: pods=1; 2: pods=1");
}

#[test]
fn a_change_is_charged_for_what_there_is_more_of() {
    let ports = |type_: &str, n: usize| json!({"spec": {"type": type_, "ports": vec![json!({"port": 1}); n]}});
    let hard = json!({"services": "1", "services.nodeports": "2", "services.loadbalancers": "0"});
    let used = json!({"services": "1", "services.nodeports": "1", "services.loadbalancers": "0"});
    let one = [quota("q", hard, used, json!({}))];
    let change = |new, old| asked("services", "", &one, new, Some(old), &[]);
    assert_eq!(change(ports("ClusterIP", 3), ports("ClusterIP", 1)), "");
    assert_eq!(change(ports("NodePort", 1), ports("NodePort", 2)), "");
    let more = "0: services=1,services.loadbalancers=0,services.nodeports=2";
    assert_eq!(change(ports("NodePort", 2), ports("NodePort", 1)), more);
    let refused = "exceeded quota: q, requested: services.loadbalancers=1, used: services.loadbalancers=0, limited: services.loadbalancers=0";
    assert_eq!(change(ports("LoadBalancer", 1), ports("NodePort", 1)), refused);
}

#[test]
fn a_pod_is_charged_anew_when_it_is_resized_or_changes_its_scope_and_not_otherwise() {
    let (small, large) = (pod(json!({"cpu": "1"})), pod(json!({"cpu": "2"})));
    let hard = || json!({"cpu": "9"});
    let plain = [quota("q", hard(), json!({"cpu": "2"}), json!({}))];
    assert_eq!(asked("pods", "", &plain, large.clone(), Some(small.clone()), &[]), "");
    assert_eq!(asked("pods", "resize", &plain, large, Some(small.clone()), &[]), "0: cpu=4");
    let mut limited = small.clone();
    limited["spec"]["activeDeadlineSeconds"] = 5.into();
    let scoped = [quota("q", hard(), json!({"cpu": "0"}), json!({"scopes": ["Terminating"]}))];
    assert_eq!(asked("pods", "", &scoped, limited, Some(small), &[]), "0: cpu=2");
}

#[test]
fn what_is_limited_needs_a_quota_that_covers_it() {
    let class = |values: &[&str]| Requirement {
        scope_name: "PriorityClass".into(),
        operator: "In".into(),
        values: Some(values.iter().map(|&v| v.to_owned()).collect()),
    };
    let pods = GroupResource::new("", "pods");
    let by_name = [Limited { resource: pods.clone(), contains: vec!["cpu".into()], scopes: vec![] }];
    let by_class = [Limited { resource: pods, contains: vec![], scopes: vec![class(&["high"])] }];
    let mut urgent = pod(json!({"cpu": "1"}));
    urgent["spec"]["priorityClassName"] = "high".into();
    let bare = "insufficient quota to consume: cpu,requests.cpu";
    assert_eq!(asked("pods", "", &[], urgent.clone(), None, &by_name), bare);
    let bare = "insufficient quota to match these scopes: [{PriorityClass In [high]}]";
    assert_eq!(asked("pods", "", &[], urgent.clone(), None, &by_class), bare);
    let selector = json!({"scopeSelector": {"matchExpressions": [class(&["high"])]}});
    let covering = [quota("q", json!({"pods": "1"}), json!({"pods": "0"}), selector)];
    assert_eq!(asked("pods", "", &covering, urgent, None, &by_class), "0: pods=1");
}

#[test]
fn a_status_is_counted_but_never_refused_and_nothing_is_negative() {
    let claim = |bytes: &str| json!({"spec": {"resources": {"requests": {"storage": "1Gi"}}}, "status": {"allocatedResources": {"storage": bytes}}});
    let one = [quota("q", json!({"requests.storage": "1Gi"}), json!({"requests.storage": "1Gi"}), json!({}))];
    let outcome = asked("persistentvolumeclaims", "status", &one, claim("3Gi"), Some(claim("1Gi")), &[]);
    assert_eq!(outcome, "0: requests.storage=3Gi");
    let negative = [quota("q", json!({"cpu": "1"}), json!({"cpu": "0"}), json!({}))];
    let outcome = asked("pods", "", &negative, pod(json!({"cpu": "-1"})), None, &[]);
    assert_eq!(outcome, "quota usage is negative for resource(s): cpu,requests.cpu");
}
