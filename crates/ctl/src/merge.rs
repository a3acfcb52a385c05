//! The three-way merge of `apply`: what the user took out since the last time goes, what he says now
//! counts, and what others added stays. Pure.
//!
//! Lists are merged by the merge keys of the field table; of kinds that it does not know, a list is one
//! value, as in a JSON merge patch.

use nakhoda_api::GroupVersionKind;
use nakhoda_api::schema::{self, Field, Type};
use serde_json::{Map, Value};

/// What the field table says of a value.
#[derive(Clone, Copy, Default)]
struct Shape<'a> {
    field: Option<&'a Field>,
    ty: Option<&'a Type>,
}

/// The object that should be, from the last applied, the new and the current one.
#[must_use]
pub fn three_way(gvk: &GroupVersionKind, last: &Value, new: &Value, current: &Value) -> Value {
    let root = schema::message_for(gvk).map(Type::Message);
    merged(Shape { field: None, ty: root.as_ref() }, last, new, current)
}

/// The JSON merge patch from one value to another; `None` if they are the same.
#[must_use]
pub fn difference(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in to {
        let change = match from.get(key) {
            Some(old) => difference(old, value),
            None => Some(value.clone()),
        };
        if let Some(change) = change {
            patch.insert(key.clone(), change);
        }
    }
    (!patch.is_empty()).then(|| patch.into())
}

// === impl Shape ===

impl<'a> Shape<'a> {
    fn child(self, key: &str) -> Self {
        match self.ty {
            Some(Type::Message(id)) => {
                let field = schema::table().message(*id).field(key);
                Shape { field, ty: field.map(|field| &field.ty) }
            }
            Some(Type::Map(_, inner)) => Shape { field: None, ty: Some(inner) },
            _ => Shape::default(),
        }
    }

    fn item(self) -> Self {
        match self.ty {
            Some(Type::List(inner) | Type::Wrapped(inner)) => Shape { field: None, ty: Some(inner) },
            _ => Shape::default(),
        }
    }

    fn has(self, strategy: &str) -> bool {
        self.field.is_some_and(|field| field.patch_strategy.split(',').any(|one| one == strategy))
    }

    fn key(self) -> &'static str {
        self.field.map_or("", |field| field.merge_key)
    }
}

fn merged(shape: Shape<'_>, last: &Value, new: &Value, current: &Value) -> Value {
    match (new, current) {
        (Value::Object(new), Value::Object(current)) if !shape.has("replace") => map(shape, last, new, current).into(),
        (Value::Array(new), Value::Array(current)) if shape.has("merge") => list(shape, last, new, current).into(),
        _ => without_nulls(new),
    }
}

fn map(shape: Shape<'_>, last: &Value, new: &Map<String, Value>, current: &Map<String, Value>) -> Map<String, Value> {
    let retained = shape.has("retainKeys");
    let was_mine = |key: &str| last.get(key).is_some();
    let mut result = Map::new();
    for (key, old) in current {
        match new.get(key) {
            Some(Value::Null) => {}
            Some(value) => {
                let before = last.get(key).unwrap_or(&Value::Null);
                result.insert(key.clone(), merged(shape.child(key), before, value, old));
            }
            None if was_mine(key) || retained => {}
            None => {
                result.insert(key.clone(), old.clone());
            }
        }
    }
    for (key, value) in new.iter().filter(|(key, value)| !value.is_null() && !current.contains_key(*key)) {
        result.insert(key.clone(), without_nulls(value));
    }
    result
}

/// Items in the user's order; those of others stay behind the item that they followed.
fn list(shape: Shape<'_>, last: &Value, new: &[Value], current: &[Value]) -> Vec<Value> {
    let key = shape.key();
    let same = |a: &Value, b: &Value| if key.is_empty() { a == b } else { a.get(key) == b.get(key) };
    let find = |items: &[Value], item: &Value| items.iter().find(|other| same(other, item)).cloned();
    let last = last.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut result: Vec<Value> = Vec::new();
    for item in new {
        let merged = match find(current, item) {
            Some(old) => merged(shape.item(), &find(last, item).unwrap_or_default(), item, &old),
            None => without_nulls(item),
        };
        result.push(merged);
    }
    for (index, item) in current.iter().enumerate() {
        if find(new, item).is_some() || find(last, item).is_some() {
            continue;
        }
        let previous = current[..index].iter().rev().find_map(|p| result.iter().position(|r| same(r, p)));
        result.insert(previous.map_or(0, |at| at + 1), item.clone());
    }
    result
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
