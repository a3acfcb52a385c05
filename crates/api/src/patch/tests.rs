use serde_json::{Value, json};

use super::*;

fn map() -> Object {
    Object::from_value(json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "c", "finalizers": ["a", "b"]}, "data": {"a": "1"}}))
        .expect("an object")
}

fn json_patch(operations: &Value) -> Result<Object, Status> {
    apply(PatchKind::Json, &map(), operations.to_string().as_bytes())
}

#[test]
fn json_patches_apply_in_order() {
    let out = json_patch(&json!([
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "add", "path": "/data/b", "value": "2"},
        {"op": "replace", "path": "/data/new", "value": "3"},
        {"op": "remove", "path": "/metadata/finalizers/-1"},
        {"op": "copy", "from": "/data/b", "path": "/data/c"},
        {"op": "move", "from": "/data/a", "path": "/data/d"},
        {"op": "add", "path": "/metadata/labels", "value": {"x~y/z": "1"}},
        {"op": "remove", "path": "/metadata/labels/x~0y~1z"},
        {"op": "add", "path": "/metadata/finalizers/-", "value": "c"}
    ]))
    .expect("applies");
    assert_eq!(out.at(&["data"]), Some(&json!({"b": "2", "new": "3", "c": "2", "d": "1"})));
    assert_eq!(out.at(&["metadata"]), Some(&json!({"name": "c", "finalizers": ["a", "c"], "labels": {}})));
}

#[test]
fn json_patches_that_do_not_apply_are_refused_without_words() {
    for operation in [
        json!({"op": "test", "path": "/data/a", "value": "2"}),
        json!({"op": "remove", "path": "/data/z"}),
        json!({"op": "add", "path": "/x/y/z", "value": 1}),
        json!({"op": "dance", "path": "/data"}),
        json!({"op": "add", "value": 1}),
    ] {
        let status = json_patch(&json!([operation])).expect_err("does not apply");
        assert_eq!((status.code, status.reason), (422, Some(Reason::Invalid)));
        assert_eq!(status.message, "the server rejected our request due to an error in our request");
    }
}

#[test]
fn bodies_that_are_no_patch_are_bad_requests() {
    let message = |kind, body: &str| {
        let status = apply(kind, &map(), body.as_bytes()).expect_err("is no patch");
        assert_eq!(status.code, 400);
        status.message
    };
    assert_eq!(
        message(PatchKind::Json, "{}"),
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
    );
    assert_eq!(
        message(PatchKind::Merge, "[]"),
        "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
    );
    assert_eq!(message(PatchKind::Strategic, "{"), "error decoding patch: unexpected end of JSON input");
}

#[test]
fn too_many_operations_are_refused() {
    let many = vec![json!({"op": "test", "path": "/data/a", "value": "1"}); 10_001];
    let status = json_patch(&Value::Array(many)).expect_err("is too long");
    assert_eq!(status.code, 413);
    assert_eq!(
        status.message,
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
    );
}

#[test]
fn copies_cannot_grow_or_deepen_an_object_without_bound() {
    let start = json!({"op": "add", "path": "/data/x", "value": {"k": "v".repeat(100_000)}});
    let double = json!({"op": "copy", "from": "/data", "path": "/data/y"});
    let mut operations = vec![start];
    operations.extend(vec![double; 10]);
    assert_eq!(json_patch(&Value::Array(operations)).expect_err("is too much").code, 422);
    let deep = json!([{"op": "add", "path": "/a".repeat(200), "value": 1}]);
    assert_eq!(json_patch(&deep).expect_err("is too deep").code, 422);
}

#[test]
fn merge_patches_delete_by_null() {
    let out = apply(PatchKind::Merge, &map(), br#"{"data":{"a":null,"b":"2"},"metadata":{"finalizers":["z"]}}"#)
        .expect("applies");
    assert_eq!(out.at(&["data"]), Some(&json!({"b": "2"})));
    assert_eq!(out.at(&["metadata", "finalizers"]), Some(&json!(["z"])));
}

#[test]
fn what_comes_out_is_read_by_the_rules_of_the_kind() {
    let patched = apply_checked(PatchKind::Merge, &map(), br#"{"data":{"b":"2","b":"3"},"foo":1}"#).expect("applies");
    assert_eq!(patched.faults, [r#"duplicate field "data.b""#, r#"unknown field "foo""#]);
    assert_eq!(patched.object.at(&["foo"]), None);
    let status = patched.strict().expect_err("has faults");
    assert_eq!(status.code, 422);
    assert!(
        status.message.ends_with(r#"strict decoding error: duplicate field "data.b", unknown field "foo""#),
        "{status}"
    );
    let status = apply_checked(PatchKind::Merge, &map(), br#"{"data":1}"#).expect_err("has the wrong type");
    assert_eq!(status.code, 422);
    assert!(
        status
            .message
            .contains("json: cannot unmarshal number into Go struct field ConfigMap.data of type map[string]string")
    );
}
