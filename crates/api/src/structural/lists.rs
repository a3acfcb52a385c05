//! Lists that are sets or maps: no item, or no key, stands twice.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Schema, go};
use crate::field::{Errors, Path};

/// Faults in all lists of a value.
#[must_use]
pub fn check(value: &Value, schema: &Schema) -> Errors {
    let mut errors = Errors::default();
    walk(value, schema, &Path::default(), &mut errors);
    errors
}

fn walk(value: &Value, schema: &Schema, path: &Path, errors: &mut Errors) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if let Some(below) = schema.properties.get(key) {
                    walk(value, below, &path.child(key), errors);
                } else if let Some(below) = schema.value() {
                    walk(value, below, &path.key(key), errors);
                }
            }
        }
        Value::Array(items) => {
            match schema.list_type() {
                "set" => {
                    for index in repeated(items.iter().map(Some)) {
                        errors.duplicate(&path.index(index), items[index].clone());
                    }
                }
                "map" => map(items, &schema.map_keys, path, errors),
                _ => {}
            }
            if let Some(below) = schema.item() {
                for (index, item) in items.iter().enumerate() {
                    walk(item, below, &path.index(index), errors);
                }
            }
        }
        _ => {}
    }
}

fn map(items: &[Value], keys: &[String], path: &Path, errors: &mut Errors) {
    if let Some(index) = items.iter().position(|item| !item.is_object() && !item.is_null()) {
        let why = "must be an object for an array of list-type map";
        errors.invalid(&path.index(index), items[index].clone(), why);
        return;
    }
    let keys: Vec<Value> = items.iter().map(|item| key(item, keys)).collect();
    for index in repeated(keys.iter().map(Some)) {
        errors.duplicate(&path.index(index), keys[index].clone());
    }
}

/// The fields of an item that tell it from others.
#[must_use]
pub fn key(item: &Value, keys: &[String]) -> Value {
    keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone()))).collect::<Map<_, _>>().into()
}

/// The places where a value stands for the second time.
fn repeated<'a>(values: impl Iterator<Item = Option<&'a Value>>) -> Vec<usize> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut places = Vec::new();
    for (index, value) in values.enumerate() {
        let mut value = value.cloned().unwrap_or_default();
        go::canonical(&mut value);
        let times = seen.entry(value.to_string()).or_default();
        *times += 1;
        if *times == 2 {
            places.push(index);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_stands_twice_is_told_once() {
        let schema = Schema::parse(&json!({"properties": {
            "set": {"type": "array", "x-kubernetes-list-type": "set"},
            "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]},
        }}))
        .expect("a schema");
        let value = json!({"map": [{"a": 1, "b": 2}, {"a": 1}, {}], "set": ["x", "y", "x", "x"]});
        assert_eq!(
            check(&value, &schema).to_string(),
            "[map[1]: Duplicate value: {\"a\":1}, set[2]: Duplicate value: \"x\"]"
        );
    }
}
