//! Taking paths out of an object.

use serde_json::{Map as Json, Value};

use super::element::Element;
use super::schema::{Atom, List, Map, Type};
use super::set::Set;
use super::walk;

/// The object without these paths. What loses all that was in it stays as an empty map or list.
#[must_use]
pub fn remove(ty: Type<'_>, object: &Value, paths: &Set) -> Value {
    match ty.deduce(Some(object)) {
        Atom { map: Some(map), .. } => entries(&map, object, paths),
        Atom { scalar: Some(_), .. } => object.clone(),
        Atom { list: Some(list), .. } => items(&list, object, paths),
        Atom { .. } => Value::Null,
    }
}

fn entries(map: &Map<'_>, object: &Value, paths: &Set) -> Value {
    let Some(entries) = object.as_object().filter(|entries| !entries.is_empty() && !map.atomic) else {
        return Value::Null;
    };
    let mut out = Json::new();
    let mut touched = false;
    for (name, value) in entries {
        let (gone, below) = paths.at(&Element::field(name));
        if gone {
            continue;
        }
        touched |= below.is_some();
        out.insert(name.clone(), rest(map.entry(name).unwrap_or(Type::UNTYPED), value, below));
    }
    if out.is_empty() && !touched { Value::Null } else { Value::Object(out) }
}

fn items(list: &List<'_>, object: &Value, paths: &Set) -> Value {
    let Some(items) = object.as_array().filter(|items| !items.is_empty() && !list.is_atomic()) else {
        return Value::Null;
    };
    let mut out = Vec::new();
    let mut touched = false;
    for item in items {
        let (gone, below) = walk::element(list, item).map_or((false, None), |element| paths.at(&element));
        if gone {
            continue;
        }
        touched |= below.is_some();
        out.push(rest(list.element, item, below));
    }
    if out.is_empty() && !touched { Value::Null } else { Value::Array(out) }
}

fn rest(ty: Type<'_>, value: &Value, paths: Option<&Set>) -> Value {
    let Some(paths) = paths else { return value.clone() };
    match (remove(ty, value, paths), value) {
        (Value::Null, Value::Object(_)) => Value::Object(Json::new()),
        (Value::Null, Value::Array(_)) => Value::Array(Vec::new()),
        (rest, _) => rest,
    }
}
