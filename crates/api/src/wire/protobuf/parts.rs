//! The primitives of protobuf: varints, keys, fields.

use crate::wire::DecodeError;

const SHORT: DecodeError = DecodeError::Protobuf("unexpected EOF");

/// What stands behind a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Payload<'a> {
    Varint(u64),
    Fixed(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, in the order in which they were written.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

// === impl Payload ===

impl<'a> Payload<'a> {
    pub(super) const fn bytes(self) -> Result<&'a [u8], DecodeError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(DecodeError::Protobuf("proto: wrong wireType, expected 2")),
        }
    }

    pub(super) const fn varint(self) -> Result<u64, DecodeError> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(DecodeError::Protobuf("proto: wrong wireType, expected 0")),
        }
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(SHORT)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Protobuf("proto: integer overflow"))
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], DecodeError> {
        let count = usize::try_from(count).map_err(|_| SHORT)?;
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn next_field(&mut self) -> Result<(u32, Payload<'a>), DecodeError> {
        let key = self.varint()?;
        let tag = u32::try_from(key >> 3).ok().filter(|t| *t > 0).ok_or(DecodeError::Protobuf("proto: illegal tag"))?;
        let payload = match key & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed(u64::from_le_bytes(self.take(8)?.try_into().expect("eight were taken"))),
            2 => {
                let length = self.varint()?;
                Payload::Bytes(self.take(length)?)
            }
            5 => Payload::Fixed(u32::from_le_bytes(self.take(4)?.try_into().expect("four were taken")).into()),
            _ => return Err(DecodeError::Protobuf("proto: illegal wireType")),
        };
        Ok((tag, payload))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Payload<'a>), DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.next_field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn varint(out: &mut Vec<u8>, tag: u32, value: u64) {
    put_varint(out, u64::from(tag) << 3);
    put_varint(out, value);
}

pub(crate) fn double(out: &mut Vec<u8>, tag: u32, value: f64) {
    put_varint(out, u64::from(tag) << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn length_delimited(out: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    start(out, tag, bytes.len());
    out.extend_from_slice(bytes);
}

/// What stands before so many bytes of a field.
pub(crate) fn start(out: &mut Vec<u8>, tag: u32, length: usize) {
    put_varint(out, u64::from(tag) << 3 | 2);
    put_varint(out, length as u64);
}

/// A nested message whose length is known when it is written: one byte is kept for it, and the body
/// moves where that is too little.
pub(crate) fn try_nested<E>(
    out: &mut Vec<u8>,
    tag: u32,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    put_varint(out, u64::from(tag) << 3 | 2);
    let at = out.len();
    out.push(0);
    body(out)?;
    let length = out.len() - at - 1;
    if length < 0x80 {
        out[at] = length as u8;
    } else {
        let mut prefix = Vec::with_capacity(5);
        put_varint(&mut prefix, length as u64);
        out.splice(at..=at, prefix);
    }
    Ok(())
}

/// The same with a body that cannot fail.
pub(crate) fn nested(out: &mut Vec<u8>, tag: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let Ok(()) = try_nested(out, tag, |out| {
        body(out);
        Ok::<(), std::convert::Infallible>(())
    });
}
