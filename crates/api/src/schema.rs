//! The field table: what the public Go types say about each field of each built-in kind.

use crate::{GroupVersionKind, Object};

/// A message of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub(crate) u16);

/// The message of a kind, if the table knows it.
#[must_use]
pub fn message_for(_gvk: &GroupVersionKind) -> Option<MessageId> {
    None
}

/// Puts the fields into the order of the Go types, adds the zero values that Go writes, and drops
/// those that Go omits. Does nothing to kinds that the table does not know.
pub fn normalise(_object: &mut Object) {}
