//! PartialObjectMetadata: an object without anything but its metadata.

use bytes::Bytes;
use nakhoda_api::{GroupVersionKind, Status};

use super::{META, json};

/// The kind of metadata-only objects and lists.
#[must_use]
pub fn gvk(kind: &str) -> GroupVersionKind {
    GroupVersionKind::new("meta.k8s.io", "v1", kind)
}

/// The metadata of an object as an object of its own.
pub fn of(json: &[u8]) -> Result<Bytes, Status> {
    let metadata = json::metadata(json)?;
    Ok(format!(r#"{{"kind":"PartialObjectMetadata","apiVersion":"{META}","metadata":{metadata}}}"#).into())
}
