//! The envelope: four bytes, then a `runtime.Unknown` that says what the body is.

use super::parts::{Fields, length_delimited, nested, start, try_nested};
use crate::GroupVersionKind;
use crate::wire::{DecodeError, EncodeError};

pub(super) const MAGIC: &[u8] = b"k8s\0";

/// `runtime.Unknown`.
#[derive(Debug, Default)]
pub(super) struct Unknown<'a> {
    pub(super) api_version: &'a str,
    pub(super) kind: &'a str,
    pub(super) raw: &'a [u8],
    pub(super) content_type: &'a str,
}

// === impl Unknown ===

impl<'a> Unknown<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(DecodeError::Protobuf(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
        ))?;
        let mut unknown = Self::default();
        for field in Fields(body) {
            match field? {
                (1, payload) => unknown.type_meta(payload.bytes()?)?,
                (2, payload) => unknown.raw = payload.bytes()?,
                (3, payload) if !payload.bytes()?.is_empty() => {
                    return Err(DecodeError::Protobuf("the body has a content encoding, which is not supported"));
                }
                (4, payload) => unknown.content_type = text(payload.bytes()?)?,
                _ => {}
            }
        }
        Ok(unknown)
    }

    fn type_meta(&mut self, bytes: &'a [u8]) -> Result<(), DecodeError> {
        for field in Fields(bytes) {
            match field? {
                (1, payload) => self.api_version = text(payload.bytes()?)?,
                (2, payload) => self.kind = text(payload.bytes()?)?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(bytes).map_err(|_| DecodeError::Protobuf("the envelope's texts are not UTF-8"))
}

/// Writes an envelope around a body.
pub(super) fn write(
    gvk: &GroupVersionKind,
    size: usize,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::with_capacity(size / 2 + 128);
    open(gvk, &mut out);
    try_nested(&mut out, 2, body)?;
    close(&mut out);
    Ok(out)
}

/// The two ends of an envelope around a body that begins with `first`, after which `more` bytes come.
pub(super) fn around(gvk: &GroupVersionKind, first: &[u8], more: usize) -> (Vec<u8>, Vec<u8>) {
    let (mut head, mut tail) = (Vec::with_capacity(first.len() + 128), Vec::new());
    open(gvk, &mut head);
    start(&mut head, 2, first.len() + more);
    head.extend_from_slice(first);
    close(&mut tail);
    (head, tail)
}

fn open(gvk: &GroupVersionKind, out: &mut Vec<u8>) {
    out.extend_from_slice(MAGIC);
    nested(out, 1, |out| {
        length_delimited(out, 1, gvk.api_version().as_bytes());
        length_delimited(out, 2, gvk.kind.as_bytes());
    });
}

fn close(out: &mut Vec<u8>) {
    length_delimited(out, 3, b"");
    length_delimited(out, 4, b"");
}
