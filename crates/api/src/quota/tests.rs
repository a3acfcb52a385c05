use serde_json::{Value, json};

use super::*;

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn told(usage: &Amounts) -> String {
    usage.iter().map(|(name, amount)| format!("{name}={amount}")).collect::<Vec<_>>().join(",")
}

fn measured(resource: &GroupResource, object: Value) -> Box<dyn Measured> {
    read(resource, &Object::from_value(object).expect("an object")).expect("of its type")
}

/// What an object takes, by the names of a quota that has them all.
fn usage(group: &str, resource: &str, object: Value) -> String {
    told(&measured(&GroupResource::new(group, resource), object).usage(now()))
}

fn pod(resources: Value) -> Value {
    json!({"spec": {"containers": [{"name": "c", "resources": resources}]}})
}

#[test]
fn a_pod_takes_what_it_asks_for_until_it_has_ended() {
    let asks = json!({"requests": {"cpu": "1", "memory": "1Gi", "example.com/gpu": "2", "hugepages-2Mi": "4Mi"},
        "limits": {"cpu": "2", "example.com/gpu": "2"}});
    let all = "count/pods=1,cpu=1,hugepages-2Mi=4Mi,limits.cpu=2,memory=1Gi,pods=1,requests.cpu=1,\
        requests.example.com/gpu=2,requests.hugepages-2Mi=4Mi,requests.memory=1Gi";
    assert_eq!(usage("", "pods", pod(asks.clone())), all);
    let mut ended = pod(asks.clone());
    ended["status"] = json!({"phase": "Succeeded"});
    assert_eq!(usage("", "pods", ended), "count/pods=1");
    for (second, counted) in [("23:59:50", false), ("23:59:55", true)] {
        let mut going = pod(asks.clone());
        let deleted = format!("2025-12-31T{second}Z");
        going["metadata"] = json!({"deletionTimestamp": deleted, "deletionGracePeriodSeconds": 6});
        assert_eq!(usage("", "pods", going) == all, counted, "{second}");
    }
}

