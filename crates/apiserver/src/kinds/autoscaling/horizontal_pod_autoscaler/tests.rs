use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, row, update};

fn hpa(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"},
        "minReplicas": 1,
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 50}}}],
    });
    change(&mut spec);
    json!({"metadata": {"name": "a", "namespace": "b"}, "spec": spec})
}

#[test]
fn an_autoscaler_has_bounds_a_target_and_metrics_that_make_sense() {
    assert_eq!(create::<HorizontalPodAutoscalers>(hpa(|_| ())), "");
    for (path, value, fault) in [
        ("/maxReplicas", json!(0), "spec.maxReplicas: Required value: must be set and greater than 0"),
        ("/minReplicas", json!(0), "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"),
        ("/minReplicas", json!(4), "must be greater than or equal to `minReplicas`"),
        ("/scaleTargetRef/apiVersion", json!("v1"), "apiVersion must specify API group"),
        ("/scaleTargetRef/apiVersion", json!("a/b/c"), "unexpected GroupVersion string: a/b/c"),
        ("/metrics/0/type", json!("Pods"), "spec.metrics[0].pods: Required value"),
        ("/metrics/0/type", json!("X"), "spec.metrics[0].type: Unsupported value: \"X\""),
        ("/metrics/0/resource/target/averageUtilization", json!(0), "must be greater than 0"),
    ] {
        let faults = create::<HorizontalPodAutoscalers>(hpa(|spec| *spec.pointer_mut(path).expect("there") = value));
        assert!(faults.contains(fault), "{path}: {faults}");
    }
}

#[test]
fn a_target_without_a_group_may_stay() {
    let core = |most: i32| {
        hpa(|spec| {
            spec["scaleTargetRef"]["apiVersion"] = "v1".into();
            spec["maxReplicas"] = most.into();
        })
    };
    assert_eq!(update::<HorizontalPodAutoscalers>(core(3), core(4)), "");
}

#[test]
fn behaviour_is_filled_in_where_it_is_given_at_all() {
    assert!(defaulted::<HorizontalPodAutoscalers>(hpa(|_| ()))["spec"].get("behavior").is_none());
    let given = defaulted::<HorizontalPodAutoscalers>(hpa(|spec| spec["behavior"] = json!({"scaleUp": {}})));
    let behavior = &given["spec"]["behavior"];
    assert_eq!(behavior["scaleUp"]["stabilizationWindowSeconds"], 0);
    assert_eq!(behavior["scaleUp"]["policies"].as_array().map(Vec::len), Some(2));
    assert_eq!(behavior["scaleDown"]["selectPolicy"], "Max");
    assert!(behavior["scaleDown"].get("stabilizationWindowSeconds").is_none());
}

#[test]
fn targets_are_printed_beside_what_is_measured() {
    assert_eq!(row::<HorizontalPodAutoscalers>(hpa(|_| ()))[1..4], ["Deployment/a", "cpu: <unknown>/50%", "1"]);
    let mut measured = hpa(|_| ());
    measured["status"] = json!({"desiredReplicas": 2, "currentReplicas": 2, "currentMetrics": [
        {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 70, "averageValue": "70m"}}}]});
    assert_eq!(row::<HorizontalPodAutoscalers>(measured)[2], "cpu: 70%/50%");
    let many = hpa(|spec| {
        let one = spec["metrics"][0].clone();
        spec["metrics"] = json!([one, one, one]);
    });
    assert_eq!(row::<HorizontalPodAutoscalers>(many)[2], "cpu: <unknown>/50%, cpu: <unknown>/50% + 1 more...");
}
