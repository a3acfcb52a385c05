//! What one object has that another has not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::element::{Element, equal};
use super::schema::{Atom, List, Map, Type};
use super::set::Set;
use super::walk;

/// What a new object changes of an old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Paths that are no more.
    pub removed: Set,
    /// Paths of leaves that have another value.
    pub modified: Set,
    /// Paths that are new.
    pub added: Set,
}

/// What is to be said of a path itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Removed,
    Modified,
    Added,
}

/// Of a path, and of all below it.
type Found = (Option<Change>, Comparison);

/// What the new object changes.
#[must_use]
pub fn compare(ty: Type<'_>, old: &Value, new: &Value) -> Comparison {
    values(ty, Some(old), Some(new)).1
}

fn values(ty: Type<'_>, old: Option<&Value>, new: Option<&Value>) -> Found {
    let (before, after) = (ty.deduce(old), ty.deduce(new));
    match (old, new) {
        (_, None) => atom(&before, old, new),
        (None, _) => atom(&after, old, new),
        _ if before.is_like(&after) => atom(&after, old, new),
        _ => {
            // another sort of value: both ways of looking at it count
            let (mut change, mut all) = atom(&before, old, new);
            let (other, more) = atom(&after, old, new);
            change = change.or(other);
            all.merge(&more);
            (change, all)
        }
    }
}

fn atom(atom: &Atom<'_>, old: Option<&Value>, new: Option<&Value>) -> Found {
    match atom {
        Atom { map: Some(map), .. } if map.is_open(old, new) => (whole(old, new), entries(map, old, new)),
        Atom { map: None, scalar: None, list: Some(list), .. } if list.is_open(old, new) => {
            (whole(old, new), items(list, old, new))
        }
        _ => (leaf(old, new), Comparison::default()),
    }
}

/// Of something with parts: it is told apart from them only if it came or went as a whole.
const fn whole(old: Option<&Value>, new: Option<&Value>) -> Option<Change> {
    match (old, new) {
        (None, _) => Some(Change::Added),
        (_, None) => Some(Change::Removed),
        _ => None,
    }
}

fn leaf(old: Option<&Value>, new: Option<&Value>) -> Option<Change> {
    match (old, new) {
        (Some(old), Some(new)) => (!equal(old, new)).then_some(Change::Modified),
        _ => whole(old, new),
    }
}

fn entries(map: &Map<'_>, old: Option<&Value>, new: Option<&Value>) -> Comparison {
    let (before, after) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
    let mut all = Comparison::default();
    let names = before.into_iter().flatten().map(|(name, _)| name);
    let fresh = after.into_iter().flatten().map(|(name, _)| name);
    for name in names.chain(fresh.filter(|name| !before.is_some_and(|map| map.contains_key(*name)))) {
        let (old, new) = (before.and_then(|map| map.get(name)), after.and_then(|map| map.get(name)));
        // most of an object stays as it is
        if old.is_some() && old == new {
            continue;
        }
        let Some(ty) = map.entry(name) else { continue };
        all.note(Element::field(name), values(ty, old, new));
    }
    all
}

fn items(list: &List<'_>, old: Option<&Value>, new: Option<&Value>) -> Comparison {
    let before = old.map(|old| walk::grouped(list, old)).unwrap_or_default();
    let after = new.map(|new| walk::grouped(list, new)).unwrap_or_default();
    let mut all = Comparison::default();
    for element in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (before.get(element), after.get(element));
        let (old, new) = (old.map(Vec::as_slice), new.map(Vec::as_slice));
        same_element(list, element, old.unwrap_or_default(), new.unwrap_or_default(), &mut all);
    }
    all
}

/// Items that stand twice are compared as they are, not field by field.
fn same_element(list: &List<'_>, element: &Element, old: &[&Value], new: &[&Value], all: &mut Comparison) {
    let marker = |change| (Some(change), Comparison::default());
    match (old, new) {
        ([] | [_], [] | [_]) => {
            all.note(element.clone(), values(list.element, old.first().copied(), new.first().copied()));
        }
        ([_, _, ..], [_, _, ..]) => {
            let same = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| equal(a, b));
            if !same {
                all.note(element.clone(), marker(Change::Modified));
            }
        }
        ([_, _, ..], single) => {
            all.note(element.clone(), marker(Change::Removed));
            if let [single] = single {
                all.note(element.clone(), values(list.element, None, Some(single)));
            }
        }
        (single, _) => {
            all.note(element.clone(), marker(Change::Added));
            if let [single] = single {
                all.note(element.clone(), values(list.element, Some(single), None));
            }
        }
    }
}

// === impl Comparison ===

impl Comparison {
    /// The same of those paths that a filter keeps.
    #[must_use]
    pub fn filtered(self, keep: impl Fn(Set) -> Set) -> Self {
        Self { removed: keep(self.removed), modified: keep(self.modified), added: keep(self.added) }
    }

    /// What of a set has another value now.
    #[must_use]
    pub fn taken(&self, set: &Set) -> Set {
        set.intersection(&self.modified.union(&self.added))
    }

    fn note(&mut self, element: Element, (change, below): Found) {
        let sets = [
            (&mut self.removed, Change::Removed, below.removed),
            (&mut self.modified, Change::Modified, below.modified),
            (&mut self.added, Change::Added, below.added),
        ];
        for (set, sort, below) in sets {
            let member = change == Some(sort);
            if member || !below.is_empty() {
                set.add(element.clone(), member, below);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.removed = self.removed.union(&other.removed);
        self.modified = self.modified.union(&other.modified);
        self.added = self.added.union(&other.added);
    }
}