#[test]
fn other_kinds_take_what_they_are() {
    let ports = json!([{"port": 1, "nodePort": 30000}, {"port": 2}]);
    let service = |spec: Value| usage("", "services", json!({ "spec": spec }));
    let counted = |balancers: i32, ports: i32| {
        format!("count/services=1,services=1,services.loadbalancers={balancers},services.nodeports={ports}")
    };
    assert_eq!(service(json!({"type": "ClusterIP", "ports": ports})), counted(0, 0));
    assert_eq!(service(json!({"type": "NodePort", "ports": ports})), counted(0, 2));
    let balanced = json!({"type": "LoadBalancer", "ports": ports, "allocateLoadBalancerNodePorts": false});
    assert_eq!(service(balanced), counted(1, 1));
    let claim = json!({"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"allocatedResources": {"storage": "2Gi"}}});
    let storage = "count/persistentvolumeclaims=1,fast.storageclass.storage.k8s.io/persistentvolumeclaims=1,\
        fast.storageclass.storage.k8s.io/requests.storage=2Gi,persistentvolumeclaims=1,requests.storage=2Gi";
    assert_eq!(usage("", "persistentvolumeclaims", claim), storage);
    let exact = json!({"exactly": {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 3}});
    let either = json!({"firstAvailable": [{"name": "a", "deviceClassName": "gpu", "allocationMode": "All"},
        {"name": "b", "deviceClassName": "gpu", "count": 2}]});
    let devices = json!({"spec": {"devices": {"requests": [exact, either]}}});
    let counted = "count/resourceclaims.resource.k8s.io=1,gpu.deviceclass.resource.k8s.io/devices=35";
    assert_eq!(usage("resource.k8s.io", "resourceclaims", devices), counted);
    assert_eq!(usage("", "secrets", json!({})), "count/secrets=1,secrets=1");
    assert_eq!(usage("example.com", "secrets", json!({})), "count/secrets.example.com=1");
}

#[test]
fn each_name_is_counted_at_the_kind_that_takes_it() {
    for (group, resource, name, counted) in [
        ("", "pods", "requests.cpu", true),
        ("", "pods", "requests.storage", false),
        ("", "pods", "requests.example.com/gpu", true),
        ("", "pods", "example.com/gpu", false),
        ("", "pods", "requests.hugepages-1Gi", true),
        ("", "pods", "fast.storageclass.storage.k8s.io/requests.storage", false),
        ("", "persistentvolumeclaims", "fast.storageclass.storage.k8s.io/requests.storage", true),
        ("", "persistentvolumeclaims", "requests.storage", true),
        ("", "services", "services.nodeports", true),
        ("", "configmaps", "configmaps", true),
        ("", "events", "events", false),
        ("apps", "deployments", "count/deployments.apps", true),
        ("apps", "deployments", "count/deployments", false),
        ("resource.k8s.io", "resourceclaims", "gpu.deviceclass.resource.k8s.io/devices", true),
    ] {
        assert_eq!(counts(&GroupResource::new(group, resource), name), counted, "{resource} {name}");
    }
}

#[test]
fn the_number_of_objects_is_counted_for_a_resource_that_can_be_read_from_its_name() {
    let crontabs = GroupResource::new("stable.example.com", "crontabs");
    assert_eq!(counted_resource("count/crontabs.stable.example.com"), Some(crontabs));
    assert_eq!(counted_resource("secrets"), Some(GroupResource::new("", "secrets")));
    assert_eq!(counted_resource("requests.cpu"), None);
}

#[test]
fn scopes_hold_the_pods_that_they_name() {
    let resource = GroupResource::new("", "pods");
    let scope = |name: &str, operator: &str, values: &[&str]| Requirement {
        scope_name: name.into(),
        operator: operator.into(),
        values: Some(values.iter().map(|&v| v.to_owned()).collect()),
    };
    let abroad = json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
        [{"topologyKey": "z", "namespaces": ["other"]}]}});
    let best = json!({"spec": {"containers": []}, "status": {"qosClass": "BestEffort"}});
    let limited = json!({"spec": {"containers": [], "activeDeadlineSeconds": 5}, "status": {"qosClass": "Burstable"}});
    let urgent = json!({"spec": {"containers": [], "priorityClassName": "high", "affinity": abroad}});
    for (object, scope, held) in [
        (&best, scope("BestEffort", "Exists", &[]), true),
        (&limited, scope("BestEffort", "Exists", &[]), false),
        (&limited, scope("NotBestEffort", "Exists", &[]), true),
        (&limited, scope("Terminating", "Exists", &[]), true),
        (&best, scope("NotTerminating", "Exists", &[]), true),
        (&urgent, scope("PriorityClass", "Exists", &[]), true),
        (&urgent, scope("PriorityClass", "In", &["high"]), true),
        (&urgent, scope("PriorityClass", "NotIn", &["high"]), false),
        (&best, scope("PriorityClass", "NotIn", &["high"]), true),
        (&best, scope("PriorityClass", "DoesNotExist", &[]), true),
        (&urgent, scope("CrossNamespacePodAffinity", "Exists", &[]), true),
        (&best, scope("CrossNamespacePodAffinity", "Exists", &[]), false),
    ] {
        assert_eq!(measured(&resource, object.clone()).is_in(&scope), held, "{scope:?} {object}");
    }
}

#[test]
fn what_is_used_is_told_for_every_name_of_the_kind_if_only_as_nothing() {
    let quota: ResourceQuota = serde_json::from_value(json!({"spec": {
        "hard": {"pods": "5", "requests.cpu": "4", "services": "1"}, "scopes": ["NotTerminating"]}}))
    .expect("a quota");
    let resource = GroupResource::new("", "pods");
    let one = measured(&resource, pod(json!({"requests": {"cpu": "500m"}})));
    let mut limited = pod(json!({"requests": {"cpu": "1"}}));
    limited["spec"]["activeDeadlineSeconds"] = 1.into();
    let limited = measured(&resource, limited);
    assert_eq!(told(&used(&quota, &resource, [], now())), "pods=0,requests.cpu=0");
    assert_eq!(told(&used(&quota, &resource, [&*one, &*one, &*limited], now())), "pods=2,requests.cpu=1");
}
