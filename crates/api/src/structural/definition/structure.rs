//! What makes a schema structural: every value has one type that stands outside of all conditions.

use super::completeness;
use crate::field::{Errors, Path};
use crate::structural::{Additional, Schema};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

/// Faults, in the order of their texts.
#[must_use]
pub fn check(schema: &Schema, path: &Path) -> Errors {
    let mut errors = Errors::default();
    invariants(schema, Level::Root, path, &mut errors);
    completeness::check(schema, schema, path, path, &mut errors);
    errors.sort();
    errors
}

fn invariants(schema: &Schema, level: Level, path: &Path, errors: &mut Errors) {
    if schema.kind == "array" && schema.item().is_none() {
        errors.required(&path.child("items"), "must be specified");
    }
    if let Some(item) = schema.item() {
        invariants(item, Level::Item, &path.child("items"), errors);
    }
    for (name, property) in &schema.properties {
        invariants(property, Level::Field, &path.child("properties").key(name), errors);
    }
    if let Some(additional) = &schema.additional_properties {
        let at = path.child("additionalProperties");
        if level == Level::Root {
            errors.forbidden(&at, "must not be used at the root");
        }
        if let Additional::Of(value) = additional {
            invariants(value, Level::Field, &at, errors);
        }
    }
    extensions(schema, path, errors);
    let skip_any = is_int_or_string(&schema.any_of);
    let skip_first = schema.all_of.first().is_some_and(|first| is_int_or_string(&first.any_of));
    conditions(schema, skip_any, skip_first, path, errors);
    types(schema, level, path, errors);
    metadata(schema, level, path, errors);
}

fn extensions(schema: &Schema, path: &Path, errors: &mut Errors) {
    let why = "must be false if x-kubernetes-int-or-string is true";
    if schema.int_or_string && schema.preserves() {
        errors.invalid(&path.child("x-kubernetes-preserve-unknown-fields"), true, why);
    }
    if schema.int_or_string && schema.embedded {
        errors.invalid(&path.child("x-kubernetes-embedded-resource"), true, why);
    }
}

fn types(schema: &Schema, level: Level, path: &Path, errors: &mut Errors) {
    let (at, kind) = (path.child("type"), schema.kind.as_str());
    if schema.embedded && kind != "object" {
        let why = "must be object if x-kubernetes-embedded-resource is true";
        if kind.is_empty() { errors.required(&at, why) } else { errors.invalid(&at, kind, why) }
    } else if kind.is_empty() && !schema.int_or_string && !schema.preserves() {
        let why = match level {
            Level::Root => "must not be empty at the root",
            Level::Item => "must not be empty for specified array items",
            Level::Field => "must not be empty for specified object fields",
        };
        errors.required(&at, why);
    }
    if schema.embedded && schema.additional_properties.is_some() {
        let why = "must not be used if x-kubernetes-embedded-resource is set";
        errors.forbidden(&path.child("additionalProperties"), why);
    }
    if level == Level::Root && !kind.is_empty() && kind != "object" {
        errors.invalid(&at, kind, "must be object at the root");
    }
}

fn metadata(schema: &Schema, level: Level, path: &Path, errors: &mut Errors) {
    let is_object = level == Level::Root || schema.embedded;
    for field in ["kind", "apiVersion"] {
        if let Some(property) = schema.properties.get(field).filter(|p| is_object && p.kind != "string") {
            let at = path.child("properties").key(field).child("type");
            errors.invalid(&at, property.kind.as_str(), "must be string");
        }
    }
    if let Some(metadata) = schema.properties.get("metadata") {
        let at = path.child("properties").key("metadata");
        if is_object && metadata.kind != "object" {
            errors.invalid(&at.child("type"), metadata.kind.as_str(), "must be object");
        }
        if level == Level::Root && !is_bare(metadata) {
            let why =
                "must not specify anything other than name and generateName, but metadata is implicitly specified";
            errors.forbidden(&at, why);
        }
    }
    if schema.embedded && !schema.preserves() && schema.properties.is_empty() {
        let why =
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        errors.required(&path.child("properties"), why);
    }
}

/// Whether nothing is said of metadata but of its names.
fn is_bare(metadata: &Schema) -> bool {
    let mut rest = metadata.clone();
    if rest.properties.keys().all(|name| name == "name" || name == "generateName") {
        rest.properties.clear();
    }
    rest.kind.clear();
    rest.default = None;
    rest == Schema::default()
}

fn is_int_or_string(any_of: &[Schema]) -> bool {
    let only = |kind: &str| Schema { kind: kind.into(), ..Schema::default() };
    matches!(any_of, [a, b] if *a == only("integer") && *b == only("string"))
}

fn conditions(schema: &Schema, skip_any: bool, skip_first: bool, path: &Path, errors: &mut Errors) {
    if !skip_any {
        for (index, nested) in schema.any_of.iter().enumerate() {
            condition(nested, false, &path.child("anyOf").index(index), errors);
        }
    }
    for (index, nested) in schema.all_of.iter().enumerate() {
        condition(nested, skip_first && index == 0, &path.child("allOf").index(index), errors);
    }
    for (index, nested) in schema.one_of.iter().enumerate() {
        condition(nested, false, &path.child("oneOf").index(index), errors);
    }
    if let Some(nested) = &schema.not {
        condition(nested, false, &path.child("not"), errors);
    }
    let pattern = schema.pattern.as_str();
    if let (false, Err(why)) = (pattern.is_empty(), schema.pattern.regex()) {
        let why = format!("must be a valid regular expression, but isn't: {why}");
        errors.invalid(&path.child("pattern"), pattern, why);
    }
}

/// What may not stand under a condition.
fn condition(schema: &Schema, skip_any: bool, path: &Path, errors: &mut Errors) {
    conditions(schema, skip_any, false, path, errors);
    if let Some(item) = schema.item() {
        condition(item, false, &path.child("items"), errors);
    }
    for (name, property) in &schema.properties {
        condition(property, false, &path.child("properties").key(name), errors);
    }
    let (empty, undefined, no) =
        ("must be empty to be structural", "must be undefined to be structural", "must be false to be structural");
    let additional = !matches!(schema.additional_properties, None | Some(Additional::Any(false)));
    for (found, field, why) in [
        (!schema.kind.is_empty(), "type", empty),
        (additional, "additionalProperties", undefined),
        (schema.default.is_some(), "default", undefined),
        (!schema.title.is_empty(), "title", empty),
        (!schema.description.is_empty(), "description", empty),
        (schema.nullable, "nullable", no),
        (schema.preserves(), "x-kubernetes-preserve-unknown-fields", no),
        (schema.embedded, "x-kubernetes-embedded-resource", no),
        (schema.int_or_string, "x-kubernetes-int-or-string", no),
        (!schema.map_keys.is_empty(), "x-kubernetes-list-map-keys", empty),
        (schema.list_type.is_some(), "x-kubernetes-list-type", undefined),
        (schema.map_type.is_some(), "x-kubernetes-map-type", undefined),
        (!schema.rules.is_empty(), "x-kubernetes-validations", empty),
    ] {
        if found {
            errors.forbidden(&path.child(field), why);
        }
    }
    if schema.properties.contains_key("metadata") {
        let at = path.child("properties").key("metadata");
        errors.forbidden(&at, "must not be specified in a nested context");
    }
}
