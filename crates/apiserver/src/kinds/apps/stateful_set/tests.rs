use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, row, status, update};

fn set() -> Value {
    defaulted::<StatefulSets>(json!({"metadata": {"name": "s"}, "spec": {
        "selector": {"matchLabels": {"a": "b"}}, "serviceName": "s",
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [
            {"name": "c", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}}))
}

#[test]
fn defaults_are_one_pod_after_the_other_whose_claims_stay() {
    let spec = &set()["spec"];
    assert_eq!(spec["updateStrategy"], json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}));
    assert_eq!(spec["persistentVolumeClaimRetentionPolicy"], json!({"whenDeleted": "Retain", "whenScaled": "Retain"}));
    assert_eq!([&spec["podManagementPolicy"], &spec["replicas"]], [&json!("OrderedReady"), &json!(1)]);
    assert_eq!(spec["volumeClaimTemplates"][0]["status"], json!({"phase": "Pending"}));
    assert_eq!(create::<StatefulSets>(set()), "", "a mount of a claim is known");
    assert_eq!(row::<StatefulSets>(set())[1], "0/1");
}

#[test]
fn only_some_of_the_spec_changes() {
    let mut new = set();
    new["spec"]["replicas"] = json!(3);
    new["spec"]["minReadySeconds"] = json!(1);
    assert_eq!(update::<StatefulSets>(set(), new.clone()), "");
    new["spec"]["serviceName"] = json!("t");
    assert_eq!(update::<StatefulSets>(set(), new), format!("spec: Forbidden: {MAY_CHANGE}"));
}

#[test]
fn faults_read_as_upstream_words_them() {
    let mut new = set();
    new["spec"]["podManagementPolicy"] = json!("x");
    new["spec"]["updateStrategy"] = json!({"type": "OnDelete", "rollingUpdate": {"partition": 1}});
    new["spec"]["ordinals"] = json!({"start": -1});
    new["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"] = json!([]);
    assert_eq!(
        create::<StatefulSets>(new),
        "[spec.podManagementPolicy: Invalid value: \"x\": must be 'OrderedReady' or 'Parallel', \
         spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate', \
         spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required, \
         spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0]"
    );
}

#[test]
fn a_status_counts_what_is_there() {
    let mut new = set();
    new["status"] = json!({"replicas": 1, "readyReplicas": 0, "availableReplicas": 1});
    assert_eq!(
        status::<StatefulSets>(set(), new),
        "status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas"
    );
}
