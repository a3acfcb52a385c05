//! The protobuf form of a v2 document (`openapi.v2.Document` of gnostic), written from its JSON.
//!
//! Holds the messages that our documents use. What is not one of them (licences, examples, headers,
//! OAuth, references among parameters) is absent here and there.

mod schema;

use serde_json::{Map, Value};

use crate::wire::parts::{length_delimited, nested, varint};

pub(super) type Object = Map<String, Value>;

/// The whole document.
pub(super) fn document(document: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    let Some(root) = document.as_object() else { return out };
    text(&mut out, 1, root, "swagger");
    child(&mut out, 2, root, "info", |out, info| {
        text(out, 1, info, "title");
        text(out, 2, info, "version");
    });
    child(&mut out, 8, root, "paths", |out, paths| named(out, 2, paths, path));
    child(&mut out, 9, root, "definitions", |out, definitions| named(out, 1, definitions, schema::write));
    for requirement in list(root, "security").filter_map(Value::as_object) {
        nested(&mut out, 12, |out| {
            for name in requirement.keys() {
                nested(out, 1, |out| {
                    length_delimited(out, 1, name.as_bytes());
                    length_delimited(out, 2, b"");
                });
            }
        });
    }
    child(&mut out, 13, root, "securityDefinitions", |out, definitions| {
        named(out, 1, definitions, |out, key| {
            nested(out, 2, |out| {
                text(out, 1, key, "type");
                text(out, 2, key, "name");
                text(out, 3, key, "in");
                text(out, 4, key, "description");
            });
        });
    });
    out
}

fn path(out: &mut Vec<u8>, path: &Object) {
    for (tag, method) in [(2, "get"), (3, "put"), (4, "post"), (5, "delete"), (8, "patch")] {
        child(out, tag, path, method, operation);
    }
    for item in list(path, "parameters").filter_map(Value::as_object) {
        nested(out, 9, |out| parameter(out, item));
    }
}

fn operation(out: &mut Vec<u8>, operation: &Object) {
    texts(out, 1, operation, "tags");
    text(out, 5, operation, "operationId");
    texts(out, 6, operation, "produces");
    texts(out, 7, operation, "consumes");
    for item in list(operation, "parameters").filter_map(Value::as_object) {
        nested(out, 8, |out| parameter(out, item));
    }
    child(out, 9, operation, "responses", |out, responses| {
        named(out, 1, responses, |out, response| nested(out, 1, |out| self::response(out, response)));
    });
    texts(out, 10, operation, "schemes");
    extensions(out, 13, operation);
}

fn response(out: &mut Vec<u8>, response: &Object) {
    text(out, 1, response, "description");
    child(out, 2, response, "schema", |out, item| nested(out, 1, |out| schema::write(out, item)));
}

/// A `ParametersItem` around a `Parameter` around one of its kinds.
fn parameter(out: &mut Vec<u8>, parameter: &Object) {
    let place = parameter.get("in").and_then(Value::as_str).unwrap_or_default();
    nested(out, 1, |out| match place {
        "body" => nested(out, 1, |out| {
            text(out, 2, parameter, "name");
            text(out, 3, parameter, "in");
            flag(out, 4, parameter, "required");
            child(out, 5, parameter, "schema", schema::write);
        }),
        _ => nested(out, 2, |out| {
            let is_query = place == "query";
            // The two kinds differ in one field that only queries have.
            let shift = u32::from(is_query);
            nested(out, if is_query { 3 } else { 4 }, |out| {
                flag(out, 1, parameter, "required");
                text(out, 2, parameter, "in");
                text(out, 4, parameter, "name");
                text(out, 5 + shift, parameter, "type");
                flag(out, 19 + shift, parameter, "uniqueItems");
            });
        }),
    });
}

// === the parts of messages ===

/// A nested message, if the key is there.
pub(super) fn child(out: &mut Vec<u8>, tag: u32, of: &Object, key: &str, write: impl FnOnce(&mut Vec<u8>, &Object)) {
    if let Some(Value::Object(value)) = of.get(key) {
        nested(out, tag, |out| write(out, value));
    }
}

/// A map as gnostic writes it: one message with name and value for each entry.
pub(super) fn named(out: &mut Vec<u8>, tag: u32, map: &Object, write: impl Fn(&mut Vec<u8>, &Object)) {
    for (name, value) in map {
        nested(out, tag, |out| {
            length_delimited(out, 1, name.as_bytes());
            nested(out, 2, |out| value.as_object().into_iter().for_each(|value| write(out, value)));
        });
    }
}

/// `x-…` keys: a name and a text in YAML, of which JSON is a part.
pub(super) fn extensions(out: &mut Vec<u8>, tag: u32, of: &Object) {
    for (name, value) in of.iter().filter(|(name, _)| name.starts_with("x-")) {
        nested(out, tag, |out| {
            length_delimited(out, 1, name.as_bytes());
            any(out, 2, value);
        });
    }
}

pub(super) fn any(out: &mut Vec<u8>, tag: u32, value: &Value) {
    nested(out, tag, |out| length_delimited(out, 2, format!("{value}\n").as_bytes()));
}

pub(super) fn text(out: &mut Vec<u8>, tag: u32, of: &Object, key: &str) {
    if let Some(text) = of.get(key).and_then(Value::as_str) {
        length_delimited(out, tag, text.as_bytes());
    }
}

pub(super) fn texts(out: &mut Vec<u8>, tag: u32, of: &Object, key: &str) {
    for text in list(of, key).filter_map(Value::as_str) {
        length_delimited(out, tag, text.as_bytes());
    }
}

pub(super) fn flag(out: &mut Vec<u8>, tag: u32, of: &Object, key: &str) {
    if of.get(key) == Some(&Value::Bool(true)) {
        varint(out, tag, 1);
    }
}

pub(super) fn list<'a>(of: &'a Object, key: &str) -> impl Iterator<Item = &'a Value> {
    of.get(key).and_then(Value::as_array).into_iter().flatten()
}
