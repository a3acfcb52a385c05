//! What structured merge must know of a type: whether a list is a set, a map by keys or one value, and
//! whether a map or struct is owned as a whole or field by field.
//!
//! A [`Schema`] owns the description of one kind; [`Type`] is a place in it. Three sources: the field table
//! (built-in kinds), an `OpenAPI` schema (custom resources), and nothing, where the type is deduced from the value.

mod builtin;
mod structural;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::walk;
use crate::GroupVersionKind;
use crate::schema::{self, MessageId, table};
use builtin::Place;
use structural::Node;

/// The description of a kind. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema {
    root: Root,
}

#[derive(Clone, Debug)]
enum Root {
    Message(MessageId),
    Structural(Arc<Node>),
    Deduced,
}

/// A place in a [`Schema`].
#[derive(Clone, Copy, Debug)]
pub struct Type<'s> {
    inner: Inner<'s>,
}

#[derive(Clone, Copy, Debug)]
enum Inner<'s> {
    Builtin(Place),
    Structural(&'s Node),
    /// Maps by their keys, lists as one value.
    Deduced,
    /// Maps and lists as one value.
    Untyped,
}

/// What a value of a type may be: one of these, by what it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Atom<'s> {
    /// A scalar of this kind.
    pub scalar: Option<Scalar>,
    /// A list.
    pub list: Option<List<'s>>,
    /// A map or a struct.
    pub map: Option<Map<'s>>,
}

/// A kind of scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// Integers and floats.
    Numeric,
    /// Strings.
    String,
    /// Booleans.
    Boolean,
    /// Any of these.
    Untyped,
}

/// A list.
#[derive(Clone, Copy, Debug)]
pub struct List<'s> {
    /// Of each item.
    pub element: Type<'s>,
    /// How it is owned.
    pub relation: Relation<'s>,
}

/// How a list is owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation<'s> {
    /// As one value.
    Atomic,
    /// Each scalar for itself.
    Set,
    /// Item by item; these fields tell items apart.
    Keys(Keys<'s>),
}

/// The fields that tell items of a list apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys<'s> {
    text: &'s str,
    separator: char,
}

/// A map or a struct.
#[derive(Clone, Copy, Debug)]
pub struct Map<'s> {
    fields: Fields<'s>,
    /// Of the entries that are no known fields; `None`: there are no such entries.
    pub element: Option<Type<'s>>,
    /// Whether it is owned as one value.
    pub atomic: bool,
}

#[derive(Clone, Copy, Debug)]
enum Fields<'s> {
    None,
    Message(MessageId),
    Structural(&'s structural::Properties),
}

// === impl Schema ===

impl Schema {
    /// The schema of a built-in kind, if the field table knows it.
    #[must_use]
    pub fn of(gvk: &GroupVersionKind) -> Option<Self> {
        schema::message_for(gvk).map(|message| Self { root: Root::Message(message) })
    }

    /// No schema: maps by their keys, lists as one value.
    #[must_use]
    pub const fn deduced() -> Self {
        Self { root: Root::Deduced }
    }

    /// The schema of a custom resource in one version, from its structural `OpenAPI` schema. `metadata`, `apiVersion`
    /// and `kind` are added. `preserve`: unknown fields are kept everywhere.
    #[must_use]
    pub fn structural(openapi: &Value, preserve: bool) -> Self {
        Self { root: Root::Structural(Arc::new(Node::of_resource(openapi, preserve))) }
    }

    /// The type of the whole object.
    #[must_use]
    pub fn root(&self) -> Type<'_> {
        match &self.root {
            Root::Message(id) => Type::message(*id),
            Root::Structural(node) => Type { inner: Inner::Structural(node) },
            Root::Deduced => Type::DEDUCED,
        }
    }
}

// === impl Type ===

impl<'s> Type<'s> {
    /// Maps by their keys, lists as one value.
    pub const DEDUCED: Self = Self { inner: Inner::Deduced };
    /// Maps and lists as one value.
    pub const UNTYPED: Self = Self { inner: Inner::Untyped };

    const fn message(id: MessageId) -> Self {
        Self { inner: Inner::Builtin(Place::Message(id)) }
    }

