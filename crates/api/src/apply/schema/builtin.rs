//! Places in the field table.

use super::{Atom, Fields, Inner, Keys, Map, Relation, Scalar, Type};
use crate::schema::{Field, MessageId, Type as Shape, table};

/// A place in the field table.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Message(MessageId),
    /// With what the field says of its value.
    Field(&'static Field),
    /// Of an item of a list, or of a map's value.
    Bare(&'static Shape),
}

// === impl Place ===

impl Place {
    pub(super) fn resolve(self) -> Atom<'static> {
        match self {
            Self::Message(id) => message(id, ""),
            Self::Field(field) => resolve(&field.ty, Some(field)),
            Self::Bare(shape) => resolve(shape, None),
        }
    }
}

fn resolve(shape: &'static Shape, field: Option<&'static Field>) -> Atom<'static> {
    let bare = |shape: &'static Shape| Type { inner: Inner::Builtin(Place::Bare(shape)) };
    match shape {
        Shape::Bool => Atom::scalar(Scalar::Boolean),
        Shape::Int32(_) | Shape::Int64(_) | Shape::Float => Atom::scalar(Scalar::Numeric),
        Shape::String(_) | Shape::Bytes | Shape::Duration => Atom::scalar(Scalar::String),
        Shape::Quantity | Shape::Time | Shape::MicroTime => Atom::scalar(Scalar::Untyped),
        Shape::Fields | Shape::Any => Atom::map(Map::open(Type::DEDUCED, false)),
        Shape::Raw => Type::UNTYPED.resolve(),
        Shape::IntOrString | Shape::Json | Shape::SchemaOrArray | Shape::SchemaOrBool | Shape::SchemaOrStrings => {
            Type::DEDUCED.resolve()
        }
        Shape::Message(id) => message(*id, field.map_or("", |field| field.struct_type)),
        Shape::List(item) | Shape::Wrapped(item) => Atom::list(bare(item), field.map_or(Relation::Atomic, relation)),
        Shape::Map(_, value) => Atom::map(Map::open(bare(value), field.is_some_and(|f| f.map_type == "atomic"))),
    }
}

/// A struct; what the field says of it goes before what the struct says.
fn message(id: MessageId, relation: &str) -> Atom<'static> {
    let atomic = if relation.is_empty() { table().message(id).atomic } else { relation == "atomic" };
    Atom::map(Map { fields: Fields::Message(id), element: None, atomic })
}

/// Where a list says nothing for apply, what it says for strategic merge counts.
fn relation(field: &'static Field) -> Relation<'static> {
    let keys = |keys: &'static str| Relation::Keys(Keys { text: keys, separator: ',' });
    match (field.list_type, field.merge_key) {
        ("map", _) => keys(field.list_keys),
        ("set", _) => Relation::Set,
        ("", key) if field.patch_strategy.starts_with("merge") => {
            if key.is_empty() {
                Relation::Set
            } else {
                keys(key)
            }
        }
        _ => Relation::Atomic,
    }
}
