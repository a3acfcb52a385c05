//! The field table: what the public Go types say about each field of each built-in kind.
//!
//! `schema/table.txt` is generated from the Go sources and read once. It drives the codecs, the checks
//! of client input, strategic merge, apply, and `OpenAPI`.
//! Absent: groups that a control plane does not serve by default. The prose lies apart ([`prose`]).

pub mod index;
pub mod internal;
mod normalise;
mod parse;
pub mod prose;
pub mod restore;
pub mod table;

pub(crate) use normalise::zero;
pub use normalise::{normalise, normalise_message};
pub use table::{Field, Message, MessageId, Table, Type, table};

use crate::{GroupVersionKind, Object, wire};

/// The message of a kind, if the table knows it. The kinds of meta/v1 that every group has
/// (`DeleteOptions`, `WatchEvent`, …) are known in all groups.
#[must_use]
pub fn message_for(gvk: &GroupVersionKind) -> Option<MessageId> {
    table().kind(&gvk.group, &gvk.version, &gvk.kind)
}

/// Reads an object again as if a client had sent it: after a patch, for example.
pub fn check(object: &Object, default: Option<&GroupVersionKind>) -> Result<wire::Decoded, wire::DecodeError> {
    wire::decode(wire::Media::Json, &object.to_json(), default)
}
