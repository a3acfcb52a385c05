use std::sync::Arc;

use nakhoda_api::kinds::core::Pod;
use nakhoda_client::runtime::watcher::Event;
use serde_json::{Value, json};

use super::*;

fn quota(value: Value) -> ResourceQuota {
    let mut quota: ResourceQuota = serde_json::from_value(value).expect("a quota");
    quota.metadata.namespace = Some("a".into());
    quota.metadata.name.get_or_insert_with(|| "q".into());
    quota
}

fn pod(value: Value) -> Arc<Pod> {
    let mut pod: Pod = serde_json::from_value(value).expect("a pod");
    pod.metadata.namespace = Some("a".into());
    Arc::new(pod)
}

fn told(status: Option<ResourceQuotaStatus>) -> Value {
    status.map_or(Value::Null, |status| serde_json::to_value(status).expect("json"))
}

#[test]
fn a_status_is_written_only_if_it_changes() {
    let counted = |n: i64| Amounts::from([("pods".to_owned(), Quantity::new(n, Format::DecimalSi))]);
    let new = quota(json!({"spec": {"hard": {"pods": "5", "cpu": "2"}}}));
    let first = told(status(&new, counted(1)));
    assert_eq!(first, json!({"hard": {"cpu": "2", "pods": "5"}, "used": {"pods": "1"}}));
    let known = quota(json!({"spec": {"hard": {"pods": "5"}}, "status":
        {"hard": {"pods": "5"}, "used": {"pods": "1000m"}}}));
    assert_eq!(status(&known, counted(1)), None);
    assert_eq!(told(status(&known, counted(0)))["used"], json!({"pods": "0"}));
    assert_eq!(status(&known, Amounts::new()), None, "what was not counted stays");
    let fewer = quota(json!({"spec": {"hard": {}}, "status": {"hard": {"pods": "5"}, "used": {"pods": "1"}}}));
    assert_eq!(told(status(&fewer, Amounts::new())), json!({"hard": {}, "used": {}}));
}

#[test]
fn numbers_are_counted_of_what_has_no_other_measure() {
    let hard = json!({"pods": "1", "count/pods": "1", "secrets": "1", "count/secrets": "1", "events": "1",
        "count/deployments.apps": "1", "requests.cpu": "1", "count/events": "1"});
    let all = quota(json!({"spec": {"hard": hard}}));
    let resources = [GroupResource::new("", "secrets"), GroupResource::new("apps", "deployments")];
    assert_eq!(numbered(&all).into_iter().collect::<Vec<_>>(), resources);
    assert_eq!(numbers(&all, &resources[0], 3).len(), 2);
    let scoped = quota(json!({"spec": {"hard": {"secrets": "1"}, "scopes": ["Terminating"]}}));
    assert!(numbers(&scoped, &resources[0], 3)["secrets"].is_zero(), "nothing but pods and claims is in a scope");
}

#[test]
fn a_change_wakes_the_quotas_for_which_it_makes_a_difference() {
    let quotas = Informer::<ResourceQuota>::new();
    quotas.apply(Event::Replaced(vec![
        quota(json!({"metadata": {"name": "cpu"}, "spec": {"hard": {"requests.cpu": "1"}}})),
        quota(json!({"metadata": {"name": "secrets"}, "spec": {"hard": {"secrets": "1"}}})),
    ]));
    let pods = GroupResource::new("", "pods");
    let count = |change| woken(&quotas, &pods, &change, Timestamp::UNIX_EPOCH).len();
    let spec = json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]});
    let runs = pod(json!({"spec": spec, "status": {"phase": "Running"}}));
    let ready = pod(json!({"spec": spec, "status": {"phase": "Running", "podIP": "10.0.0.1"}}));
    let ended = pod(json!({"spec": spec, "status": {"phase": "Failed"}}));
    assert_eq!(count(Change::Updated { old: runs.clone(), new: ready }), 0);
    assert_eq!(count(Change::Updated { old: runs.clone(), new: ended }), 1);
    assert_eq!(count(Change::Deleted(runs)), 1);
}

#[test]
fn a_quota_is_counted_when_it_is_new_or_its_status_says_something_else() {
    let spec = json!({"hard": {"pods": "5"}});
    let of = |status: Value| Arc::new(quota(json!({"spec": spec, "status": status})));
    let right = of(json!({"hard": {"pods": "5"}, "used": {"pods": "1"}}));
    let more = of(json!({"hard": {"pods": "5"}, "used": {"pods": "2"}}));
    let other = of(json!({"hard": {"pods": "9"}, "used": {"pods": "1"}}));
    assert!(asks(&Change::Added(right.clone())));
    assert!(!asks(&Change::Updated { old: right.clone(), new: more }));
    assert!(asks(&Change::Updated { old: right, new: other }));
}
