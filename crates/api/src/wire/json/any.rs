//! Values without a type of their own.

use serde_json::{Map, Number, Value};

use super::reader::Reader;
use super::scan::Scan;

impl Reader<'_> {
    /// Any JSON, nulls included.
    pub(super) fn any(&mut self) -> Scan<Value> {
        Ok(match self.scan.peek()? {
            b'{' => Value::Object(self.any_object()?),
            b'[' => Value::Array(self.any_list()?),
            b'"' => Value::String(self.scan.string()?.into_owned()),
            b't' => self.scan.literal("true").map(|()| Value::Bool(true))?,
            b'f' => self.scan.literal("false").map(|()| Value::Bool(false))?,
            b'n' => self.scan.literal("null").map(|()| Value::Null)?,
            _ => {
                let text = self.scan.number()?;
                number(text).unwrap_or_else(|| {
                    self.refuse(format!("json: cannot unmarshal number {text} into Go value of type float64"));
                    Value::Null
                })
            }
        })
    }

    /// JSON that Go keeps as it is; a null was seen to before.
    pub(super) fn raw(&mut self) -> Scan<Value> {
        self.any()
    }

    fn any_object(&mut self) -> Scan<Map<String, Value>> {
        self.scan.open()?;
        let mut map = Map::new();
        while let Some(key) = self.scan.key(map.is_empty())? {
            let value = self.at_key(key.clone(), Self::any)?;
            if self.open {
                self.insert(&mut map, &key, value);
            } else {
                map.insert(key.into_owned(), value);
            }
        }
        Ok(map)
    }

    fn any_list(&mut self) -> Scan<Vec<Value>> {
        self.scan.open()?;
        let mut items = Vec::new();
        while self.scan.element(items.is_empty())? {
            let value = self.at_index(items.len(), Self::any)?;
            items.push(value);
        }
        Ok(items)
    }
}

/// A whole number if it is written as one and fits, else a floating one.
pub(crate) fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    text.parse().ok().and_then(Number::from_f64).map(Value::Number)
}
