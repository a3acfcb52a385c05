use serde_json::{Value, json};

use super::*;

fn read(body: &Value) -> Decoded {
    decode(body.to_string().as_bytes(), None).expect("decodes")
}

fn refused(body: &str) -> String {
    decode(body.as_bytes(), None).expect_err("does not decode").to_string()
}

#[test]
fn unknown_and_duplicate_fields_are_told_with_their_paths() {
    let body = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"labels":{"x":"1","x":"2"},"foo":1},
        "spec":{"containers":[{"name":"a","foo":{"bar":1}},{"name":"b","name":"c"}]},"Spec":{}}"#;
    let decoded = decode(body.as_bytes(), None).expect("decodes");
    assert_eq!(
        decoded.faults,
        [
            r#"duplicate field "metadata.labels.x""#,
            r#"unknown field "metadata.foo""#,
            r#"unknown field "spec.containers[0].foo""#,
            r#"duplicate field "spec.containers[1].name""#,
            r#"unknown field "Spec""#,
        ]
    );
    assert_eq!(decoded.object.at(&["metadata", "labels"]), Some(&json!({"x": "2"})));
    assert_eq!(decoded.object.at(&["spec", "containers"]), Some(&json!([{"name": "a"}, {"name": "c"}])));
}

#[test]
fn wrong_types_are_told_in_the_words_of_go() {
    for (body, text) in [
        (
            r#"{"kind":"Pod","apiVersion":"v1","metadata":{"labels":"x"}}"#,
            "json: cannot unmarshal string into Go struct field ObjectMeta.metadata.labels of type map[string]string",
        ),
        (
            r#"{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"name":1}]}}"#,
            "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
        ),
        (
            r#"{"kind":"Pod","apiVersion":"v1","spec":{"containers":["x"]}}"#,
            "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container",
        ),
        (
            r#"{"kind":"Pod","apiVersion":"v1","spec":{"volumes":[{"configMap":[]}]}}"#,
            "json: cannot unmarshal array into Go struct field Volume.spec.volumes.VolumeSource.configMap of type v1.ConfigMapVolumeSource",
        ),
        (
            r#"{"kind":"Deployment","apiVersion":"apps/v1","spec":{"replicas":1.5}}"#,
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            r#"{"kind":"Pod","apiVersion":"v1","spec":{"restartPolicy":true}}"#,
            "json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy",
        ),
    ] {
        assert_eq!(refused(body), text);
    }
}

#[test]
fn syntax_counts_more_than_types() {
    assert_eq!(
        refused(r#"{"kind":"Pod","apiVersion":"v1","metadata":{"labels":"x"},}"#),
        "invalid character '}' looking for beginning of object key string"
    );
    assert_eq!(refused(r#"{"kind":"Pod""#), "unexpected end of JSON input");
    assert!(refused("[]").starts_with("json: cannot unmarshal array into Go value of type struct"));
    assert_eq!(refused(r#"{"apiVersion":"v1"}"#), r#"Object 'Kind' is missing in '{"apiVersion":"v1"}'"#);
}

#[test]
fn fields_come_out_in_the_order_of_go_without_nulls() {
    let decoded = read(&json!({
        "spec": {"restartPolicy": "Never", "containers": [{"image": "i", "name": "a", "command": null}], "volumes": null},
        "metadata": {"name": "p", "creationTimestamp": null},
        "apiVersion": "v1", "kind": "Pod"
    }));
    assert_eq!(
        decoded.object.into_value().to_string(),
        r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"i"}],"restartPolicy":"Never"}}"#
    );
}

#[test]
fn the_default_kind_fills_what_the_body_leaves_out() {
    let pod = GroupVersionKind::new("", "v1", "Pod");
    let decoded = decode(br#"{"metadata":{"name":"p"}}"#, Some(&pod)).expect("decodes");
    assert_eq!(decoded.object.gvk(), Some(pod));
}

#[test]
fn objects_of_unknown_kinds_keep_their_shape() {
    let body =
        r#"{"kind":"Foo","apiVersion":"e.com/v1","metadata":{"name":"f","bad":1},"spec":{"a":null,"b":{"c":1,"c":2}}}"#;
    let decoded = decode(body.as_bytes(), None).expect("decodes");
    assert_eq!(decoded.faults, [r#"unknown field "metadata.bad""#, r#"duplicate field "spec.b.c""#]);
    assert_eq!(decoded.object.at(&["spec"]), Some(&json!({"a": null, "b": {"c": 2}})));
}

#[test]
fn texts_with_a_canonical_form_are_brought_into_it() {
    let decoded = read(&json!({
        "kind": "Pod", "apiVersion": "v1",
        "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "1000m", "memory": 1024}}}]}
    }));
    let limits = decoded.object.at(&["spec", "containers"]).map(|c| &c[0]["resources"]["limits"]);
    assert_eq!(limits, Some(&json!({"cpu": "1", "memory": "1024"})));
    assert_eq!(
        refused(r#"{"kind":"ResourceQuota","apiVersion":"v1","spec":{"hard":{"cpu":"x"}}}"#),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    );
}

#[test]
fn a_body_that_nests_too_deeply_is_refused() {
    let body = format!("{{\"kind\":\"Foo\",\"apiVersion\":\"e/v1\",\"spec\":{}", "[".repeat(200_000));
    assert_eq!(refused(&body), "exceeded max depth");
}
