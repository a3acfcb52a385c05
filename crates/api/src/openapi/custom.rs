//! The schemas of custom resources.

use serde_json::{Map, Value, json};

use super::components::{EXTENSION, extension};
use super::{Dialect, ResourceInfo, names};
use crate::schema::prose::Prose;

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

const CONVENTIONS: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

/// The schemas of a custom resource and of its lists.
pub(super) fn schemas(
    resource: &ResourceInfo,
    schema: &Value,
    dialect: Dialect,
    prose: &Prose,
) -> [(String, Value); 2] {
    let list = names::list_gvk(resource);
    let name = names::component(&resource.gvk);
    let object = object(resource, schema.clone(), dialect, prose);
    let items = json!({"$ref": names::reference(&name, dialect)});
    let said = format!("Standard list metadata. More info: {CONVENTIONS}#types-kinds");
    let list_schema = json!({
        "description": format!("{} is a list of {}", list.kind, resource.gvk.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": type_field("apiVersion", prose),
            "items": {
                "description": format!("List of {}. More info: {CONVENTIONS}", resource.plural),
                "type": "array",
                "items": items,
            },
            "kind": type_field("kind", prose),
            "metadata": metadata("ListMeta", &said, dialect),
        },
        EXTENSION: [extension(&list)],
    });
    [(name, object), (names::component(&list), list_schema)]
}

/// `apiVersion` or `kind`.
fn type_field(name: &str, prose: &Prose) -> Value {
    json!({"description": prose.of(&format!("meta/v1.TypeMeta.{name}")), "type": "string"})
}

fn metadata(kind: &str, said: &str, dialect: Dialect) -> Value {
    let target = json!({"$ref": names::reference(&format!("{META}.{kind}"), dialect)});
    match dialect {
        Dialect::V2 => json!({"description": said, "$ref": target["$ref"]}),
        Dialect::V3 => json!({"description": said, "allOf": [target]}),
    }
}

/// The published form of a definition's schema: with metadata, and in v2 without what v2 cannot say.
fn object(resource: &ResourceInfo, schema: Value, dialect: Dialect, prose: &Prose) -> Value {
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
            for name in ["apiVersion", "kind"] {
                properties.insert(name.into(), type_field(name, prose));
            }
            let said = format!("Standard object's metadata. More info: {CONVENTIONS}#metadata");
            properties.insert("metadata".into(), metadata("ObjectMeta", &said, dialect));
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
