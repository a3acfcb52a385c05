//! YAML bodies: turned into JSON, then read as such.

use serde_json::Value;

use super::{DecodeError, Decoded, EncodeError, json};
use crate::{GroupVersionKind, Object};

pub(super) fn decode(bytes: &[u8], default: Option<&GroupVersionKind>) -> Result<Decoded, DecodeError> {
    let value: Value = serde_saphyr::from_slice(bytes).map_err(|e| DecodeError::Yaml(e.to_string()))?;
    json::decode(value.to_string().as_bytes(), default)
}

pub(super) fn encode(object: &Object) -> Result<Vec<u8>, EncodeError> {
    serde_saphyr::to_string(object).map(String::into_bytes).map_err(|e| EncodeError::Yaml(Box::new(e)))
}
