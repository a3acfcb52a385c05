use serde_json::json;

use super::*;

fn faults(schema: Value, value: Value, old: Option<Value>) -> String {
    let schema = Schema::parse(&json!({"type": "object", "properties": {"a": schema}})).expect("a schema");
    let old = old.map(|old| json!({"a": old}));
    validate(&json!({"a": value}), old.as_ref(), &schema, "").to_string()
}

#[test]
fn faults_of_scalars_are_told_in_the_words_of_upstream() {
    for (schema, value, told) in [
        (
            json!({"type": "integer"}),
            json!("x"),
            r#"a: Invalid value: "string": a in body must be of type integer: "string""#,
        ),
        (
            json!({"type": "integer"}),
            json!(1.5),
            r#"[a: Invalid value: "number": a in body must be of type integer: "number", <nil>: Invalid value: "": Checked value must be of type integer (default format) in a]"#,
        ),
        (json!({"type": "integer"}), json!(2.0), ""),
        (
            json!({"type": "integer"}),
            json!(null),
            r#"a: Invalid value: "null": a in body must be of type integer: "null""#,
        ),
        (json!({"type": "integer", "nullable": true}), json!(null), ""),
        (json!({"type": "number"}), json!(2), ""),
        (
            json!({"type": "integer", "minimum": 1}),
            json!(0),
            "a: Invalid value: 0: a in body should be greater than or equal to 1",
        ),
        (
            json!({"type": "number", "maximum": 1.5, "exclusiveMaximum": true}),
            json!(1.5),
            "a: Invalid value: 1.5: a in body should be less than 1.5",
        ),
        (
            json!({"type": "integer", "multipleOf": 5}),
            json!(7),
            "a: Invalid value: 7: a in body should be a multiple of 5",
        ),
        (
            json!({"type": "string", "enum": ["x", "y"]}),
            json!("z"),
            r#"a: Unsupported value: "z": supported values: "x", "y""#,
        ),
        (json!({"type": "string", "maxLength": 1}), json!("zz"), "a: Too long: may not be more than 1 bytes"),
        (
            json!({"type": "string", "minLength": 1}),
            json!(""),
            r#"a: Invalid value: "": a in body should be at least 1 chars long"#,
        ),
        (
            json!({"type": "string", "pattern": "^x$"}),
            json!("y"),
            r#"a: Invalid value: "y": a in body should match '^x$'"#,
        ),
        (
            json!({"type": "string", "format": "ipv4"}),
            json!("y"),
            r#"a: Invalid value: "y": a in body must be of type ipv4: "y""#,
        ),
    ] {
        assert_eq!(faults(schema.clone(), value.clone(), None), told, "{value} against {schema}");
    }
}

#[test]
fn faults_of_lists_objects_and_alternatives_are_told_in_the_words_of_upstream() {
    for (schema, value, told) in [
        (
            json!({"type": "array", "maxItems": 1, "items": {"type": "string"}}),
            json!(["b", "c"]),
            "a: Too many: 2: must have at most 1 items",
        ),
        (
            json!({"type": "array", "items": {"type": "string"}}),
            json!([1]),
            r#"a[0]: Invalid value: "integer": a[0] in body must be of type string: "integer""#,
        ),
        (json!({"type": "object", "required": ["b"]}), json!({}), "a.b: Required value"),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            json!({"k": 1}),
            r#"a.k: Invalid value: "integer": a.k in body must be of type string: "integer""#,
        ),
        (json!({"x-kubernetes-int-or-string": true}), json!("http"), ""),
        (
            json!({"x-kubernetes-int-or-string": true}),
            json!(true),
            r#"a: Invalid value: "boolean": a in body must be of type integer,string: "boolean""#,
        ),
        (
            json!({"not": {"enum": [1]}}),
            json!(1),
            r#"<nil>: Invalid value: "": "a" must not validate the schema (not)"#,
        ),
        (
            json!({"anyOf": [{"minimum": 3}, {"enum": [1]}]}),
            json!(2),
            r#"[<nil>: Invalid value: "": "a" must validate at least one schema (anyOf), a: Invalid value: 2: a in body should be greater than or equal to 3]"#,
        ),
        (
            json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}),
            json!(2),
            r#"<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). Found 2 valid alternatives"#,
        ),
    ] {
        assert_eq!(faults(schema.clone(), value.clone(), None), told, "{value} against {schema}");
    }
}

#[test]
fn what_an_update_leaves_as_it_was_is_forgiven() {
    let schema =
        json!({"type": "object", "properties": {"b": {"type": "integer", "minimum": 1}, "c": {"type": "string"}}});
    let old = json!({"b": 0, "c": "x"});
    assert_eq!(faults(schema.clone(), json!({"b": 0, "c": "y"}), Some(old.clone())), "");
    assert!(faults(schema, json!({"b": -1, "c": "x"}), Some(old)).contains("a.b: Invalid value: -1"));
}

#[test]
fn items_are_known_again_by_their_keys() {
    let list = |kind: &str| {
        json!({"type": "array", "x-kubernetes-list-type": kind, "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": {"type": "string"}, "v": {"type": "integer", "maximum": 1}}}})
    };
    let old = json!([{"k": "a", "v": 5}]);
    let new = json!([{"k": "b", "v": 1}, {"k": "a", "v": 5}]);
    assert_eq!(faults(list("map"), new.clone(), Some(old.clone())), "");
    assert!(faults(list("atomic"), new, Some(old)).contains("a[1].v"));
}
