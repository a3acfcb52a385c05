use serde_json::{Value, json};

use super::*;
use crate::kinds::testing::{create, defaulted, row};

fn schema(rule: Value) -> Value {
    json!({"metadata": {"name": "a"}, "spec": {"matchingPrecedence": 5, "priorityLevelConfiguration": {"name": "b"}, "rules": [rule]}})
}

#[test]
fn rules_are_checked_in_upstreams_words() {
    let good = json!({"subjects": [{"kind": "User", "user": {"name": "*"}}], "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/a/*"]}]});
    assert_eq!(create::<FlowSchemas>(schema(good)), "");
    let bad = json!({
        "subjects": [{"kind": "User", "group": {"name": "g"}}],
        "resourceRules": [{"verbs": ["*", "get"], "apiGroups": [], "resources": ["pods"]}],
        "nonResourceRules": [{"verbs": ["x"], "nonResourceURLs": ["a"]}],
    });
    let told = create::<FlowSchemas>(schema(bad));
    for part in [
        "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
        "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
        "spec.rules[0].resourceRules[0].verbs: Invalid value: [\"*\",\"get\"]: if '*' is present, must not specify other verbs",
        "spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group",
        "resource rules that are not cluster scoped must supply at least one namespace",
        "spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: \"a\": must start with slash",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn what_every_cluster_has_is_fixed() {
    for seed in flow::schemas() {
        let value = serde_json::to_value(seed).expect("JSON");
        assert_eq!(create::<FlowSchemas>(value.clone()), "", "{:?}", seed.metadata.name);
        assert_eq!(defaulted::<FlowSchemas>(value.clone())["spec"], value["spec"], "nothing is added to it");
    }
    let mut exempt = serde_json::to_value(flow::mandatory_schema("exempt")).expect("JSON");
    exempt["spec"]["matchingPrecedence"] = 2.into();
    assert!(create::<FlowSchemas>(exempt).ends_with("spec of 'exempt' must equal the fixed value"));
}

#[test]
fn the_row_tells_whether_the_level_is_missing() {
    assert_eq!(row::<FlowSchemas>(schema(json!({})))[5], "?");
}
