use super::*;

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

#[test]
fn a_share_of_the_cpu_is_a_metric_and_eighty_percent_is_meant_if_nothing_is_said() {
    let share = |spec: Value| up(object(json!({"metadata": {}, "spec": spec}))).into_value()["spec"]["metrics"].clone();
    assert_eq!(share(json!({SHARE: 50})), json!([cpu(&50.into())]));
    assert_eq!(share(json!({})), json!([cpu(&80.into())]));
}

#[test]
fn what_the_old_form_has_no_field_for_goes_there_and_back() {
    let stored = json!({
        "metadata": {"name": "a"},
        "spec": {
            "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "hits"},
                    "target": {"type": "AverageValue", "averageValue": "10"}}},
                {"type": "ContainerResource", "containerResource": {"name": "memory", "container": "main",
                    "target": {"type": "AverageValue", "averageValue": "1Mi"}}},
                cpu(&50.into()),
            ],
            "behavior": {"scaleUp": {"selectPolicy": "Max",
                "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]}},
        },
        "status": {
            "currentReplicas": 0,
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu",
                "current": {"averageValue": "5m", "averageUtilization": 7}}}],
            "conditions": [{"type": "AbleToScale", "status": "True"}],
        },
    });
    let old = down(object(stored.clone()));
    assert_eq!(old.at(&["spec", SHARE]), Some(&50.into()));
    assert_eq!(old.at(&["status", CURRENT_SHARE]), Some(&7.into()));
    let told = old.annotations().find(|(key, _)| *key == METRICS).map(|(_, text)| text.to_owned());
    let pods = r#"[{"type":"Pods","pods":{"metricName":"hits","targetAverageValue":"10"}}"#;
    assert!(told.is_some_and(|text| text.starts_with(pods)));
    assert_eq!(up(old).into_value(), stored);
}

#[test]
fn annotations_that_cannot_be_read_count_as_not_given() {
    let broken = json!({"metadata": {"annotations": {METRICS: "[{\"type\": 3}]", "a": "b"}}, "spec": {}});
    let stored = up(object(broken)).into_value();
    assert_eq!(stored["spec"]["metrics"], json!([cpu(&80.into())]));
    assert_eq!(stored["metadata"]["annotations"], json!({"a": "b"}));
}
