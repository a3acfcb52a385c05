//! JSON bodies, read by the field table.

mod any;
pub(crate) mod cut;
mod reader;
mod scalar;
pub(crate) mod scan;

use std::borrow::Cow;

use self::reader::Reader;
use self::scan::{Scan, Scanner, SyntaxError};
use super::{DecodeError, Decoded};
use crate::gvk::GroupVersion;
use crate::{GroupVersionKind, Object, schema};

/// What upstream's error says when the root is no object: the type it reads the kind into.
const TYPE_META: &str =
    r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;

pub(super) fn decode(bytes: &[u8], default: Option<&GroupVersionKind>) -> Result<Decoded, DecodeError> {
    let text = String::from_utf8_lossy(bytes);
    let gvk = resolve(kind_of(&text)?, default, &text)?;
    let decoded = read(&text, &gvk)?;
    // of a kind that is told twice the last counts
    match decoded.object.gvk().filter(|last| *last != gvk) {
        Some(last) => read(&text, &last),
        None => Ok(decoded),
    }
}

fn read(text: &str, gvk: &GroupVersionKind) -> Result<Decoded, DecodeError> {
    let message = schema::message_for(gvk);
    let mut reader = Reader::new(text, message.is_none());
    let root = reader.root(message)?;
    let mut object = Object::from_value(root).map_err(|e| DecodeError::Type(e.to_string()))?;
    if object.str_at(&["kind"]).is_none() || object.str_at(&["apiVersion"]).is_none() {
        object = typed_first(gvk, object);
    }
    Ok(Decoded { object, faults: reader.faults })
}

/// A value of no known shape, and the duplicate fields in it.
pub(super) fn value(bytes: &[u8]) -> Result<(serde_json::Value, Vec<String>), DecodeError> {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::new(&text, true);
    let value = reader.any()?;
    reader.scan.finish()?;
    Ok((value, reader.faults))
}

/// Metadata by its type, told as standing at `at`.
pub(super) fn metadata(
    value: &serde_json::Value,
    at: &str,
) -> Result<(serde_json::Map<String, serde_json::Value>, Vec<String>), DecodeError> {
    let text = value.to_string();
    let mut reader = Reader::new(&text, false);
    let map = reader.metadata(at)?;
    Ok((map, reader.faults))
}

fn typed_first(gvk: &GroupVersionKind, mut object: Object) -> Object {
    let mut out = Object::of(gvk);
    for (key, value) in std::mem::take(object.root_mut()) {
        out.root_mut().entry(key).or_insert(value);
    }
    out
}

/// What the body says of its kind; either may be empty.
struct Said<'a> {
    api_version: Cow<'a, str>,
    kind: Cow<'a, str>,
}

fn kind_of(text: &str) -> Result<Said<'_>, DecodeError> {
    let mut scan = Scanner::new(text);
    let first = scan.peek()?;
    if first != b'{' {
        let shape = match first {
            b'[' => "array",
            b'"' => "string",
            b't' | b'f' => "bool",
            b'n' => return Ok(Said { api_version: "".into(), kind: "".into() }),
            _ => "number",
        };
        scan.skip()?;
        scan.finish()?;
        return Err(DecodeError::Syntax(format!("json: cannot unmarshal {shape} into Go value of type {TYPE_META}")));
    }
    scan.open()?;
    Ok(top_level(&mut scan)?)
}

fn top_level<'a>(scan: &mut Scanner<'a>) -> Scan<Said<'a>> {
    let (mut api_version, mut kind) = (None, None);
    let mut first = true;
    while let Some(key) = scan.key(first)? {
        first = false;
        let target = match &*key {
            "apiVersion" => &mut api_version,
            "kind" => &mut kind,
            _ => {
                scan.skip()?;
                continue;
            }
        };
        if scan.peek()? == b'"' {
            *target = Some(scan.string()?);
        } else {
            scan.skip()?;
        }
        if api_version.is_some() && kind.is_some() {
            break;
        }
    }
    Ok(Said { api_version: api_version.unwrap_or_default(), kind: kind.unwrap_or_default() })
}

/// Fills what the body leaves out from the default, as upstream's serializer does.
fn resolve(said: Said<'_>, default: Option<&GroupVersionKind>, text: &str) -> Result<GroupVersionKind, DecodeError> {
    let version = match &*said.api_version {
        "" => default.map(GroupVersionKind::group_version).unwrap_or_default(),
        text => GroupVersion::parse(text).ok_or_else(|| DecodeError::ApiVersion(text.into()))?,
    };
    let kind = match &*said.kind {
        "" => default.map(|gvk| gvk.kind.clone()).ok_or_else(|| DecodeError::NoKind(text.into()))?,
        kind => kind.into(),
    };
    Ok(GroupVersionKind { group: version.group, version: version.version, kind })
}

impl From<SyntaxError> for DecodeError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error.0)
    }
}

#[cfg(test)]
mod tests;