    /// What a value of this type may be.
    #[must_use]
    pub fn resolve(self) -> Atom<'s> {
        match self.inner {
            Inner::Builtin(place) => place.resolve(),
            Inner::Structural(node) => node.resolve(),
            Inner::Deduced => Atom::any(Self::UNTYPED, Self::DEDUCED, false),
            Inner::Untyped => Atom::any(Self::UNTYPED, Self::UNTYPED, true),
        }
    }

    /// What a value of this type is, judged by the value; an absent or null one may be anything of the type.
    #[must_use]
    pub fn deduce(self, value: Option<&Value>) -> Atom<'s> {
        let atom = self.resolve();
        match value {
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) if atom.scalar.is_some() => {
                Atom { scalar: atom.scalar, ..Atom::default() }
            }
            Some(Value::Array(_)) if atom.list.is_some() => Atom { list: atom.list, ..Atom::default() },
            Some(Value::Object(_)) if atom.map.is_some() => Atom { map: atom.map, ..Atom::default() },
            _ => atom,
        }
    }
}

// === impl Atom ===

impl<'s> Atom<'s> {
    const fn scalar(scalar: Scalar) -> Self {
        Self { scalar: Some(scalar), list: None, map: None }
    }

    const fn list(element: Type<'s>, relation: Relation<'s>) -> Self {
        Self { scalar: None, list: Some(List { element, relation }), map: None }
    }

    const fn map(map: Map<'s>) -> Self {
        Self { scalar: None, list: None, map: Some(map) }
    }

    const fn any(item: Type<'s>, entry: Type<'s>, atomic: bool) -> Self {
        Self {
            scalar: Some(Scalar::Untyped),
            list: Some(List { element: item, relation: Relation::Atomic }),
            map: Some(Map::open(entry, atomic)),
        }
    }
}

impl Atom<'_> {
    /// Whether both may be the same sorts of values.
    pub(super) const fn is_like(&self, other: &Self) -> bool {
        self.scalar.is_some() == other.scalar.is_some()
            && self.list.is_some() == other.list.is_some()
            && self.map.is_some() == other.map.is_some()
    }
}

// === impl List ===

impl List<'_> {
    /// Whether it is owned as one value.
    #[must_use]
    pub const fn is_atomic(&self) -> bool {
        matches!(self.relation, Relation::Atomic)
    }

    /// Whether two values of it are looked at item by item: not if neither has any.
    pub(super) fn is_open(&self, old: Option<&Value>, new: Option<&Value>) -> bool {
        !(self.is_atomic() || walk::has_no_items(old) && walk::has_no_items(new))
    }
}

// === impl Keys ===

impl<'s> Keys<'s> {
    /// Their names, as the schema lists them.
    pub fn iter(self) -> impl Iterator<Item = &'s str> {
        self.text.split(self.separator)
    }
}

// === impl Map ===

impl<'s> Map<'s> {
    const fn open(element: Type<'s>, atomic: bool) -> Self {
        Self { fields: Fields::None, element: Some(element), atomic }
    }

    /// Whether nothing is known of its entries but what their values tell.
    #[must_use]
    pub const fn is_deduced(&self) -> bool {
        matches!((&self.fields, &self.element), (Fields::None, Some(Type { inner: Inner::Deduced })))
    }

    /// Whether two values of it are looked at entry by entry: not if neither has any.
    pub(super) fn is_open(&self, old: Option<&Value>, new: Option<&Value>) -> bool {
        !(self.atomic || walk::has_no_entries(old) && walk::has_no_entries(new))
    }

    /// The type of a known field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Type<'s>> {
        match self.fields {
            Fields::None => None,
            Fields::Message(id) => {
                let field = table().message(id).field(name)?;
                Some(Type { inner: Inner::Builtin(Place::Field(field)) })
            }
            Fields::Structural(properties) => {
                properties.get(name).map(|property| Type { inner: Inner::Structural(&property.node) })
            }
        }
    }

    /// The type of an entry, known or not; `None` if there can be no such entry.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<Type<'s>> {
        self.field(name).or(self.element)
    }

    /// What an absent field stands for.
    #[must_use]
    pub fn default_of(&self, name: &str) -> Option<Cow<'s, Value>> {
        match self.fields {
            Fields::None => None,
            Fields::Message(id) => table().message(id).field(name)?.implied().map(Cow::Owned),
            Fields::Structural(properties) => properties.get(name)?.default.as_ref().map(Cow::Borrowed),
        }
    }
}

#[cfg(test)]
mod tests;
