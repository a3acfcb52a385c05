//! Strategic merge: a merge patch in which lists of objects merge by keys that the field table tells,
//! and in which directives (`$patch`, `$retainKeys`, `$setElementOrder/…`, `$deleteFromPrimitiveList/…`)
//! say what a patch alone cannot.

mod error;
mod list;
mod order;
mod shape;

use serde_json::{Map, Value};

use self::error::StrategicError;
use self::list::merge_list;
use self::shape::{Lookup, Shape};
use crate::structural::go;
use crate::{Object, Status, schema};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

type Merged<T> = Result<T, StrategicError>;

pub(super) fn apply(current: &Object, patch: Map<String, Value>) -> Result<Object, Status> {
    let message = current.gvk().and_then(|gvk| schema::message_for(&gvk)).ok_or(StrategicError::Unsupported)?;
    let merged = merge_map(current.root().clone(), patch, Shape::Message(message))?;
    super::object(Value::Object(merged))
}

/// Merges a patch into an object.
fn merge_map(
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
    shape: Shape,
) -> Merged<Map<String, Value>> {
    match patch.get(PATCH) {
        None => {}
        Some(Value::String(word)) if word == "replace" => {
            patch.shift_remove(PATCH);
            return Ok(patch);
        }
        Some(Value::String(word)) if word == "delete" => return Ok(Map::new()),
        Some(other) => {
            let (word, map) = (go::print(other), go::print(&Value::Object(patch.clone())));
            return Err(StrategicError::Directive { word, map });
        }
    }
    retain_keys(&mut original, &mut patch)?;
    order::merge_ordered(&mut original, &mut patch, shape)?;
    for (key, value) in patch {
        merge_entry(&mut original, &key, value, shape)?;
    }
    Ok(original)
}

fn merge_entry(original: &mut Map<String, Value>, key: &str, patch: Value, shape: Shape) -> Merged<()> {
    if key.starts_with("$deleteFromPrimitiveList") {
        let key = key.strip_prefix(DELETE_FROM).ok_or(StrategicError::PrimitiveList)?;
        if let (Some(Value::Array(items)), Value::Array(gone)) = (original.get_mut(key), &patch) {
            items.retain(|item| !gone.contains(item));
        }
        return Ok(());
    }
    if patch.is_null() {
        original.shift_remove(key);
        return Ok(());
    }
    let Some(slot) = original.get_mut(key) else {
        if let Some(value) = plain(patch) {
            original.insert(key.into(), value);
        }
        return Ok(());
    };
    let lookup = shape.lookup(key);
    let merged = match (slot.take(), patch) {
        (Value::Object(old), Value::Object(new)) => Some(Value::Object(merge_object(old, new, &lookup)?)),
        (Value::Array(old), Value::Array(new)) => Some(Value::Array(merge_array(old, new, &lookup)?)),
        (_, new) => plain(new),
    };
    match merged {
        Some(value) => *slot = value,
        None => drop(original.shift_remove(key)),
    }
    Ok(())
}

fn merge_object(old: Map<String, Value>, new: Map<String, Value>, lookup: &Lookup) -> Merged<Map<String, Value>> {
    if lookup.strategy == "replace" { Ok(new) } else { merge_map(old, new, lookup.shape) }
}

fn merge_array(old: Vec<Value>, new: Vec<Value>, lookup: &Lookup) -> Merged<Vec<Value>> {
    if lookup.strategy == "merge" { merge_list(old, new, lookup) } else { Ok(new) }
}

/// `$retainKeys` names all keys that may stay; the patch may not set others.
fn retain_keys(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Merged<()> {
    let Some(retained) = patch.shift_remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(retained) = retained else { return Err(StrategicError::RetainKeys) };
    let is_retained = |key: &str| retained.iter().any(|k| k.as_str() == Some(key));
    let is_free = |key: &str| key.starts_with("$deleteFromPrimitiveList") || key.starts_with("$setElementOrder");
    if patch.iter().any(|(key, value)| !value.is_null() && !is_free(key) && !is_retained(key)) {
        return Err(StrategicError::RetainKeys);
    }
    original.retain(|key, _| is_retained(key));
    Ok(())
}

/// A value of the patch without nulls and without what carries a directive; `None` if that is all of it.
fn plain(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(PATCH) => None,
        Value::Object(map) => {
            let entries = map.into_iter().filter(|(_, value)| !value.is_null());
            Some(Value::Object(entries.filter_map(|(key, value)| Some((key, plain(value)?))).collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(plain).collect())),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests;
