//! The codec: bytes of a media type to [`Object`]s and back.
//!
//! One decoder reads client input, guided by the field table: it finds unknown and duplicate fields,
//! and values of the wrong type, in the texts of upstream. YAML is turned into JSON first, as
//! upstream does it. Protobuf is transcoded by the same table.
//! Absent: the sizes of bodies (the caller limits them) and CBOR.

mod error;
mod json;
mod media;
mod protobuf;
pub(crate) mod text;
mod yaml;

pub use error::{DecodeError, EncodeError};
pub(crate) use json::scan::MAX_DEPTH;
pub use media::Media;
pub(crate) use protobuf::parts;
pub use protobuf::{
    list_frame as protobuf_list_frame, list_item as protobuf_list_item, to_protobuf,
    watch_event as protobuf_watch_event,
};

use crate::{GroupVersionKind, Object};

/// What was read, and what was wrong with it without being fatal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// The object, without unknown fields and nulls; `apiVersion` and `kind` are set.
    pub object: Object,
    /// Unknown and duplicate fields in upstream's words: `unknown field "spec.x"`.
    pub faults: Vec<String>,
}

/// Reads an object that a client sent. `default` says what it is if it does not say so itself.
pub fn decode(media: Media, bytes: &[u8], default: Option<&GroupVersionKind>) -> Result<Decoded, DecodeError> {
    match media {
        Media::Json => json::decode(bytes, default),
        Media::Yaml => yaml::decode(bytes, default),
        Media::Protobuf => protobuf::decode(bytes, default),
    }
}

/// Reads a stored protobuf value as a kind, whatever version of it the envelope names: which is told, too. Versions
/// share field numbers unless they say otherwise, and who says so is for the caller to know.
pub fn decode_as(bytes: &[u8], gvk: &GroupVersionKind) -> Result<(Object, GroupVersionKind), DecodeError> {
    protobuf::decode_as(bytes, gvk)
}

/// Reads JSON of no known shape: the value, and the duplicate fields in it.
pub fn read_any(bytes: &[u8]) -> Result<(serde_json::Value, Vec<String>), DecodeError> {
    json::value(bytes)
}

/// Reads YAML of no known shape (JSON is YAML): the value, and a duplicate field in it.
pub fn read_yaml(bytes: &[u8]) -> Result<(serde_json::Value, Option<String>), DecodeError> {
    yaml::value(bytes)
}

/// Reads the metadata of an object within an object: its known fields, and a text about each other one. `at` is
/// where the metadata stands.
pub fn metadata(
    value: &serde_json::Value,
    at: &str,
) -> Result<(serde_json::Map<String, serde_json::Value>, Vec<String>), DecodeError> {
    json::metadata(value, at)
}

/// The text of a member of an object whose JSON is trusted; none if it has none, or null.
pub fn member<'a>(json: &'a [u8], name: &str) -> Result<Option<&'a str>, DecodeError> {
    Ok(json::cut::member(trusted(json)?, name)?)
}

/// Trusted JSON without the members of these names, wherever they stand.
pub fn without(json: &[u8], names: &[&str]) -> Result<String, DecodeError> {
    Ok(json::cut::without(trusted(json)?, names)?)
}

fn trusted(json: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(json).map_err(|error| DecodeError::Type(error.to_string()))
}

/// Writes an object. Protobuf needs a kind that the field table knows.
pub fn encode(media: Media, object: &Object) -> Result<Vec<u8>, EncodeError> {
    match media {
        Media::Json => Ok(object.to_json()),
        Media::Yaml => yaml::encode(object),
        Media::Protobuf => {
            let gvk = object.gvk().ok_or_else(|| EncodeError::UnknownKind(object.kind().into()))?;
            to_protobuf(&gvk, &object.to_json())
        }
    }
}

#[cfg(test)]
mod tests;
