use serde_json::json;

use super::*;
use crate::kinds::testing::{create, defaulted, prepared, row, typed, update};

#[test]
fn settings_by_a_config_map_are_no_longer_taken() {
    let node = json!({"spec": {"configSource": {"configMap": {"name": "a", "namespace": "b", "kubeletConfigKey": "c"}}}});
    assert!(prepared::<Nodes>(node.clone(), None)["spec"].get("configSource").is_none());
    assert!(prepared::<Nodes>(node.clone(), Some(node))["spec"].get("configSource").is_some());
    let named = typed::<Nodes>(json!({"spec": {"externalID": "x"}}));
    let told = ["spec.externalID: this field is deprecated, and is unused by Kubernetes"];
    assert_eq!(Nodes::warnings(&named, None), told);
}

#[test]
fn the_row_shows_status_roles_and_addresses() {
    let node = json!({
        "metadata": {"name": "a", "labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "x"},
                     "creationTimestamp": "2026-01-02T03:04:00Z"},
        "spec": {"unschedulable": true},
        "status": {
            "conditions": [{"type": "Ready", "status": "False"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.2"}],
            "nodeInfo": {"kubeletVersion": "v1", "kernelVersion": "6.1", "architecture": "amd64"},
        }
    });
    let expected = [
        "a",
        "NotReady,SchedulingDisabled",
        "worker,x",
        "5s",
        "v1",
        "10.0.0.2",
        "<none>",
        "<unknown>",
        "6.1 (amd64)",
        "<unknown>",
    ];
    assert_eq!(row::<Nodes>(node), expected);
    assert_eq!(row::<Nodes>(json!({"metadata": {"name": "b"}}))[..4], ["b", "Unknown", "<none>", "<unknown>"]);
}

#[test]
fn both_forms_of_the_pod_network_agree() {
    let node =
        defaulted::<Nodes>(json!({"spec": {"podCIDR": "10.244.0.0/24"}, "status": {"capacity": {"cpu": "2000m"}}}));
    assert_eq!(node["spec"]["podCIDRs"], json!(["10.244.0.0/24"]));
    assert_eq!(node["status"]["allocatable"], json!({"cpu": "2"}));
}

#[test]
fn faults_read_as_upstream_words_them() {
    assert_eq!(
        create::<Nodes>(json!({"spec": {
            "podCIDRs": ["10.0.0.0"],
            "taints": [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule"}, {"key": "b", "effect": "x"}],
        }})),
        "[metadata.taints[1]: Duplicate value: {\"effect\":\"NoSchedule\",\"key\":\"a\"}: taints must be unique by key and effect pair, \
         metadata.taints[2].effect: Unsupported value: \"x\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\", \
         spec.podCIDRs[0]: Invalid value: \"10.0.0.0\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)]"
    );
    assert_eq!(
        update::<Nodes>(json!({"spec": {"providerID": "a"}}), json!({"spec": {"providerID": "b"}})),
        "spec.providerID: Forbidden: node updates may not change providerID except from \"\" to valid"
    );
}
