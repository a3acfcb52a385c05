//! Whether an applied configuration fits its type: known fields, the right sorts of values, no item twice.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::schema::{Atom, List, Map, Scalar, Type};
use super::walk;

/// A configuration does not fit its type.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", told(.0))]
pub struct CheckError(Vec<String>);

/// All that does not fit.
pub fn check(ty: Type<'_>, configuration: &Value) -> Result<(), CheckError> {
    let mut faults = Vec::new();
    value(ty, configuration, "", &mut faults);
    if faults.is_empty() { Ok(()) } else { Err(CheckError(faults)) }
}

/// Whether all items of lists that are maps have their keys: else nobody can say who owns what of an object.
#[must_use]
pub fn is_keyed(ty: Type<'_>, object: &Value) -> bool {
    match (ty.deduce(Some(object)), object) {
        (Atom { map: Some(map), .. }, Value::Object(entries)) => {
            entries.iter().all(|(name, entry)| map.entry(name).is_none_or(|ty| is_keyed(ty, entry)))
        }
        (Atom { list: Some(list), .. }, Value::Array(items)) => items
            .iter()
            .all(|item| (list.is_atomic() || walk::element(&list, item).is_ok()) && is_keyed(list.element, item)),
        _ => true,
    }
}

fn told(faults: &[String]) -> String {
    match faults {
        [one] => one.clone(),
        many => many.iter().fold("errors:".to_owned(), |mut text, fault| {
            let _ = write!(text, "\n  {fault}");
            text
        }),
    }
}

fn value(ty: Type<'_>, given: &Value, path: &str, faults: &mut Vec<String>) {
    let mut fault = |what: String| faults.push(if path.is_empty() { what } else { format!("{path}: {what}") });
    match (ty.deduce(Some(given)), given) {
        (_, Value::Null) => {}
        (Atom { map: Some(map), .. }, Value::Object(_)) => entries(&map, given, path, faults),
        (Atom { map: Some(_), .. }, other) => fault(format!("expected map, got {}", shown(other))),
        (Atom { scalar: Some(scalar), .. }, given) => faults_of(scalar, given).into_iter().for_each(fault),
        (Atom { list: Some(list), .. }, Value::Array(_)) => items(&list, given, path, faults),
        (Atom { list: Some(_), .. }, other) => fault(format!("expected list, got {}", shown(other))),
        (Atom { .. }, _) => fault("schema error: invalid atom: inlined".to_owned()),
    }
}

fn faults_of(scalar: Scalar, given: &Value) -> Option<String> {
    match (scalar, given) {
        (Scalar::Numeric, Value::Number(_))
        | (Scalar::String, Value::String(_))
        | (Scalar::Boolean, Value::Bool(_)) => None,
        (Scalar::Untyped, Value::Number(_) | Value::String(_) | Value::Bool(_)) => None,
        (Scalar::Numeric, other) => Some(format!("expected numeric (int or float), got {}", go_type(other))),
        (Scalar::String, other) => {
            Some(format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_value(other)))
        }
        (Scalar::Boolean, other) => Some(format!("expected boolean, got {}", shown(other))),
        (Scalar::Untyped, other) => Some(format!("expected any scalar, got {}", shown(other))),
    }
}

/// As Go's `%T` has it.
const fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// As Go's `%#v` has it.
fn go_value(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Array(items) => format!("[]interface {{}}{{{}}}", list(items.iter().map(go_value).collect())),
        Value::Object(entries) => {
            let mut names: Vec<_> = entries.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            let entries = names.into_iter().map(|(name, value)| format!("{name:?}:{}", go_value(value))).collect();
            format!("map[string]interface {{}}{{{}}}", list(entries))
        }
        Value::Null => "interface {}(nil)".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// As Go's `%v` has the value of a wrapped value: in braces.
fn shown(value: &Value) -> String {
    fn plain(value: &Value) -> String {
        match value {
            Value::Null => "<nil>".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
            Value::Object(entries) => {
                let mut names: Vec<_> = entries.iter().collect();
                names.sort_by_key(|(name, _)| *name);
                let entries: Vec<_> =
                    names.into_iter().map(|(name, value)| format!("{name}:{}", plain(value))).collect();
                format!("map[{}]", entries.join(" "))
            }
            scalar => scalar.to_string(),
        }
    }
    format!("&{{{}}}", plain(value))
}

/// The first unknown field ends the search in its map, as upstream does it.
fn entries(map: &Map<'_>, given: &Value, path: &str, faults: &mut Vec<String>) {
    for (name, entry) in given.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let Some(ty) = map.entry(name) else {
            faults.push(format!("{path}: field not declared in schema"));
            return;
        };
        value(ty, entry, &path, faults);
    }
}

fn items(list: &List<'_>, given: &Value, path: &str, faults: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for (index, item) in given.as_array().into_iter().flatten().enumerate() {
        if list.is_atomic() {
            value(list.element, item, &format!("{path}[{index}]"), faults);
            continue;
        }
        match walk::element(list, item) {
            Err(error) => {
                let what = format!("element {index}: {error}");
                faults.push(if path.is_empty() { what } else { format!("{path}: {what}") });
                return;
            }
            Ok(element) => {
                let below = format!("{path}{element}");
                if seen.contains(&element) {
                    faults.push(format!("{path}: duplicate entries for key {element}"));
                }
                seen.insert(element);
                value(list.element, item, &below, faults);
            }
        }
    }
}
