//! What is asked of lists that are sets or maps, and of maps that are atomic.

use crate::field::{Errors, Path};
use crate::structural::Schema;

/// `x-kubernetes-map-type`, `-list-type` and `-list-map-keys`.
pub(super) fn check(schema: &Schema, path: &Path, atomic_sets: bool, errors: &mut Errors) {
    if let Some(kind) = &schema.map_type {
        typed(schema, path, "object", "x-kubernetes-map-type", errors);
        if !matches!(kind.as_str(), "atomic" | "granular") {
            errors.not_supported(&path.child("x-kubernetes-map-type"), kind.as_str(), &["atomic", "granular"]);
        }
    }
    let at = path.child("x-kubernetes-list-type");
    if let Some(kind) = &schema.list_type {
        if schema.kind != "array" {
            typed(schema, path, "array", "x-kubernetes-list-type", errors);
        } else if atomic_sets {
            errors.extend(set_items(schema, path));
        }
        if !matches!(kind.as_str(), "atomic" | "set" | "map") {
            errors.not_supported(&at, kind.as_str(), &["atomic", "set", "map"]);
        }
    }
    if !schema.map_keys.is_empty() {
        let why = "must be map if x-kubernetes-list-map-keys is non-empty";
        match schema.list_type.as_deref() {
            None => errors.required(&at, why),
            Some("map") => {}
            Some(other) => errors.invalid(&at, other, why),
        }
    }
    if schema.list_type.as_deref() == Some("map") {
        map(schema, path, errors);
    }
}

fn typed(schema: &Schema, path: &Path, kind: &str, extension: &str, errors: &mut Errors) {
    let why = format!("must be {kind} if {extension} is specified");
    match schema.kind.as_str() {
        "" => errors.required(&path.child("type"), why),
        other if other != kind => errors.invalid(&path.child("type"), other, why),
        _ => {}
    }
}

/// Items of a set are told apart as wholes.
pub(super) fn set_items(schema: &Schema, path: &Path) -> Errors {
    let mut errors = Errors::default();
    let Some(item) = schema.item().filter(|_| schema.list_type.as_deref() == Some("set")) else { return errors };
    let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let at = path.child("items");
    let list_type = item.list_type.clone();
    match item.kind.as_str() {
        "array" if item.list_type() != "atomic" => {
            errors.invalid(&at.child("x-kubernetes-list-type"), list_type, why);
        }
        "object" if item.map_type.as_deref() != Some("atomic") => {
            errors.invalid(&at.child("x-kubernetes-map-type"), list_type, why);
        }
        _ => {}
    }
    errors
}

fn map(schema: &Schema, path: &Path, errors: &mut Errors) {
    let at = path.child("x-kubernetes-list-map-keys");
    if schema.map_keys.is_empty() {
        errors.required(&at, "must not be empty if x-kubernetes-list-type is map");
    }
    let items = path.child("items");
    let Some(item) = schema.item() else {
        if schema.items.is_none() {
            errors.required(&items, "must have a schema if x-kubernetes-list-type is map");
        } else {
            errors.invalid(&items, "", "must only have a single schema if x-kubernetes-list-type is map");
        }
        return;
    };
    if item.kind != "object" {
        let why = "must be object if parent array's x-kubernetes-list-type is map";
        return errors.invalid(&items.child("type"), item.kind.as_str(), why);
    }
    for (index, key) in schema.map_keys.iter().enumerate() {
        match item.properties.get(key) {
            Some(property) if matches!(property.kind.as_str(), "array" | "object") => {
                let why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
                errors.invalid(&items.child("properties").key(key).child("type"), item.kind.as_str(), why);
            }
            Some(_) => {}
            None => errors.invalid(&at, schema.map_keys.clone(), "entries must all be names of item properties"),
        }
        if schema.map_keys[..index].contains(key) {
            errors.invalid(&at, schema.map_keys.clone(), "must not contain duplicate entries");
        }
    }
}

/// Keys of a map are there; items of sets and maps are not null.
pub(super) fn keys(schema: &Schema, path: &Path) -> Errors {
    let mut errors = Errors::default();
    let kind = schema.list_type();
    let Some(item) = schema.item().filter(|_| matches!(kind, "set" | "map")) else { return errors };
    let items = path.child("items");
    if item.nullable {
        errors.forbidden(&items.child("nullable"), format!("cannot be nullable when x-kubernetes-list-type is {kind}"));
    }
    for key in schema.map_keys.iter().filter(|_| kind == "map") {
        let Some(property) = item.properties.get(key) else { continue };
        let at = items.child("properties").key(key);
        if !item.required.contains(key) && property.default.is_none() {
            let why =
                "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
            errors.required(&at.child("default"), why);
        }
        if property.nullable {
            let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.forbidden(&at.child("nullable"), why);
        }
    }
    errors
}
