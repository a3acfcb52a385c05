//! PartialObjectMetadata: an object without anything but its metadata.

use std::borrow::Cow;

use bytes::Bytes;
use nakhoda_api::{GroupVersionKind, Status};
use serde_json::{Map, Value};

use super::{META, json};

/// The kind of metadata-only objects and lists.
#[must_use]
pub fn gvk(kind: &str) -> GroupVersionKind {
    GroupVersionKind::new("meta.k8s.io", "v1", kind)
}

/// The metadata of an object as an object of its own, without some annotations.
pub fn of(json: &[u8], unshown: &[&str]) -> Result<Bytes, Status> {
    let mut out = Vec::new();
    write(json, unshown, &mut out)?;
    Ok(out.into())
}

/// The same, written behind something.
pub fn write(json: &[u8], unshown: &[&str], out: &mut Vec<u8>) -> Result<(), Status> {
    let mut metadata = Cow::Borrowed(json::metadata(json)?);
    if unshown.iter().any(|key| metadata.contains(key)) {
        metadata = Cow::Owned(without(&metadata, unshown)?);
    }
    out.extend_from_slice(br#"{"kind":"PartialObjectMetadata","apiVersion":""#);
    out.extend_from_slice(META.as_bytes());
    out.extend_from_slice(br#"","metadata":"#);
    out.extend_from_slice(metadata.as_bytes());
    out.push(b'}');
    Ok(())
}

fn without(metadata: &str, unshown: &[&str]) -> Result<String, Status> {
    let mut metadata: Map<String, Value> = serde_json::from_str(metadata).map_err(|e| Status::internal(&e))?;
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !unshown.contains(&key.as_str()));
        if annotations.is_empty() {
            metadata.shift_remove("annotations");
        }
    }
    Ok(Value::Object(metadata).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotations_that_stand_for_fields_are_not_shown() {
        let shown =
            |json: &str| String::from_utf8(of(json.as_bytes(), &["a"]).expect("metadata").to_vec()).expect("text");
        let head = r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#;
        let only = shown(r#"{"metadata":{"name":"x","annotations":{"a":"1"}}}"#);
        assert_eq!(only, format!(r#"{head}{{"name":"x"}}}}"#));
        let more = shown(r#"{"metadata":{"name":"x","annotations":{"a":"1","b":"2"}}}"#);
        assert_eq!(more, format!(r#"{head}{{"name":"x","annotations":{{"b":"2"}}}}}}"#));
    }
}
