//! JSON text to protobuf, in one pass.

use jiff::Timestamp;

use super::parts::{double, length_delimited, nested, try_nested, varint};
use crate::schema::{MessageId, Type, table};
use crate::wire::json::scan::{Scanner, SyntaxError};
use crate::wire::{EncodeError, text};

type Written = Result<(), EncodeError>;

/// Writes the body of a message whose JSON is the whole text.
pub(super) fn object(id: MessageId, json: &str, out: &mut Vec<u8>) -> Written {
    Writer { scan: Scanner::new(json) }.message(id, out)
}

struct Writer<'a> {
    scan: Scanner<'a>,
}

// === impl Writer ===

impl Writer<'_> {
    fn message(&mut self, id: MessageId, out: &mut Vec<u8>) -> Written {
        self.expect(b'{', "an object")?;
        let message = table().message(id);
        let (mut first, mut next) = (true, 0);
        while let Some(key) = self.scan.key(first)? {
            first = false;
            let null = self.scan.peek()? == b'n';
            let found = message.position(&key, next).filter(|_| !null);
            let Some(index) = found else {
                self.scan.skip()?;
                continue;
            };
            next = index + 1;
            let json = &message.json[index];
            if json.field.tag == 0 || json.via.contains(&0) {
                self.scan.skip()?;
            } else {
                self.within(&json.via, out, &json.field.ty, json.field.tag)?;
            }
        }
        Ok(())
    }

    /// A field of embedded structs stands in a piece of each; readers put the pieces together.
    fn within(&mut self, via: &[u32], out: &mut Vec<u8>, ty: &Type, tag: u32) -> Written {
        match via.split_first() {
            Some((outer, rest)) => try_nested(out, *outer, |out| self.within(rest, out, ty, tag)),
            None => self.field(ty, tag, out),
        }
    }

    fn field(&mut self, ty: &Type, tag: u32, out: &mut Vec<u8>) -> Written {
        match ty {
            Type::List(item) => self.items(item, tag, out),
            Type::Wrapped(item) => try_nested(out, tag, |out| self.items(item, 1, out)),
            Type::Map(_, item) => self.entries(item, tag, out),
            Type::Message(id) => try_nested(out, tag, |out| self.message(*id, out)),
            Type::Raw | Type::Fields | Type::Json => {
                let json = self.scan.skip()?;
                nested(out, tag, |out| length_delimited(out, 1, json.as_bytes()));
                Ok(())
            }
            Type::IntOrString => try_nested(out, tag, |out| self.int_or_string(out)),
            Type::SchemaOrArray | Type::SchemaOrBool | Type::SchemaOrStrings => {
                try_nested(out, tag, |out| self.schema_or(ty, out))
            }
            Type::Any => {
                self.scan.skip()?;
                Ok(())
            }
            Type::Bool => self.bool(tag, out),
            Type::Int32(_) | Type::Int64(_) => {
                let value: i64 = self.number()?;
                varint(out, tag, value.cast_unsigned());
                Ok(())
            }
            Type::Float => {
                double(out, tag, self.number()?);
                Ok(())
            }
            _ => self.string(ty, tag, out),
        }
    }

    fn items(&mut self, item: &Type, tag: u32, out: &mut Vec<u8>) -> Written {
        self.expect(b'[', "a list")?;
        let mut first = true;
        while self.scan.element(first)? {
            first = false;
            self.field(item, tag, out)?;
        }
        Ok(())
    }

    fn entries(&mut self, item: &Type, tag: u32, out: &mut Vec<u8>) -> Written {
        self.expect(b'{', "a map")?;
        let mut first = true;
        while let Some(key) = self.scan.key(first)? {
            first = false;
            try_nested(out, tag, |out| {
                length_delimited(out, 1, key.as_bytes());
                if self.scan.peek()? == b'n' {
                    self.scan.skip()?;
                    return Ok(());
                }
                self.field(item, 2, out)
            })?;
        }
        Ok(())
    }

    fn string(&mut self, ty: &Type, tag: u32, out: &mut Vec<u8>) -> Written {
        if self.scan.peek()? != b'"' {
            return Err(shape("a string"));
        }
        let value = self.scan.string()?;
        match ty {
            Type::Bytes => length_delimited(out, tag, &text::bytes(&value).map_err(EncodeError::Shape)?),
            Type::Quantity => nested(out, tag, |out| length_delimited(out, 1, value.as_bytes())),
            Type::Time | Type::MicroTime => {
                let time: Timestamp = value.parse().map_err(|_| shape("a time"))?;
                let nanos = if *ty == Type::Time { 0 } else { time.subsec_nanosecond() };
                nested(out, tag, |out| {
                    varint(out, 1, time.as_second().cast_unsigned());
                    varint(out, 2, i64::from(nanos).cast_unsigned());
                });
            }
            Type::Duration => {
                let nanos = text::nanos(&value).map_err(EncodeError::Shape)?;
                nested(out, tag, |out| varint(out, 1, nanos.cast_unsigned()));
            }
            _ => length_delimited(out, tag, value.as_bytes()),
        }
        Ok(())
    }

    fn bool(&mut self, tag: u32, out: &mut Vec<u8>) -> Written {
        let value = self.scan.skip()?;
        varint(out, tag, u64::from(value == "true"));
        Ok(())
    }

    fn number<T: std::str::FromStr>(&mut self) -> Result<T, EncodeError> {
        if !matches!(self.scan.peek()?, b'-' | b'0'..=b'9') {
            return Err(shape("a number"));
        }
        self.scan.number()?.parse().map_err(|_| shape("a number of the right size"))
    }

    fn int_or_string(&mut self, out: &mut Vec<u8>) -> Written {
        if self.scan.peek()? == b'"' {
            varint(out, 1, 1);
            varint(out, 2, 0);
            length_delimited(out, 3, self.scan.string()?.as_bytes());
        } else {
            let value: i64 = self.number()?;
            varint(out, 1, 0);
            varint(out, 2, value.cast_unsigned());
            length_delimited(out, 3, b"");
        }
        Ok(())
    }

    /// The three types of apiextensions that are a schema or something else.
    fn schema_or(&mut self, ty: &Type, out: &mut Vec<u8>) -> Written {
        let schema = Type::Message(schema_props());
        match (ty, self.scan.peek()?) {
            (Type::SchemaOrBool, b'{') => {
                varint(out, 1, 1);
                self.field(&schema, 2, out)
            }
            (Type::SchemaOrBool, _) => self.bool(1, out),
            (_, b'{') => self.field(&schema, 1, out),
            (Type::SchemaOrArray, _) => self.items(&schema, 2, out),
            _ => self.items(&Type::String(""), 2, out),
        }
    }

    fn expect(&mut self, open: u8, what: &str) -> Written {
        if self.scan.peek()? != open {
            return Err(shape(what));
        }
        self.scan.open()?;
        Ok(())
    }
}

pub(super) fn schema_props() -> MessageId {
    table().named("apiextensions/v1", "JSONSchemaProps").expect("the table has the kinds of apiextensions")
}

fn shape(expected: &str) -> EncodeError {
    EncodeError::Shape(format!("expected {expected}"))
}

impl From<SyntaxError> for EncodeError {
    fn from(error: SyntaxError) -> Self {
        Self::Shape(error.0)
    }
}
