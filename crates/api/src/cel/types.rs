//! Types of values, and what a schema says of them.

use std::collections::BTreeMap;
use std::fmt;

use super::library::authorizer::Stage;
use crate::structural::Schema;

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type<'s> {
    /// Known only when it is there.
    Dyn,
    /// A variable of an overload.
    Any(char),
    /// `null`.
    Null,
    /// Truth.
    Bool,
    /// Whole numbers.
    Int,
    /// Whole numbers from zero on.
    Uint,
    /// Floating numbers.
    Double,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// A point of time.
    Time,
    /// A span of time.
    Duration,
    /// A list of one type.
    List(Box<Self>),
    /// A map from one type to another.
    Map(Box<Self>, Box<Self>),
    /// An object of a schema; the flag says that it has a kind and metadata.
    Object(&'s Schema, bool),
    /// The metadata of an object.
    Metadata,
    /// The variables of a policy, each with the type of its expression.
    Record(BTreeMap<String, Self>),
    /// A value that may be missing.
    Optional(Box<Self>),
    /// A type of a library: `kubernetes.Quantity`, `net.IP`.
    Named(&'static str),
    /// A type of which an expression may make values: `Object`, `Object.spec`, `JSONPatch`.
    Made(String),
    /// A type as a value.
    Type,
}

// === impl Type ===

impl<'s> Type<'s> {
    /// The type of a schema's values; `root` of one of whole objects.
    #[must_use]
    pub fn of(schema: &'s Schema, root: bool) -> Self {
        if schema.int_or_string {
            return Self::Dyn;
        }
        match schema.kind.as_str() {
            "boolean" => Self::Bool,
            "integer" => Self::Int,
            "number" => Self::Double,
            "string" => match schema.format.as_str() {
                "byte" => Self::Bytes,
                "duration" => Self::Duration,
                "date" | "date-time" => Self::Time,
                _ => Self::Text,
            },
            "array" => Self::List(Box::new(schema.item().map_or(Self::Dyn, |item| Self::of(item, false)))),
            "object" => match (&schema.additional_properties, schema.value()) {
                (Some(_), Some(value)) => Self::map(Self::Text, Self::of(value, false)),
                (Some(_), None) => Self::map(Self::Text, Self::Dyn),
                (None, _) => Self::Object(schema, root || schema.embedded),
            },
            _ => Self::Dyn,
        }
    }

    /// A list of a type.
    #[must_use]
    pub fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    /// A map.
    #[must_use]
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Box::new(key), Box::new(value))
    }

    /// The type of a field; nothing if there is none of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Object(schema, object) => {
                let plain = super::value::unescaped(name);
                match (plain.as_str(), object) {
                    ("metadata", true) => Some(Self::Metadata),
                    ("apiVersion" | "kind", true) => Some(Self::Text),
                    _ => schema.properties.get(&plain).map(|property| Self::of(property, false)),
                }
            }
            Self::Metadata => matches!(name, "name" | "generateName").then_some(Self::Text),
            Self::Map(key, value) if matches!(**key, Self::Text | Self::Dyn) => Some((**value).clone()),
            Self::Optional(of) => of.field(name).map(|of| Self::Optional(Box::new(of))),
            Self::Named(of) if *of == Stage::Authorizer.kind() && name == "requestResource" => {
                Some(Self::Named(Stage::Resource.kind()))
            }
            Self::Named(of) if *of == super::device::KIND => super::device::field(name),
            Self::Made(of) => super::mutation::field(of, name),
            Self::Record(fields) => fields.get(name).cloned(),
            Self::Dyn | Self::Any(_) => Some(Self::Dyn),
            _ => None,
        }
    }

    /// Whether a value of this type may stand where one of another is wanted.
    #[must_use]
    pub fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Dyn | Self::Any(_), _) | (_, Self::Dyn | Self::Any(_)) => true,
            (Self::Null, other) | (other, Self::Null) => {
                matches!(
                    other,
                    Self::Null
                        | Self::Object(..)
                        | Self::Metadata
                        | Self::Time
                        | Self::Duration
                        | Self::Optional(_)
                        | Self::Named(_)
                        | Self::Made(_)
                )
            }
            (Self::List(a), Self::List(b)) | (Self::Optional(a), Self::Optional(b)) => a.fits(b),
            (Self::Map(k, v), Self::Map(l, w)) => k.fits(l) && v.fits(w),
            (Self::Object(a, _), Self::Object(b, _)) => std::ptr::eq(*a, *b) || a == b,
            _ => self == wanted,
        }
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn => f.write_str("dyn"),
            Self::Any(name) => write!(f, "{name}"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::Text => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Time => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::List(of) => write!(f, "list({of})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Object(..) | Self::Metadata | Self::Record(_) => f.write_str("object"),
            Self::Optional(of) => write!(f, "optional_type({of})"),
            Self::Named(name) => f.write_str(name),
            Self::Made(name) => f.write_str(name),
            Self::Type => f.write_str("type"),
        }
    }
}
