//! Laying an applied configuration over an object: what it says counts, and what it does not speak of stays.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map as Json, Value};

use super::element::Element;
use super::schema::{Atom, List, Map, Type};
use super::walk;

/// The object with the configuration laid over it; `None`: nothing is left of either.
#[must_use]
pub fn merge(ty: Type<'_>, object: &Value, configuration: &Value) -> Option<Value> {
    values(ty, Some(object), Some(configuration))
}

fn values(ty: Type<'_>, old: Option<&Value>, new: Option<&Value>) -> Option<Value> {
    // what is absent may be of any sort, and another sort of value goes before the old one
    let sort = if new.is_some() { ty.deduce(new) } else { ty.deduce(old) };
    match sort {
        Atom { map: Some(map), .. } if map.is_open(old, new) => {
            entries(&map, old.and_then(Value::as_object), new.and_then(Value::as_object))
        }
        Atom { map: None, scalar: None, list: Some(list) } if list.is_open(old, new) => {
            items(&list, items_of(old), items_of(new))
        }
        _ => new.or(old).cloned(),
    }
}

fn items_of(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn entries(map: &Map<'_>, old: Option<&Json<String, Value>>, new: Option<&Json<String, Value>>) -> Option<Value> {
    let mut out = Json::new();
    let mut put = |name: &String, old: Option<&Value>, new: Option<&Value>| {
        let ty = map.entry(name).unwrap_or(Type::UNTYPED);
        if let Some(value) = values(ty, old, new) {
            out.insert(name.clone(), value);
        }
    };
    for (name, value) in old.into_iter().flatten() {
        put(name, Some(value), new.and_then(|new| new.get(name)));
    }
    for (name, value) in new.into_iter().flatten().filter(|(name, _)| !old.is_some_and(|old| old.contains_key(*name))) {
        put(name, None, Some(value));
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

/// The items of both. The configuration says in which order its items stand; each item that the object alone has stays
/// behind the one it stood behind.
fn items(list: &List<'_>, old: &[Value], new: &[Value]) -> Option<Value> {
    let told = |item: &Value| walk::element(list, item).ok();
    let old: Vec<(Element, &Value)> = old.iter().filter_map(|item| Some((told(item)?, item))).collect();
    let new: Vec<(Element, &Value)> = new.iter().filter_map(|item| Some((told(item)?, item))).collect();
    let mut join = Join::new(list, &old, &new);
    let (mut left, mut right) = (0, 0);
    while left < old.len() || right < new.len() {
        (left, right) = join.step(left, right);
    }
    (!join.out.is_empty()).then_some(Value::Array(join.out))
}

/// Two lists on their way to one.
struct Join<'a> {
    list: &'a List<'a>,
    old: &'a [(Element, &'a Value)],
    new: &'a [(Element, &'a Value)],
    /// What is merged with a new item. One that stands twice is not merged with anything.
    partners: BTreeMap<&'a Element, &'a Value>,
    present: BTreeSet<&'a Element>,
    /// The elements of both, as the new list has them, from the next one on.
    shared: VecDeque<&'a Element>,
    merged: BTreeSet<&'a Element>,
    out: Vec<Value>,
}

// === impl Join ===

impl<'a> Join<'a> {
    fn new(list: &'a List<'a>, old: &'a [(Element, &'a Value)], new: &'a [(Element, &'a Value)]) -> Self {
        let mut partners = BTreeMap::new();
        for (element, item) in old {
            partners.entry(element).and_modify(|item| *item = &Value::Null).or_insert(*item);
        }
        let shared = new.iter().map(|(element, _)| element).filter(|element| partners.contains_key(element)).collect();
        let present = new.iter().map(|(element, _)| element).collect();
        Self { list, old, new, partners, present, shared, merged: BTreeSet::new(), out: Vec::new() }
    }

    /// Takes what comes next, and tells the places behind it.
    fn step(&mut self, left: usize, right: usize) -> (usize, usize) {
        let (old, new) = (self.old.get(left), self.new.get(right));
        if let Some((element, item)) = old {
            if !self.present.contains(element) {
                self.take(Some(item), None);
                return (left + 1, right);
            }
            let waits = self.shared.front().is_some_and(|next| *next != element);
            if new.is_some_and(|(other, _)| other != element) && waits {
                // its turn comes where the new list has it
                return (left + 1, right);
            }
        }
        let Some((element, item)) = new else { return (left + 1, right) };
        let passed = old.is_some_and(|(old, _)| old == element || self.merged.contains(old));
        self.take(self.partners.get(element).copied(), Some(item));
        self.merged.insert(element);
        if self.shared.front() == Some(&element) {
            self.shared.pop_front();
        }
        (left + usize::from(passed), right + 1)
    }

    fn take(&mut self, old: Option<&Value>, new: Option<&Value>) {
        self.out.extend(values(self.list.element, old, new));
    }
}
