//! Values: JSON where it lies, and what expressions make.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;
use std::rc::Rc;

use base64::Engine;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Number, Value};

use super::library::authorizer::Inquiry;
use crate::quantity::Quantity;
use crate::structural::Schema;

/// A value.
#[derive(Clone, Debug)]
pub enum Val<'a> {
    /// `null`.
    Null,
    /// Truth.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number from zero on.
    Uint(u64),
    /// A floating number.
    Double(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A point of time.
    Time(Timestamp),
    /// A span of time.
    Duration(SignedDuration),
    /// A list as it lies in JSON, and the schema of its items.
    Array(&'a [Value], Option<&'a Schema>),
    /// An object as it lies in JSON, and its schema.
    Object(&'a Map<String, Value>, Option<&'a Schema>),
    /// A list that was made.
    List(Rc<Vec<Self>>),
    /// A map that was made.
    Map(Rc<Vec<(Self, Self)>>),
    /// A value of a named type that was made.
    Made(Rc<Made<'a>>),
    /// A value that may be missing.
    Optional(Option<Rc<Self>>),
    /// A type.
    Type(&'static str),
    /// An amount.
    Quantity(Quantity),
    /// An address.
    Ip(IpAddr),
    /// A range of addresses.
    Cidr(IpAddr, u8),
    /// Scheme, authority, path and query of a URL.
    Url(Rc<[String; 4]>),
    /// A version.
    Semver(Rc<(u64, u64, u64, String)>),
    /// A format by its name.
    Format(&'static str),
    /// A question of authorization on its way.
    Inquiry(Rc<Inquiry<'a>>),
}

/// A value of a named type.
#[derive(Clone, Debug)]
pub struct Made<'a> {
    /// The name of the type, for example `Object.spec`.
    pub name: &'a str,
    /// The fields that were set.
    pub fields: Vec<(&'a str, Val<'a>)>,
}

// === impl Val ===

impl<'a> Val<'a> {
    /// JSON by its schema; without one by what it is.
    #[must_use]
    pub fn of(value: &'a Value, schema: Option<&'a Schema>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(number) => Self::number(number, schema),
            Value::String(text) => Self::text(text, schema),
            Value::Array(items) => Self::Array(items, schema.and_then(Schema::item)),
            Value::Object(map) => Self::Object(map, schema),
        }
    }

    fn number(number: &Number, schema: Option<&Schema>) -> Self {
        let double = schema.is_some_and(|schema| schema.kind == "number");
        match (number.as_i64(), crate::structural::go::whole(number).and_then(|whole| whole.as_i64())) {
            (Some(whole), _) if !double => Self::Int(whole),
            (None, Some(whole)) if schema.is_some_and(|schema| schema.kind == "integer") => Self::Int(whole),
            _ => Self::Double(number.as_f64().unwrap_or_default()),
        }
    }

    fn text(text: &'a str, schema: Option<&Schema>) -> Self {
        let plain = Self::Text(Cow::Borrowed(text));
        match schema.map_or("", |schema| schema.format.as_str()) {
            "byte" => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(text);
                bytes.map_or(plain, |bytes| Self::Bytes(bytes.into()))
            }
            "duration" => super::library::time::duration(text).map_or(plain, Self::Duration),
            "date-time" => text.parse().map_or(plain, Self::Time),
            "date" => format!("{text}T00:00:00Z").parse().map_or(plain, Self::Time),
            _ => plain,
        }
    }

    /// A text that was made.
    #[must_use]
    pub fn made(text: impl Into<String>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// A list that was made.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(items))
    }

    /// A value that is there, as an optional.
    #[must_use]
    pub fn some(self) -> Self {
        Self::Optional(Some(Rc::new(self)))
    }

    /// The items of a list.
    #[must_use]
    pub fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::Array(items, schema) => Some(items.iter().map(|item| Self::of(item, *schema)).collect()),
            Self::List(items) => Some(items.to_vec()),
            _ => None,
        }
    }

    /// The keys of a map; fields of an object by their names in expressions.
    #[must_use]
    pub fn keys(&self) -> Option<Vec<Self>> {
        match self {
            Self::Object(map, _) => Some(map.keys().map(|key| Self::Text(Cow::Borrowed(key))).collect()),
            Self::Map(entries) => Some(entries.iter().map(|(key, _)| key.clone()).collect()),
            _ => None,
        }
    }

    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Object(map, schema) => {
                let known = schema.is_some_and(|schema| schema.additional_properties.is_none());
                let plain = if known { Cow::Owned(unescaped(name)) } else { Cow::Borrowed(name) };
                let below = schema.and_then(|s| s.properties.get(&*plain).or_else(|| s.value()));
                map.get(&*plain).map(|value| Self::of(value, below))
            }
            Self::Map(entries) => {
                let found = entries.iter().find(|(key, _)| matches!(key, Self::Text(key) if key == name));
                found.map(|(_, value)| value.clone())
            }
            Self::Inquiry(inquiry) => inquiry.field(name),
            Self::Made(made) => made.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone()),
            _ => None,
        }
    }

    /// How many items, entries or characters.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        Some(match self {
            Self::Text(text) => text.chars().count(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Array(items, _) => items.len(),
            Self::List(items) => items.len(),
            Self::Object(map, _) => map.len(),
            Self::Map(entries) => entries.len(),
            _ => return None,
        })
    }

    /// The name of the type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Time(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Array(..) | Self::List(_) => "list",
            Self::Object(..) | Self::Map(_) => "map",
            Self::Made(_) => "object",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Ip(_) => "net.IP",
            Self::Cidr(..) => "net.CIDR",
            Self::Url(_) => "kubernetes.URL",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Format(_) => "kubernetes.NamedFormat",
            Self::Inquiry(inquiry) => inquiry.stage.kind(),
        }
    }

    /// Whether it counts as nothing: `optional.ofNonZeroValue`.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Null | Self::Optional(None) => true,
            Self::Bool(b) => !b,
            Self::Int(n) => *n == 0,
            Self::Uint(n) => *n == 0,
            Self::Double(n) => *n == 0.0,
            Self::Made(made) => made.fields.is_empty(),
            other => other.size() == Some(0),
        }
    }

    /// As JSON, for who made the expression.
    #[must_use]
    pub fn json(&self) -> Value {
        match self {
            Self::Bool(b) => (*b).into(),
            Self::Int(n) => (*n).into(),
            Self::Uint(n) => (*n).into(),
            Self::Double(n) => (*n).into(),
            Self::Text(text) => text.as_ref().into(),
            Self::Bytes(bytes) => base64::engine::general_purpose::STANDARD.encode(bytes).into(),
            Self::Object(map, _) => Value::Object((*map).clone()),
            Self::Array(items, _) => Value::Array(items.to_vec()),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Map(entries) => entries
                .iter()
                .filter_map(|(key, value)| Some((key.printed()?, value.json())))
                .collect::<Map<_, _>>()
                .into(),
            Self::Made(made) => {
                made.fields.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect::<Map<_, _>>().into()
            }
            Self::Optional(Some(value)) => value.json(),
            Self::Null | Self::Optional(None) => Value::Null,
            other => other.printed().map_or(Value::Null, Value::String),
        }
    }

    /// As `string()` makes it; nothing of what has no text.
    #[must_use]
    pub fn printed(&self) -> Option<String> {
        Some(match self {
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Uint(n) => n.to_string(),
            Self::Double(n) => crate::structural::go::float(*n),
            Self::Text(text) => text.to_string(),
            Self::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok()?,
            Self::Time(time) => time.to_string(),
            Self::Duration(span) => super::library::time::printed(*span),
            Self::Quantity(quantity) => quantity.to_string(),
            Self::Ip(ip) => ip.to_string(),
            Self::Cidr(ip, bits) => format!("{ip}/{bits}"),
            Self::Type(name) => (*name).to_owned(),
            Self::Semver(v) => {
                format!("{}.{}.{}{}", v.0, v.1, v.2, if v.3.is_empty() { String::new() } else { format!("-{}", v.3) })
            }
            _ => return None,
        })
    }

    /// Whether two values are the same; numbers across their types.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Format(a), Self::Format(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a, n), Self::Cidr(b, m)) => a == b && n == m,
            (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Made(a), Self::Made(b)) => {
                let field = |name: &str| other.field(name);
                let same = |(name, value): &(&str, Self)| field(name).is_some_and(|other| value.same(&other));
                a.name == b.name && a.fields.len() == b.fields.len() && a.fields.iter().all(same)
            }
            (Self::Optional(a), Self::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.same(b),
                (None, None) => true,
                _ => false,
            },
            (Self::Array(..) | Self::List(_), Self::Array(..) | Self::List(_)) => {
                let (Some(a), Some(b)) = (self.items(), other.items()) else { return false };
                a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.same(b))
            }
            (Self::Object(..) | Self::Map(_), Self::Object(..) | Self::Map(_)) => {
                let keys = self.keys().unwrap_or_default();
                self.size() == other.size()
                    && keys.iter().all(|key| match (self.entry(key), other.entry(key)) {
                        (Some(a), Some(b)) => a.same(&b),
                        _ => false,
                    })
            }
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// The value at a key of a map or an index of a list.
    #[must_use]
    pub fn entry(&self, key: &Self) -> Option<Self> {
        match (self, key) {
            (Self::Object(map, schema), Self::Text(key)) => {
                let below = schema.and_then(|s| s.properties.get(&**key).or_else(|| s.value()));
                map.get(&**key).map(|value| Self::of(value, below))
            }
            (Self::Map(entries), key) => entries.iter().find(|(k, _)| k.same(key)).map(|(_, value)| value.clone()),
            (Self::Array(items, schema), key) => items.get(key.index()?).map(|item| Self::of(item, *schema)),
            (Self::List(items), key) => items.get(key.index()?).cloned(),
            _ => None,
        }
    }

    fn index(&self) -> Option<usize> {
        match self {
            Self::Int(n) => usize::try_from(*n).ok(),
            Self::Uint(n) => usize::try_from(*n).ok(),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and not negative")]
            Self::Double(n) if n.fract() == 0.0 && *n >= 0.0 => Some(*n as usize),
            _ => None,
        }
    }

    /// Which of two values is less, if that can be told.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        #[allow(clippy::cast_precision_loss, reason = "how mixed numbers are compared")]
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Uint(a), Self::Uint(b)) => Some(a.cmp(b)),
            (Self::Int(a), Self::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
            (Self::Uint(a), Self::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Double(a), Self::Int(b)) => a.partial_cmp(&(*b as f64)),
            (Self::Int(a), Self::Double(b)) => (*a as f64).partial_cmp(b),
            (Self::Double(a), Self::Uint(b)) => a.partial_cmp(&(*b as f64)),
            (Self::Uint(a), Self::Double(b)) => (*a as f64).partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Quantity(a), Self::Quantity(b)) => a.partial_cmp(b),
            (Self::Semver(a), Self::Semver(b)) => Some(super::library::semver::order(a, b)),
            _ => None,
        }
    }
}

/// A field's name as JSON has it: expressions cannot write `-`, `.`, `/`, `__` or words of the language.
#[must_use]
pub fn unescaped(name: &str) -> String {
    if !name.contains("__") {
        return name.to_owned();
    }
    let words = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    if let Some(word) = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"))
        && words.contains(&word)
    {
        return word.to_owned();
    }
    let mut rest = name;
    let mut out = String::new();
    while let Some(at) = rest.find("__") {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let escapes = [("__underscores__", "__"), ("__dot__", "."), ("__dash__", "-"), ("__slash__", "/")];
        match escapes.iter().find(|(escape, _)| tail.starts_with(escape)) {
            Some((escape, plain)) => {
                out.push_str(plain);
                rest = &tail[escape.len()..];
            }
            None => {
                out.push_str("__");
                rest = &tail[2..];
            }
        }
    }
    out + rest
}
