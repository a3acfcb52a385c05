//! Lists that merge: by their merge key, or as sets of scalars.

use serde_json::{Map, Value};

use super::error::StrategicError;
use super::order::{arrange, key_of};
use super::shape::Lookup;
use super::{Merged, PATCH, merge_map};
use crate::structural::go;

/// Merges a patch list into a list; items of the patch come in the order of the patch.
pub(super) fn merge_list(original: Vec<Value>, patch: Vec<Value>, lookup: &Lookup) -> Merged<Vec<Value>> {
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    if !are_objects(&original, &patch)? {
        let merged = unique(original.iter().chain(&patch).cloned());
        return arrange(merged, &patch, &original, "");
    }
    if lookup.key.is_empty() {
        return Err(StrategicError::NoKeyDeclared);
    }
    let (original, patch) = directives(original, patch, lookup.key)?;
    let merged = merge_objects(original.clone(), patch.clone(), lookup)?;
    arrange(merged, &patch, &original, lookup.key)
}

/// Whether the items are objects. All must be of one type, and none may be a list.
fn are_objects(original: &[Value], patch: &[Value]) -> Merged<bool> {
    let mut kinds = original.iter().chain(patch).map(std::mem::discriminant);
    let first = kinds.next();
    if !kinds.all(|kind| Some(kind) == first) {
        return Err(StrategicError::Mixed);
    }
    match original.first().or_else(|| patch.first()) {
        Some(Value::Array(_)) => Err(StrategicError::ListOfLists),
        first => Ok(first.is_some_and(Value::is_object)),
    }
}

fn unique(items: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

/// Takes the items with a directive out of the patch and obeys them.
fn directives(mut original: Vec<Value>, patch: Vec<Value>, key: &'static str) -> Merged<(Vec<Value>, Vec<Value>)> {
    let mut rest = Vec::with_capacity(patch.len());
    let mut replace = false;
    for item in patch {
        match item.get(PATCH).map(|word| (word, word.as_str())) {
            None => rest.push(item),
            Some((_, Some("delete"))) => {
                let gone = key_of(&item, key)?;
                original.retain(|old| old.get(key) != Some(gone));
            }
            Some((_, Some("replace"))) => replace = true,
            Some((_, Some("merge"))) => return Err(StrategicError::MergeDirective),
            Some((word, _)) => {
                return Err(StrategicError::Directive { word: go::print(word), map: go::print(&item) });
            }
        }
    }
    Ok(if replace { (rest, Vec::new()) } else { (original, rest) })
}

fn merge_objects(mut original: Vec<Value>, patch: Vec<Value>, lookup: &Lookup) -> Merged<Vec<Value>> {
    for item in patch {
        let value = key_of(&item, lookup.key)?;
        let found = original.iter_mut().find(|old| old.get(lookup.key) == Some(value));
        match (found, item) {
            (Some(slot), Value::Object(new)) => {
                let old = slot.as_object_mut().map(std::mem::take).unwrap_or_else(Map::new);
                *slot = Value::Object(merge_map(old, new, lookup.shape)?);
            }
            (_, item) => original.push(item),
        }
    }
    Ok(original)
}
