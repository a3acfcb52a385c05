//! Protobuf bodies.

use super::EncodeError;
use crate::GroupVersionKind;

/// The enveloped protobuf form of an object whose normalised JSON is at hand.
pub fn to_protobuf(gvk: &GroupVersionKind, _json: &[u8]) -> Result<Vec<u8>, EncodeError> {
    Err(EncodeError::UnknownKind(gvk.kind.clone()))
}

/// The enveloped list of objects that are at hand in their enveloped form. `metadata` is the JSON of
/// the list's metadata.
pub fn list<'a>(
    gvk: &GroupVersionKind,
    _metadata: &[u8],
    _items: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, EncodeError> {
    Err(EncodeError::UnknownKind(gvk.kind.clone()))
}

/// One frame of a watch: the length, then a meta/v1 `WatchEvent` around an enveloped object.
#[must_use]
pub fn watch_event(kind: &str, enveloped: &[u8]) -> Vec<u8> {
    let raw = field(1, enveloped);
    let event = [field(1, kind.as_bytes()), field(2, &raw)].concat();
    let length = u32::try_from(event.len()).expect("an object is far smaller than 4 GiB");
    [&length.to_be_bytes()[..], &event].concat()
}

fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![tag << 3 | 2];
    let mut rest = bytes.len();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out.extend_from_slice(bytes);
    out
}
