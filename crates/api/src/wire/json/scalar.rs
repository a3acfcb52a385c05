//! Values that are no struct, list or map.

use serde_json::Value;

use super::any::number;
use super::reader::Reader;
use super::scan::Scan;
use crate::quantity::Quantity;
use crate::schema::Type;
use crate::wire::text;

impl Reader<'_> {
    pub(super) fn scalar(&mut self, ty: &'static Type, first: u8) -> Scan<Option<Value>> {
        match first {
            b'"' => self.read_string(ty),
            b'-' | b'0'..=b'9' => self.read_number(ty),
            b't' | b'f' => self.read_bool(ty, first == b't'),
            b'{' => self.wrong(ty, "object"),
            _ => self.wrong(ty, "array"),
        }
    }

    fn wrong(&mut self, ty: &Type, found: &str) -> Scan<Option<Value>> {
        match ty {
            // These parse their own text, so Go tells of the type within.
            Type::Time | Type::MicroTime | Type::Duration => self.mismatch(found, "string"),
            Type::IntOrString => self.mismatch(found, "int32"),
            Type::Quantity => self.refuse(Quantity::parse("{").map_or_else(|e| e.to_string(), |_| String::new())),
            Type::SchemaOrArray | Type::SchemaOrBool | Type::SchemaOrStrings => {
                self.refuse("json: cannot unmarshal boolean JSON or object".into());
            }
            _ => self.mismatch(found, &ty.go_name()),
        }
        self.scan.skip()?;
        Ok(None)
    }

    fn read_bool(&mut self, ty: &Type, value: bool) -> Scan<Option<Value>> {
        match ty {
            Type::Bool | Type::SchemaOrBool => {
                self.scan.literal(if value { "true" } else { "false" })?;
                Ok(Some(Value::Bool(value)))
            }
            _ => self.wrong(ty, "bool"),
        }
    }

    fn read_number(&mut self, ty: &Type) -> Scan<Option<Value>> {
        match ty {
            Type::Int32(_) | Type::IntOrString => self.whole(ty, i64::from(i32::MIN)..=i64::from(i32::MAX)),
            Type::Int64(_) => self.whole(ty, i64::MIN..=i64::MAX),
            Type::Float => {
                let text = self.scan.number()?;
                let value = number(text);
                if value.is_none() {
                    self.mismatch(&format!("number {text}"), "float64");
                }
                Ok(value)
            }
            Type::Quantity => {
                let text = self.scan.number()?;
                Ok(self.quantity(text))
            }
            _ => self.wrong(ty, "number"),
        }
    }

    fn whole(&mut self, ty: &Type, range: std::ops::RangeInclusive<i64>) -> Scan<Option<Value>> {
        let text = self.scan.number()?;
        let value = text.parse::<i64>().ok().filter(|n| range.contains(n));
        if value.is_none() {
            let name = if *ty == Type::IntOrString { "int32".into() } else { ty.go_name() };
            self.misfit(text, &name);
        }
        Ok(value.map(Value::from))
    }

    fn read_string(&mut self, ty: &Type) -> Scan<Option<Value>> {
        let read = match ty {
            Type::String(_) | Type::IntOrString => return Ok(Some(Value::String(self.scan.string()?.into_owned()))),
            Type::Bytes => text::base64,
            Type::Time => text::time,
            Type::MicroTime => text::micro_time,
            Type::Duration => text::duration,
            Type::Quantity => {
                let text = self.scan.string()?;
                return Ok(self.quantity(text.trim()));
            }
            _ => return self.wrong(ty, "string"),
        };
        let text = self.scan.string()?;
        match read(&text) {
            Ok(value) => Ok(Some(Value::String(value))),
            Err(fault) => {
                self.refuse(fault);
                Ok(None)
            }
        }
    }

    fn quantity(&mut self, text: &str) -> Option<Value> {
        match Quantity::parse(text) {
            Ok(quantity) => Some(Value::String(quantity.to_string())),
            Err(fault) => {
                self.refuse(fault.to_string());
                None
            }
        }
    }
}
