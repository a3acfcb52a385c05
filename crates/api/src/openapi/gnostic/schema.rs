//! Schemas of a v2 document.

use serde_json::Value;

use super::{Object, any, child, extensions, flag, list, named, text, texts};
use crate::wire::parts::{double, nested, varint};

/// Writes the fields of a `Schema`.
pub(super) fn write(out: &mut Vec<u8>, schema: &Object) {
    for (tag, key) in [(1, "$ref"), (2, "format"), (3, "title"), (4, "description"), (13, "pattern")] {
        text(out, tag, schema, key);
    }
    if let Some(default) = schema.get("default") {
        any(out, 5, default);
    }
    for (tag, key) in [(6, "multipleOf"), (7, "maximum"), (9, "minimum")] {
        if let Some(number) = schema.get(key).and_then(Value::as_f64) {
            double(out, tag, number);
        }
    }
    for (tag, key) in [(8, "exclusiveMaximum"), (10, "exclusiveMinimum"), (16, "uniqueItems")] {
        flag(out, tag, schema, key);
    }
    let counts = [
        (11, "maxLength"),
        (12, "minLength"),
        (14, "maxItems"),
        (15, "minItems"),
        (17, "maxProperties"),
        (18, "minProperties"),
    ];
    for (tag, key) in counts {
        if let Some(count) = schema.get(key).and_then(Value::as_u64) {
            varint(out, tag, count);
        }
    }
    texts(out, 19, schema, "required");
    list(schema, "enum").for_each(|value| any(out, 20, value));
    compound(out, schema);
    if schema.contains_key("example") {
        any(out, 30, &schema["example"]);
    }
    extensions(out, 31, schema);
}

fn compound(out: &mut Vec<u8>, schema: &Object) {
    match schema.get("additionalProperties") {
        Some(Value::Object(inner)) => nested(out, 21, |out| nested(out, 1, |out| write(out, inner))),
        Some(Value::Bool(allowed)) => nested(out, 21, |out| varint(out, 2, u64::from(*allowed))),
        _ => {}
    }
    if schema.contains_key("type") {
        nested(out, 22, |out| text(out, 1, schema, "type"));
    }
    child(out, 23, schema, "items", |out, item| nested(out, 1, |out| write(out, item)));
    for inner in list(schema, "allOf").filter_map(Value::as_object) {
        nested(out, 24, |out| write(out, inner));
    }
    child(out, 25, schema, "properties", |out, properties| named(out, 1, properties, write));
}
