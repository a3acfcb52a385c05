//! Faults of custom objects (`k8s.io/apiextensions-apiserver/pkg/registry/customresource`). Metadata has been
//! checked by the verb.

use nakhoda_api::field::{Errors, Fault, Path};
use nakhoda_api::structural::{embedded, lists, validate};
use nakhoda_api::{Object, names};
use serde_json::Value;

use super::scale::Paths;
use super::strategy::Custom;

/// Faults of an object, or of its status alone.
#[must_use]
pub fn check(kind: &Custom, status: bool, new: &Object, old: Option<&Object>) -> Errors {
    let value = new.clone().into_value();
    let before = old.cloned().map(Object::into_value);
    let mut errors = Errors::default();
    if status {
        if let (Some(new), Some(schema)) = (value.get("status"), kind.schema.properties.get("status")) {
            let old = before.as_ref().and_then(|old| old.get("status"));
            errors.extend(validate::validate(new, old, schema, "status"));
        }
    } else {
        errors.extend(validate::validate(&value, before.as_ref(), &kind.schema, ""));
        if let Some(scale) = &kind.scale {
            replicas(&value, &scale.wanted, &scale.told, &mut errors);
        }
    }
    if let Some(scale) = &kind.scale {
        replicas(&value, &scale.present, &scale.told_present, &mut errors);
        selector(&value, scale, &mut errors);
    }
    if !status {
        errors.extend(embedded::check(&value, &kind.schema));
    }
    let were_sound = before.as_ref().is_none_or(|old| lists::check(old, &kind.schema).is_empty());
    if were_sound {
        errors.extend(lists::check(&value, &kind.schema));
    }
    errors
}

fn replicas(object: &Value, path: &[String], told: &str, errors: &mut Errors) {
    let Some(value) = at(object, path) else { return };
    let path = Path::new(told);
    match value.as_i64() {
        None => {
            let kind = go_kind(value);
            errors.invalid(&path, 0, format!("{told} accessor error: {kind} is of the type {kind}, expected int64"));
        }
        Some(count) if count < 0 => errors.invalid(&path, count, "should be a non-negative integer"),
        Some(count) if count > i64::from(i32::MAX) => {
            errors.invalid(&path, count, format!("should be less than or equal to {}", i32::MAX));
        }
        Some(_) => {}
    }
}

fn selector(object: &Value, scale: &Paths, errors: &mut Errors) {
    let Some(value) = at(object, &scale.selector).filter(|value| !value.is_string()) else { return };
    let path = format!(".{}", scale.selector.join("."));
    let kind = go_kind(value);
    let why = format!("{path} accessor error: {value} is of the type {kind}, expected string");
    errors.push(&Path::new(path), Fault::Invalid("".into()), why);
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// The value at a path; nothing if the path is empty.
fn at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    if path.is_empty() { None } else { path.iter().try_fold(object, |value, step| value.get(step)) }
}

/// What clients are told of new finalizers.
#[must_use]
pub fn warnings(new: &Object, old: Option<&Object>) -> Vec<String> {
    let known: Vec<&str> = old.into_iter().flat_map(Object::finalizers).collect();
    let mut added: Vec<&str> = new.finalizers().filter(|finalizer| !known.contains(finalizer)).collect();
    added.sort_unstable();
    added.dedup();
    let mut told = Vec::new();
    for finalizer in added {
        let at = format!("metadata.finalizers: {finalizer:?}");
        told.extend(names::is_qualified_name(finalizer).iter().map(|fault| format!("{at}: {fault}")));
        if !finalizer.contains('/') && !["orphan", "foregroundDeletion", "kubernetes"].contains(&finalizer) {
            let path = if finalizer.contains('.') { " including a path (/)" } else { "" };
            told.push(format!(
                "{at}: prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers"
            ));
        }
    }
    told
}
