//! The order of merged lists: `$setElementOrder` counts more than the patch, and the patch more than
//! the list as it was.

use serde_json::{Map, Value};

use super::error::StrategicError;
use super::shape::{Lookup, Shape};
use super::{Merged, ORDER, PATCH, merge_array, plain};
use crate::structural::go;

/// Merges the lists whose order the patch gives, and takes them out of the patch.
pub(super) fn merge_ordered(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    shape: Shape,
) -> Merged<()> {
    let keys: Vec<String> = patch.keys().filter(|key| key.starts_with("$setElementOrder")).cloned().collect();
    for directive in keys {
        let key = directive.strip_prefix(ORDER).ok_or(StrategicError::ElementOrder)?;
        let Some(Value::Array(order)) = patch.shift_remove(&directive) else {
            return Err(StrategicError::ElementOrder);
        };
        let lookup = shape.lookup(key);
        let old = list(original.get(key))?;
        let new = list(patch.get(key))?;
        validate(new.as_deref().unwrap_or_default(), &order, lookup.key)?;
        if let Some(merged) = merged(old.clone(), new, &lookup)? {
            let arranged = arrange(merged, &order, &old.unwrap_or_default(), lookup.key)?;
            original.insert(key.into(), Value::Array(arranged));
            patch.shift_remove(key);
        }
    }
    Ok(())
}

fn list(value: Option<&Value>) -> Merged<Option<Vec<Value>>> {
    match value {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items.clone())),
        Some(_) => Err(StrategicError::ElementOrder),
    }
}

fn merged(old: Option<Vec<Value>>, new: Option<Vec<Value>>, lookup: &Lookup) -> Merged<Option<Vec<Value>>> {
    match (old, new) {
        (None, None) => Ok(None),
        (Some(old), None) => Ok(Some(old)),
        (None, Some(new)) => Ok(Some(new.into_iter().filter_map(plain).collect())),
        (Some(old), Some(new)) => merge_array(old, new, lookup).map(Some),
    }
}

/// The items of the patch must stand in the given order, in the same sequence.
fn validate(patch: &[Value], order: &[Value], key: &'static str) -> Merged<()> {
    if order.is_empty() {
        return Ok(());
    }
    let mut rest = order.iter();
    for item in patch.iter().filter(|item| item.get(PATCH).is_none()) {
        let wanted = identity(item, key)?;
        let found = rest.by_ref().any(|next| identity(next, key).is_ok_and(|id| id == wanted));
        if !found {
            let text = |items: &[Value]| go::print(&Value::Array(items.to_vec()));
            return Err(StrategicError::OrderMismatch { patch: text(patch), order: text(order) });
        }
    }
    Ok(())
}

/// Puts the items that `order` names into its order, and the others between them where they stood in
/// `server`, as far as that can be told.
pub(super) fn arrange(items: Vec<Value>, order: &[Value], server: &[Value], key: &'static str) -> Merged<Vec<Value>> {
    let place = |list: &[Value], item: &Value| -> Merged<Option<usize>> {
        let wanted = identity(item, key)?;
        Ok(list.iter().position(|other| identity(other, key).is_ok_and(|id| id == wanted)))
    };
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for item in items {
        let in_server = place(server, &item)?;
        match place(order, &item)? {
            Some(at) => named.push((at, in_server, item)),
            None => others.push((in_server.unwrap_or(usize::MAX), in_server, item)),
        }
    }
    named.sort_by_key(|(at, ..)| *at);
    others.sort_by_key(|(at, ..)| *at);
    let mut out = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for (_, at, item) in named {
        while let (Some(at), Some((_, Some(other), _))) = (at, others.peek()) {
            if *other >= at {
                break;
            }
            out.extend(others.next().map(|(.., item)| item));
        }
        out.push(item);
    }
    out.extend(others.map(|(.., item)| item));
    Ok(out)
}

/// What an item is known by: itself, or the value of its merge key.
fn identity<'v>(item: &'v Value, key: &'static str) -> Merged<&'v Value> {
    if key.is_empty() { Ok(item) } else { key_of(item, key) }
}

/// The value of an item's merge key.
pub(super) fn key_of<'v>(item: &'v Value, key: &'static str) -> Merged<&'v Value> {
    item.get(key).ok_or_else(|| StrategicError::NoMergeKey { map: go::print(item), key })
}
