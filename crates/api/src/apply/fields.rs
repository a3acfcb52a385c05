//! Which paths of an object a caller that sends it speaks of.

use serde_json::Value;

use super::element::Element;
use super::schema::{Atom, List, Map, Type};
use super::set::Set;
use super::walk;

/// The paths of all leaves of an object, and of the items of its maps and lists.
#[must_use]
pub fn fields(ty: Type<'_>, object: &Value) -> Set {
    below(ty, object).1
}

/// Whether the value is a leaf, and the paths below it.
fn below(ty: Type<'_>, value: &Value) -> (bool, Set) {
    match ty.deduce(Some(value)) {
        Atom { map: Some(map), .. } if map.atomic => (true, Set::default()),
        Atom { map: Some(map), .. } => (false, entries(&map, value)),
        Atom { scalar: Some(_), .. } => (true, Set::default()),
        Atom { list: Some(list), .. } if list.is_atomic() => (true, Set::default()),
        Atom { list: Some(list), .. } => (false, items(&list, value)),
        Atom { .. } => (false, Set::default()),
    }
}

fn entries(map: &Map<'_>, value: &Value) -> Set {
    let mut set = Set::default();
    for (name, value) in value.as_object().into_iter().flatten() {
        let Some(ty) = map.entry(name) else { continue };
        let (leaf, children) = below(ty, value);
        let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
        set.add(Element::field(name), leaf || empty || map.field(name).is_none(), children);
    }
    set
}

/// Items that stand twice are owned as they are, not field by field.
fn items(list: &List<'_>, value: &Value) -> Set {
    let mut set = Set::default();
    for (element, items) in walk::grouped(list, value) {
        let children = match items[..] {
            [item] => below(list.element, item).1,
            _ => Set::default(),
        };
        set.add(element, true, children);
    }
    set
}
