//! The table's types. See `parse` for its text form.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::index::{JsonField, Slot};
use super::parse;

/// All messages and kinds.
#[derive(Debug, Default)]
pub struct Table {
    pub(super) messages: Vec<Message>,
    pub(super) kinds: HashMap<&'static str, Vec<Kind>>,
    pub(super) enums: HashMap<&'static str, Vec<&'static str>>,
}

/// Where a message stands in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub(super) u16);

/// A kind of a group and version; an empty `message` cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `*` for every group.
    pub group: &'static str,
    /// For example `v1`; counts in every version if the group is `*`.
    pub version: &'static str,
    /// For example `Pod`.
    pub kind: &'static str,
    /// Its message.
    pub message: MessageId,
}

/// A Go struct.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The short name of its package: `core/v1`.
    pub package: &'static str,
    /// The Go import path.
    pub path: &'static str,
    /// For example `PodSpec`.
    pub name: &'static str,
    /// Server-side apply takes it as one value.
    pub atomic: bool,
    /// As Go declares them, embedded structs unopened.
    pub fields: Vec<Field>,
    /// As JSON has them, in Go's order, embedded structs opened.
    pub json: Vec<JsonField>,
    pub(super) slots: Vec<(u32, Slot)>,
}

/// A field of a Go struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// The protobuf tag; 0 if it has none.
    pub tag: u32,
    /// The JSON name.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// Whether Go can tell the zero value from absence.
    pub pointer: bool,
    /// Go omits it when empty.
    pub omit_empty: bool,
    /// Go omits it when zero, structs included.
    pub omit_zero: bool,
    /// Its fields are fields of its parent.
    pub embedded: bool,
    /// The types say that clients must set it.
    pub required: bool,
    /// For strategic merge: `merge`, `replace`, `retainKeys`, or several with commas.
    pub patch_strategy: &'static str,
    /// For strategic merge of a list of objects.
    pub merge_key: &'static str,
    /// For apply: `atomic`, `set`, `map`.
    pub list_type: &'static str,
    /// For apply, of `map` lists; separated by commas.
    pub list_keys: &'static str,
    /// For apply: `atomic`, `granular`.
    pub map_type: &'static str,
    /// For apply: `atomic`, `granular`.
    pub struct_type: &'static str,
    /// A default, as JSON.
    pub default: Option<&'static str>,
}

/// What a field holds. Named scalars carry their name (`core/v1.Protocol`), others an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the types' own names")]
pub enum Type {
    Bool,
    Int32(&'static str),
    Int64(&'static str),
    Float,
    String(&'static str),
    Bytes,
    Any,
    Quantity,
    Time,
    MicroTime,
    Duration,
    IntOrString,
    /// `runtime.RawExtension`: JSON kept as it came.
    Raw,
    /// `FieldsV1`.
    Fields,
    /// `apiextensions` `JSON`.
    Json,
    SchemaOrArray,
    SchemaOrBool,
    SchemaOrStrings,
    Message(MessageId),
    List(Box<Self>),
    /// A list that protobuf wraps in a message.
    Wrapped(Box<Self>),
    /// With the name of the key's type.
    Map(&'static str, Box<Self>),
}

/// The one table.
#[must_use]
pub fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| parse::parse(include_str!("../../schema/table.txt")));
    &TABLE
}

// === impl Table ===

impl Table {
    /// The message behind an id.
    #[must_use]
    pub fn message(&self, id: MessageId) -> &Message {
        &self.messages[usize::from(id.0)]
    }

    /// The message of a kind.
    #[must_use]
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<MessageId> {
        let kinds = self.kinds.get(kind)?;
        let exact = kinds.iter().find(|k| k.group == group && k.version == version);
        exact.or_else(|| kinds.iter().find(|k| k.group == "*")).map(|k| k.message)
    }

    /// A message by its package's short name and its own: `meta/v1`, `ObjectMeta`.
    #[must_use]
    pub fn named(&self, package: &str, name: &str) -> Option<MessageId> {
        let at = self.messages.iter().position(|m| m.package == package && m.name == name)?;
        Some(MessageId(u16::try_from(at).expect("the table has fewer messages")))
    }

    /// All kinds, in no order.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.values().flatten()
    }

    /// The values of a named string type, if the types enumerate them.
    #[must_use]
    pub fn enumeration(&self, name: &str) -> Option<&[&'static str]> {
        self.enums.get(name).map(Vec::as_slice)
    }
}

// === impl Message ===

impl Message {
    /// The Go name as errors print it: `v1.PodSpec`.
    #[must_use]
    pub fn go_name(&self) -> String {
        format!("{}.{}", last_segment(self.package), self.name)
    }
}

// === impl Field ===

impl Field {
    /// What Go makes of an absent field, where that is not nothing.
    #[must_use]
    pub fn implied(&self) -> Option<Value> {
        if let Some(text) = self.default {
            return serde_json::from_str(text).ok();
        }
        match &self.ty {
            _ if self.pointer => None,
            Type::Message(_) => Some(json!({})),
            _ if self.omit_empty => None,
            Type::Bool => Some(json!(false)),
            Type::Int32(_) | Type::Int64(_) | Type::Float => Some(json!(0)),
            Type::String(_) => Some(json!("")),
            _ => None,
        }
    }
}

// === impl Type ===

impl Type {
    /// The Go type as errors print it: `map[string]string`, `[]v1.Container`.
    #[must_use]
    pub fn go_name(&self) -> String {
        match self {
            Self::Bool | Self::SchemaOrBool => "bool".into(),
            Self::Int32(name) => named(name, "int32"),
            Self::Int64(name) => named(name, "int64"),
            Self::Float => "float64".into(),
            Self::String(name) => named(name, "string"),
            Self::Bytes => "[]uint8".into(),
            Self::Any => "interface {}".into(),
            Self::Quantity => "resource.Quantity".into(),
            Self::Time => "v1.Time".into(),
            Self::MicroTime => "v1.MicroTime".into(),
            Self::Duration => "v1.Duration".into(),
            Self::IntOrString => "intstr.IntOrString".into(),
            Self::Raw => "runtime.RawExtension".into(),
            Self::Fields => "v1.FieldsV1".into(),
            Self::Json => "v1.JSON".into(),
            Self::SchemaOrArray => "v1.JSONSchemaPropsOrArray".into(),
            Self::SchemaOrStrings => "v1.JSONSchemaPropsOrStringArray".into(),
            Self::Message(id) => table().message(*id).go_name(),
            Self::List(item) | Self::Wrapped(item) => format!("[]{}", item.go_name()),
            Self::Map(key, value) => format!("map[{}]{}", named(key, "string"), value.go_name()),
        }
    }
}

fn named(name: &str, plain: &str) -> String {
    if name.is_empty() { plain.into() } else { last_segment(name).into() }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
