use super::*;
use serde_json::json;

fn deployment(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec})
}

fn merge(last: &Value, new: &Value, current: &Value) -> Value {
    let gvk = GroupVersionKind::new("apps", "v1", "Deployment");
    three_way(&gvk, &deployment(last), &deployment(new), &deployment(current))["spec"].take()
}

#[test]
fn what_others_set_stays_and_what_the_user_took_out_goes() {
    let result = merge(
        &json!({"replicas": 2, "minReadySeconds": 5}),
        &json!({"paused": true}),
        &json!({"replicas": 2, "minReadySeconds": 5, "revisionHistoryLimit": 10}),
    );
    assert_eq!(result, json!({"revisionHistoryLimit": 10, "paused": true}));
}

#[test]
fn containers_are_merged_by_name() {
    let pod = |containers: Value| json!({"template": {"spec": {"containers": containers}}});
    let result = merge(
        &pod(json!([{"name": "a", "image": "a:1"}, {"name": "old", "image": "o"}])),
        &pod(json!([{"name": "a", "image": "a:2"}])),
        &pod(
            json!([{"name": "a", "image": "a:1", "imagePullPolicy": "Always"}, {"name": "sidecar", "image": "s"}, {"name": "old", "image": "o"}]),
        ),
    );
    let expected =
        json!([{"name": "a", "image": "a:2", "imagePullPolicy": "Always"}, {"name": "sidecar", "image": "s"}]);
    assert_eq!(result["template"]["spec"]["containers"], expected);
}

#[test]
fn a_list_without_a_merge_key_is_one_value() {
    let pod = |args: Value| json!({"template": {"spec": {"containers": [{"name": "a", "args": args}]}}});
    let result = merge(&pod(json!(["x"])), &pod(json!(["y"])), &pod(json!(["x", "z"])));
    assert_eq!(result["template"]["spec"]["containers"][0]["args"], json!(["y"]));
}

#[test]
fn another_strategy_leaves_nothing_of_the_old_one() {
    let rolling = json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}});
    let result = merge(&json!({}), &json!({"strategy": {"type": "Recreate"}}), &rolling);
    assert_eq!(result["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn applying_the_same_again_changes_nothing() {
    let mine = json!({"replicas": 1, "template": {"spec": {"containers": [{"name": "a", "image": "a"}]}}});
    let mut current = mine.clone();
    current["template"]["spec"]["dnsPolicy"] = "ClusterFirst".into();
    assert_eq!(difference(&current, &merge(&mine, &mine, &current)), None);
}

#[test]
fn a_difference_is_a_merge_patch() {
    let patch = difference(&json!({"a": 1, "b": {"c": 1, "d": 2}}), &json!({"b": {"c": 3, "d": 2}, "e": [1]}));
    assert_eq!(patch, Some(json!({"a": null, "b": {"c": 3}, "e": [1]})));
}
