//! JSON bodies.

use serde_json::Value;

use super::{DecodeError, Decoded};
use crate::{GroupVersionKind, Object};

pub(super) fn decode(bytes: &[u8], default: Option<&GroupVersionKind>) -> Result<Decoded, DecodeError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| DecodeError::Syntax(e.to_string()))?;
    let mut object = Object::from_value(value).map_err(|e| DecodeError::Type(e.to_string()))?;
    if let (None, Some(gvk)) = (object.gvk(), default) {
        object.set_gvk(gvk);
    }
    Ok(Decoded { object, faults: Vec::new() })
}
