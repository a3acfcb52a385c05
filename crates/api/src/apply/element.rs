//! One step of a path into an object, and the order of steps.

use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

/// A step from a map or a list to one of its items.
#[derive(Clone, Debug)]
pub enum Element {
    /// A field of a struct or an entry of a map.
    Field(Box<str>),
    /// The item of a list whose fields have these values; sorted by name.
    Key(Vec<(Box<str>, Value)>),
    /// The item of a set that is this scalar.
    Value(Value),
    /// The item at a place of a list.
    Index(i64),
}

/// The text of a step in `fieldsV1` cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElementError {
    /// A step has a letter and a colon before its content.
    #[error("key must be 2 characters long:")]
    Short,
    /// The second character is no colon.
    #[error("missing colon: {0}")]
    Colon(String),
    /// The content is no JSON, or no number.
    #[error("parsing key as path element: {0}")]
    Content(String),
}

// === impl Element ===

impl Element {
    /// The step to a field.
    #[must_use]
    pub fn field(name: &str) -> Self {
        Self::Field(name.into())
    }

    /// Reads a step of `fieldsV1`: `f:name`, `k:{"name":"a"}`, `v:1`, `i:0`. `None`: a kind of step that is unknown,
    /// which is passed over as upstream does it.
    pub fn parse(text: &str) -> Result<Option<Self>, ElementError> {
        let kind = text.chars().next().filter(|_| text.len() >= 2).ok_or(ElementError::Short)?;
        let content = text
            .strip_prefix(kind)
            .and_then(|rest| rest.strip_prefix(':'))
            .ok_or_else(|| ElementError::Colon(text.to_owned()))?;
        let fault = |error: &dyn fmt::Display| ElementError::Content(error.to_string());
        Ok(Some(match kind {
            'f' => Self::field(content),
            'v' => Self::Value(serde_json::from_str(content).map_err(|e| fault(&e))?),
            'k' => {
                let fields: Map<String, Value> = serde_json::from_str(content).map_err(|e| fault(&e))?;
                Self::key(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
            }
            'i' => Self::Index(content.parse().map_err(|e| fault(&e))?),
            _ => return Ok(None),
        }))
    }

    /// The step to the item with these fields.
    #[must_use]
    pub fn key(mut fields: Vec<(Box<str>, Value)>) -> Self {
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self::Key(fields)
    }

    /// The step as `fieldsV1` has it.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Value(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
            Self::Key(fields) => {
                let fields: Map<String, Value> =
                    fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
                format!("k:{}", Value::Object(fields))
            }
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl Ord for Element {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => {
                let orders = a.iter().zip(b).map(|(x, y)| x.0.cmp(&y.0).then_with(|| compare(&x.1, &y.1)));
                orders.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
            }
            (Self::Value(a), Self::Value(b)) => compare(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Element {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Element {}

/// As conflicts are told: `.spec`, `[name="a"]`, `[="x"]`, `[0]`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Key(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "[{}]", fields.join(","))
            }
        }
    }
}

/// A total order of values: numbers by their worth, then strings, booleans, lists, maps, null.
#[must_use]
pub fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let unequal = a.iter().zip(b).map(|(x, y)| compare(x, y)).find(|order| order.is_ne());
            unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => entries(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Whether two values are the same: numbers by their worth, maps in any order.
#[must_use]
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(x, y)| equal(x, y)),
        (Value::Number(a), Value::Number(b)) => numbers(a, b).is_eq(),
        _ => a == b,
    }
}

fn numbers(a: &serde_json::Number, b: &serde_json::Number) -> Ordering {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}

fn entries(a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    let sorted = |map: &Map<String, Value>| {
        let mut entries: Vec<_> = map.clone().into_iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        entries
    };
    let (a, b) = (sorted(a), sorted(b));
    let unequal =
        a.iter().zip(&b).map(|(x, y)| x.0.cmp(&y.0).then_with(|| compare(&x.1, &y.1))).find(|order| order.is_ne());
    unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
}

const fn rank(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn steps_are_read_and_written_as_they_stand() {
        for text in ["f:spec", "f:", "k:{\"containerPort\":80,\"protocol\":\"TCP\"}", "v:\"a\"", "v:1", "i:3"] {
            let element = Element::parse(text).expect("reads").expect("is known");
            assert_eq!(element.encode(), text);
        }
        assert_eq!(Element::parse("x:new"), Ok(None));
        assert_eq!(Element::parse("f"), Err(ElementError::Short));
        assert_eq!(Element::parse("spec"), Err(ElementError::Colon("spec".into())));
        assert!(matches!(Element::parse("k:{"), Err(ElementError::Content(_))));
    }

    #[test]
    fn fields_stand_before_keys_and_keys_before_values() {
        let key = |value: Value| Element::key(vec![("name".into(), value)]);
        let mut elements = [Element::Value(json!("a")), key(json!("b")), Element::field("z"), key(json!(1))];
        elements.sort();
        let texts = elements.map(|element| element.to_string());
        assert_eq!(texts, [".z", "[name=1]", "[name=\"b\"]", "[=\"a\"]"]);
    }

    #[test]
    fn numbers_are_the_same_by_their_worth() {
        assert!(equal(&json!({"a": 1, "b": [2]}), &json!({"b": [2.0], "a": 1.0})));
        assert!(!equal(&json!({"a": 1}), &json!({"a": "1"})));
        assert!(compare(&json!(2), &json!("1")).is_lt());
    }
}
