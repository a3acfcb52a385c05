//! Faults of custom objects (`k8s.io/apiextensions-apiserver/pkg/registry/customresource`). Metadata has been
//! checked by the verb.

use nakhoda_api::field::{Errors, Fault, Path};
use nakhoda_api::structural::{embedded, expressions, lists, validate};
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
            // the status is judged by itself, and its faults are told as those of the object
            for error in validate::validate(new, old, schema, "").iter() {
                let told = error.path.as_str();
                let path = if told.is_empty() { error.path.clone() } else { Path::new("status").child(told) };
                errors.push(&path, error.fault.clone(), error.detail.clone());
            }
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
    if let Some(rules) = &kind.rules {
        if expressions::is_blocked(&errors) {
            let why = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
            errors.invalid(&Path::default(), Value::Null, why);
        } else {
            errors.extend(rules.check(&value, before.as_ref(), &kind.schema));
        }
    }
    errors
}

fn replicas(object: &Value, path: &[String], told: &str, errors: &mut Errors) {
    let value = match at(object, path) {
        Ok(None) => return,
        Ok(Some(value)) => value,
        Err(other) => return errors.invalid(&Path::new(told), 0, misplaced(told, other, "map[string]interface{}")),
    };
    let path = Path::new(told);
    match value.as_i64() {
        None => errors.invalid(&path, 0, misplaced(told, value, "int64")),
        Some(count) if count < 0 => errors.invalid(&path, count, "should be a non-negative integer"),
        Some(count) if count > i64::from(i32::MAX) => {
            errors.invalid(&path, count, format!("should be less than or equal to {}", i32::MAX));
        }
        Some(_) => {}
    }
}

fn selector(object: &Value, scale: &Paths, errors: &mut Errors) {
    let path = format!(".{}", scale.selector.join("."));
    let (other, wanted) = match at(object, &scale.selector) {
        Ok(Some(value)) if !value.is_string() => (value, "string"),
        Ok(_) => return,
        Err(other) => (other, "map[string]interface{}"),
    };
    let why = misplaced(&path, other, wanted);
    errors.push(&Path::new(path), Fault::Invalid("".into()), why);
}

fn misplaced(path: &str, found: &Value, wanted: &str) -> String {
    format!("{path} accessor error: {} is of the type {}, expected {wanted}", go_text(found), go_kind(found))
}

/// As `%v` prints it, as far as that has one line.
fn go_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{}", go_text(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
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

/// The value at a path, nothing if the path is empty, or what stands in the way.
fn at<'a>(object: &'a Value, path: &[String]) -> Result<Option<&'a Value>, &'a Value> {
    let mut value = if path.is_empty() { None } else { Some(object) };
    for step in path {
        value = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => map.get(step),
            Some(other) => return Err(other),
        };
    }
    Ok(value.filter(|value| !value.is_null()))
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
