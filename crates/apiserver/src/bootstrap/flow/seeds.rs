//! The objects, in upstream's numbers.

use k8s_openapi::Metadata;
use nakhoda_api::kinds::flowcontrol::{FlowSchema, PriorityLevelConfiguration};
use nakhoda_api::kinds::meta::ObjectMeta;
use serde_json::{Value, json};

/// Name, shares, percent that may be lent, queues and hand.
const QUEUED: &[(&str, i32, i32, i32, i32)] = &[
    ("system", 30, 33, 64, 6),
    ("node-high", 40, 25, 64, 6),
    ("leader-election", 10, 0, 16, 4),
    ("workload-high", 40, 50, 128, 6),
    ("workload-low", 100, 90, 128, 6),
    ("global-default", 20, 50, 128, 6),
];

pub(super) fn levels() -> Vec<PriorityLevelConfiguration> {
    let exempt = json!({"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}});
    let catch_all = json!({"type": "Limited", "limited": {
        "nominalConcurrencyShares": 5, "lendablePercent": 0, "limitResponse": {"type": "Reject"}}});
    let mut levels = vec![object("exempt", exempt), object("catch-all", catch_all)];
    levels.extend(QUEUED.iter().map(|(name, shares, lendable, queues, hand)| {
        let queuing = json!({"queues": queues, "handSize": hand, "queueLengthLimit": 50});
        object(
            name,
            json!({"type": "Limited", "limited": {
            "nominalConcurrencyShares": shares, "lendablePercent": lendable,
            "limitResponse": {"type": "Queue", "queuing": queuing}}}),
        )
    }));
    levels
}

pub(super) fn schemas() -> Vec<FlowSchema> {
    let anybody = groups(&["system:unauthenticated", "system:authenticated"]);
    let (manager, scheduler) = ("system:kube-controller-manager", "system:kube-scheduler");
    let masters = groups(&["system:masters"]);
    let nodes = groups(&["system:nodes"]);
    let system_accounts =
        vec![json!({"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": "kube-system"}})];
    let electors = [users(&[manager, scheduler]), system_accounts.clone()].concat();
    let leases = |verbs: &[&str]| resources(verbs, "coordination.k8s.io", &["leases"], false);
    let own_node = resources(&["*"], "", &["nodes", "nodes/status"], true);
    let probes = json!([{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}]);
    let (by_user, by_namespace) = (Some("ByUser"), Some("ByNamespace"));
    vec![
        schema("exempt", "exempt", 1, None, everything(masters)),
        schema("catch-all", "catch-all", 10_000, by_user, everything(anybody.clone())),
        schema("system-nodes", "system", 500, by_user, everything(nodes.clone())),
        schema(
            "system-node-high",
            "node-high",
            400,
            by_user,
            json!({"subjects": nodes, "resourceRules": [own_node, leases(&["*"])]}),
        ),
        schema("probes", "exempt", 2, None, json!({"subjects": anybody, "nonResourceRules": probes})),
        schema(
            "system-leader-election",
            "leader-election",
            100,
            by_user,
            json!({"subjects": electors, "resourceRules": [leases(&["get", "create", "update"])]}),
        ),
        schema(&manager[7..], "workload-high", 800, by_namespace, everything(users(&[manager]))),
        schema(&scheduler[7..], "workload-high", 800, by_namespace, everything(users(&[scheduler]))),
        schema("kube-system-service-accounts", "workload-high", 900, by_namespace, everything(system_accounts)),
        schema("service-accounts", "workload-low", 9000, by_user, everything(groups(&["system:serviceaccounts"]))),
        schema(
            "global-default",
            "global-default",
            9900,
            by_user,
            everything(groups(&["system:unauthenticated", "system:authenticated"])),
        ),
    ]
}

fn schema(name: &str, level: &str, precedence: i32, distinguisher: Option<&str>, rule: Value) -> FlowSchema {
    let mut spec =
        json!({"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence, "rules": [rule]});
    if let Some(method) = distinguisher {
        spec["distinguisherMethod"] = json!({"type": method});
    }
    object(name, spec)
}

fn everything(subjects: Vec<Value>) -> Value {
    json!({
        "subjects": subjects,
        "resourceRules": [resources(&["*"], "*", &["*"], true)],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    })
}

fn resources(verbs: &[&str], group: &str, resources: &[&str], cluster: bool) -> Value {
    let mut rule = json!({"verbs": verbs, "apiGroups": [group], "resources": resources, "namespaces": ["*"]});
    if cluster {
        rule["clusterScope"] = true.into();
    }
    rule
}

fn groups(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({"kind": "Group", "group": {"name": name}})).collect()
}

fn users(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({"kind": "User", "user": {"name": name}})).collect()
}

fn object<T: Metadata<Ty = ObjectMeta> + serde::de::DeserializeOwned>(name: &str, spec: Value) -> T {
    let value = json!({
        "metadata": {"name": name, "annotations": {super::FOLLOWS: "true"}},
        "spec": spec,
    });
    serde_json::from_value(value).expect("the seeds above have their types' shape")
}
