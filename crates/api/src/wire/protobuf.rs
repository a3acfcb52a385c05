//! Protobuf bodies: the envelope, and a transcoder to and from JSON by the field table.
//!
//! What Go writes as a zero value may be missing in what we write: protobuf readers cannot tell.
//! Absent: kinds that the table does not know, custom resources above all; they have no protobuf form.

mod envelope;
pub(crate) mod parts;
mod read;
mod write;

use serde_json::Map;

use self::envelope::Unknown;
use self::parts::{length_delimited, nested, try_nested};
use super::{DecodeError, Decoded, EncodeError, json};
use crate::gvk::GroupVersion;
use crate::{GroupVersionKind, Object, schema};

pub(super) fn decode(bytes: &[u8], default: Option<&GroupVersionKind>) -> Result<Decoded, DecodeError> {
    let unknown = Unknown::read(bytes)?;
    if unknown.content_type == super::Media::Json.mime() {
        return json::decode(unknown.raw, default);
    }
    let gvk = resolve(&unknown, default)?;
    let object = body(unknown.raw, &gvk)?;
    Ok(Decoded { object, faults: Vec::new() })
}

/// See [`super::decode_as`].
pub(super) fn decode_as(bytes: &[u8], gvk: &GroupVersionKind) -> Result<(Object, GroupVersionKind), DecodeError> {
    let unknown = Unknown::read(bytes)?;
    let stored_as = resolve(&unknown, Some(gvk))?;
    Ok((body(unknown.raw, gvk)?, stored_as))
}

fn body(raw: &[u8], gvk: &GroupVersionKind) -> Result<Object, DecodeError> {
    let id = schema::message_for(gvk)
        .ok_or_else(|| DecodeError::UnknownKind { api_version: gvk.api_version(), kind: gvk.kind.clone() })?;
    let mut root = Map::new();
    root.insert("kind".into(), gvk.kind.clone().into());
    root.insert("apiVersion".into(), gvk.api_version().into());
    root.extend(read::message(id, raw, 0)?);
    Object::from_value(root.into()).map_err(|e| DecodeError::Type(e.to_string()))
}

fn resolve(unknown: &Unknown<'_>, default: Option<&GroupVersionKind>) -> Result<GroupVersionKind, DecodeError> {
    let version = match unknown.api_version {
        "" => default.map(GroupVersionKind::group_version).unwrap_or_default(),
        text => GroupVersion::parse(text).ok_or_else(|| DecodeError::ApiVersion(text.into()))?,
    };
    let kind = match unknown.kind {
        "" => default
            .map(|gvk| gvk.kind.clone())
            .ok_or_else(|| DecodeError::NoKind("unstructured object has no kind".into()))?,
        kind => kind.into(),
    };
    Ok(GroupVersionKind { group: version.group, version: version.version, kind })
}

/// The enveloped protobuf form of an object whose JSON is at hand. The JSON is trusted: fields that the
/// table does not know are passed over.
pub fn to_protobuf(gvk: &GroupVersionKind, json: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let id = schema::message_for(gvk).ok_or_else(|| EncodeError::UnknownKind(gvk.kind.clone()))?;
    let text = utf8(json)?;
    envelope::write(gvk, json.len(), |out| write::object(id, text, out))
}

/// What stands before and behind the items of an enveloped list. `metadata` is the JSON of the list's metadata,
/// `items` the length of all items together, each as [`list_item`] makes it.
pub fn list_frame(gvk: &GroupVersionKind, metadata: &[u8], items: usize) -> Result<(Vec<u8>, Vec<u8>), EncodeError> {
    let id = schema::message_for(gvk).ok_or_else(|| EncodeError::UnknownKind(gvk.kind.clone()))?;
    let mut inner = Vec::new();
    write::object(id, &format!(r#"{{"metadata":{}}}"#, utf8(metadata)?), &mut inner)?;
    Ok(envelope::around(gvk, &inner, items))
}

/// Writes an object whose JSON is at hand as an item of a list of this kind.
pub fn list_item(
    list: &GroupVersionKind,
    gvk: &GroupVersionKind,
    json: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let known =
        |gvk: &GroupVersionKind| schema::message_for(gvk).ok_or_else(|| EncodeError::UnknownKind(gvk.kind.clone()));
    let items = schema::table().message(known(list)?).field("items");
    let tag = items.ok_or_else(|| EncodeError::UnknownKind(list.kind.clone()))?.tag;
    let (id, text) = (known(gvk)?, utf8(json)?);
    try_nested(out, tag, |out| write::object(id, text, out))
}

/// One frame of a watch: the length, then a meta/v1 `WatchEvent` around an enveloped object. The event
/// itself has no envelope.
#[must_use]
pub fn watch_event(kind: &str, enveloped: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 4];
    length_delimited(&mut out, 1, kind.as_bytes());
    nested(&mut out, 2, |out| length_delimited(out, 1, enveloped));
    let length = u32::try_from(out.len() - 4).expect("an object is far smaller than 4 GiB");
    out[..4].copy_from_slice(&length.to_be_bytes());
    out
}

fn utf8(json: &[u8]) -> Result<&str, EncodeError> {
    std::str::from_utf8(json).map_err(|e| EncodeError::Shape(e.to_string()))
}

#[cfg(test)]
mod tests;
