//! What the field table says about a key of a patch.

use crate::schema::{MessageId, Type, table};

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Message(MessageId),
    /// A map with values of one type.
    Values(&'static Type),
    /// Nothing.
    Open,
}

/// How a key merges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lookup {
    /// Of the value; for lists, of the items.
    pub(super) shape: Shape,
    /// `merge`, `replace` or empty; `retainKeys` is no strategy of its own here.
    pub(super) strategy: &'static str,
    /// Of lists of objects; may be empty.
    pub(super) key: &'static str,
}

// === impl Shape ===

impl Shape {
    fn of(ty: &'static Type) -> Self {
        match ty {
            Type::Message(id) => Self::Message(*id),
            Type::Map(_, value) => Self::Values(value),
            Type::List(item) | Type::Wrapped(item) => Self::of(item),
            _ => Self::Open,
        }
    }

    pub(super) fn lookup(self, key: &str) -> Lookup {
        let plain = |shape| Lookup { shape, strategy: "", key: "" };
        match self {
            Self::Open => plain(Self::Open),
            Self::Values(ty) => plain(Self::of(ty)),
            Self::Message(id) => table().message(id).field(key).map_or(plain(Self::Open), |field| Lookup {
                shape: Self::of(&field.ty),
                strategy: field.patch_strategy.split(',').find(|s| *s != "retainKeys").unwrap_or_default(),
                key: field.merge_key,
            }),
        }
    }
}
