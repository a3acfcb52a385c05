use serde_json::{Value, json};

use super::*;

fn told(schema: Value, status: bool) -> String {
    let strict = Strictness {
        types: true,
        structural: true,
        pruned_defaults: true,
        atomic_sets: true,
        map_keys: true,
        rules: None,
    };
    check(&Schema::parse(&schema).expect("a schema"), &Path::new("v"), status, &strict).to_string()
}

fn object(property: Value) -> Value {
    json!({"type": "object", "properties": {"a": property}})
}

#[test]
fn good_schemas_are_taken() {
    for schema in [
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        object(json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]})),
        object(json!({"type": "object", "default": {}, "properties": {"b": {"type": "string", "default": "x"}}})),
        object(json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}}})),
        json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}}),
    ] {
        assert_eq!(told(schema.clone(), true), "", "{schema}");
    }
}

#[test]
fn bad_schemas_are_refused_in_the_words_of_upstream() {
    let at = "v.openAPIV3Schema";
    for (schema, expected) in [
        (json!({}), format!("{at}.type: Required value: must not be empty at the root")),
        (object(json!({})), format!("{at}.properties[a].type: Required value: must not be empty for specified object fields")),
        (object(json!({"type": "array"})), format!("{at}.properties[a].items: Required value: must be specified")),
        (object(json!({"type": "string", "anyOf": [{"type": "string"}]})),
            format!("{at}.properties[a].anyOf[0].type: Forbidden: must be empty to be structural")),
        (object(json!({"type": "string", "default": 1})),
            format!("{at}.properties[a].default: Invalid value: \"integer\": {at}.properties[a].default in body must be of type string: \"integer\"")
                .replace(&format!("{at}.properties[a].default in body"), " in body")),
        (object(json!({"type": "object", "default": {"x": 1}, "properties": {"b": {"type": "string"}}})),
            format!("{at}.properties[a].default: Invalid value: {{\"x\":1}}: must not have unknown fields")),
        (object(json!({"type": "string", "pattern": "("})),
            format!("{at}.properties[a].pattern: Invalid value: \"(\": must be a valid regular expression, but isn't: unclosed group")),
        (object(json!({"type": "array", "uniqueItems": true, "items": {"type": "string"}})),
            format!("{at}.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic")),
        (object(json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": {"type": "string"}}}})),
            format!("{at}.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property")),
        (json!({"type": "object", "$ref": "x"}), format!("{at}.$ref: Forbidden: $ref is not supported")),
        (json!({"type": "object", "anyOf": [{"properties": {"b": {"minimum": 1}}}]}),
            format!("{at}.properties[b]: Required value: because it is defined in {at}.anyOf[0].properties[b]")),
    ] {
        assert_eq!(told(schema.clone(), false), expected, "{schema}");
    }
}

#[test]
fn beside_a_status_the_root_says_little() {
    let schema = json!({"type": "object", "minProperties": 1});
    assert!(told(schema, true).contains("are allowed at the root of the schema if the status subresource is enabled"));
}
