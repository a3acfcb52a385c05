//! The schemas of custom resources.

use serde_json::{Map, Value, json};

use super::components::{EXTENSION, extension};
use super::{Dialect, ResourceInfo, names};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// The schemas of a custom resource and of its lists.
pub(super) fn schemas(resource: &ResourceInfo, schema: &Value, dialect: Dialect) -> [(String, Value); 2] {
    let list = names::list_gvk(resource);
    let name = names::component(&resource.gvk);
    let object = object(resource, schema.clone(), dialect);
    let items = json!({"$ref": names::reference(&name, dialect)});
    let metadata = json!({"$ref": names::reference(&format!("{META}.ListMeta"), dialect)});
    let list_schema = json!({
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "items": {"type": "array", "items": items},
            "kind": {"type": "string"},
            "metadata": metadata,
        },
        EXTENSION: [extension(&list)],
    });
    [(name, object), (names::component(&list), list_schema)]
}

/// The published form of a definition's schema: with metadata, and in v2 without what v2 cannot say.
fn object(resource: &ResourceInfo, schema: Value, dialect: Dialect) -> Value {
    let mut schema = publish(schema, dialect);
    if !schema.is_object() || schema.get("x-kubernetes-preserve-unknown-fields").is_some() && dialect == Dialect::V2 {
        schema = json!({});
    }
    let Some(root) = schema.as_object_mut() else { return schema };
    root.entry("type").or_insert_with(|| json!("object"));
    let is_open = root.get("x-kubernetes-preserve-unknown-fields").is_some();
    if root.contains_key("properties") || !is_open {
        let properties = root.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert("apiVersion".into(), json!({"type": "string"}));
            properties.insert("kind".into(), json!({"type": "string"}));
            let metadata = names::reference(&format!("{META}.ObjectMeta"), dialect);
            properties.insert("metadata".into(), json!({"$ref": metadata}));
        }
    }
    root.insert(EXTENSION.into(), json!([extension(&resource.gvk)]));
    schema
}

/// Drops what Go omits, and in v2 also what that language has no words for.
fn publish(schema: Value, dialect: Dialect) -> Value {
    let Value::Object(mut map) = schema else { return schema };
    map.retain(|key, value| key == "default" || !is_zero(value));
    if dialect == Dialect::V2 {
        reduce(&mut map);
    }
    for (key, value) in &mut map {
        match (key.as_str(), value.is_object()) {
            ("properties" | "patternProperties" | "definitions", true) => each(value, dialect),
            ("items" | "additionalProperties" | "not", true) => *value = publish(value.take(), dialect),
            ("allOf" | "anyOf" | "oneOf", _) => each(value, dialect),
            _ => {}
        }
    }
    Value::Object(map)
}

fn each(values: &mut Value, dialect: Dialect) {
    match values {
        Value::Object(map) => map.values_mut().for_each(|value| *value = publish(value.take(), dialect)),
        Value::Array(items) => items.iter_mut().for_each(|value| *value = publish(value.take(), dialect)),
        _ => {}
    }
}

/// v2 knows neither null, nor alternatives, nor defaults that depend on them.
fn reduce(map: &mut Map<String, Value>) {
    for key in ["allOf", "anyOf", "oneOf", "not", "default", "x-kubernetes-validations"] {
        map.shift_remove(key);
    }
    let is_nullable = map.shift_remove("nullable").is_some();
    if is_nullable || map.contains_key("x-kubernetes-int-or-string") {
        for key in ["type", "items", "properties", "additionalProperties"] {
            map.shift_remove(key);
        }
    }
    if map.contains_key("x-kubernetes-preserve-unknown-fields") {
        for key in ["items", "properties", "additionalProperties"] {
            map.shift_remove(key);
        }
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::String(s) => s.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(_) | Value::Number(_) => false,
    }
}
