//! Structural schemas: what a CustomResourceDefinition says of its objects, read once and then walked beside
//! them (`k8s.io/apiextensions-apiserver/pkg/apiserver/schema`).
//!
//! [`prune`] drops what no schema names, [`default`] fills in, [`validate`] finds faults, [`lists`] looks at
//! sets and maps, [`embedded`] at objects within objects. [`definition`] judges a schema itself.
//! [`expressions`] evaluates the rules in CEL.

pub mod default;
pub mod definition;
pub mod embedded;
pub mod expressions;
pub mod format;
pub mod go;
pub mod lists;
pub mod path;
pub mod pattern;
pub mod prune;
pub mod validate;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

pub use pattern::Pattern;

/// A schema (`apiextensions/v1.JSONSchemaProps`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Schema {
    /// `object`, `array`, `string`, `integer`, `number` or `boolean`; empty if it may be several.
    #[serde(rename = "type")]
    pub kind: String,
    /// How a string or a number is to be read.
    pub format: String,
    /// A word for people.
    pub title: String,
    /// Words for people.
    pub description: String,
    /// Whether null is a value.
    pub nullable: bool,
    /// What stands where nothing was given.
    pub default: Option<Value>,
    /// An upper bound.
    pub maximum: Option<f64>,
    /// Whether the bound itself is too much.
    pub exclusive_maximum: bool,
    /// A lower bound.
    pub minimum: Option<f64>,
    /// Whether the bound itself is too little.
    pub exclusive_minimum: bool,
    /// Of a string, in characters.
    pub max_length: Option<i64>,
    /// Of a string, in characters.
    pub min_length: Option<i64>,
    /// What a string must match somewhere.
    pub pattern: Pattern,
    /// Of a list.
    pub max_items: Option<i64>,
    /// Of a list.
    pub min_items: Option<i64>,
    /// Refused in definitions: it costs the square of the list's length.
    pub unique_items: bool,
    /// What a number must be a multiple of.
    pub multiple_of: Option<f64>,
    /// The only values allowed.
    #[serde(rename = "enum")]
    pub allowed: Vec<Value>,
    /// Of a map.
    pub max_properties: Option<i64>,
    /// Of a map.
    pub min_properties: Option<i64>,
    /// Properties that must be there.
    pub required: Vec<String>,
    /// Of each item of a list.
    pub items: Option<Items>,
    /// All must hold.
    pub all_of: Vec<Self>,
    /// Exactly one must hold.
    pub one_of: Vec<Self>,
    /// At least one must hold.
    pub any_of: Vec<Self>,
    /// Must not hold.
    pub not: Option<Box<Self>>,
    /// Of the fields of an object.
    pub properties: BTreeMap<String, Self>,
    /// Of the values of a map.
    pub additional_properties: Option<Additional>,
    /// Whether what no schema names stays.
    #[serde(rename = "x-kubernetes-preserve-unknown-fields")]
    pub preserve: Option<bool>,
    /// Whether this is an object with a kind and metadata.
    #[serde(rename = "x-kubernetes-embedded-resource")]
    pub embedded: bool,
    /// Whether this is a number or a string.
    #[serde(rename = "x-kubernetes-int-or-string")]
    pub int_or_string: bool,
    /// The keys of a list of the type `map`.
    #[serde(rename = "x-kubernetes-list-map-keys")]
    pub map_keys: Vec<String>,
    /// `atomic`, `set` or `map`.
    #[serde(rename = "x-kubernetes-list-type")]
    pub list_type: Option<String>,
    /// `granular` or `atomic`.
    #[serde(rename = "x-kubernetes-map-type")]
    pub map_type: Option<String>,
    /// Rules in CEL.
    #[serde(rename = "x-kubernetes-validations")]
    pub rules: Vec<Rule>,
    /// What a definition may not use.
    #[serde(flatten)]
    pub refused: Refused,
}

/// Parts of JSON schema that a definition may not use; kept so that they can be told.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Refused {
    /// A name of the schema.
    pub id: String,
    /// The language of the schema.
    #[serde(rename = "$schema")]
    pub language: String,
    /// A schema elsewhere.
    #[serde(rename = "$ref")]
    pub reference: Option<String>,
    /// Schemas of properties by pattern.
    pub pattern_properties: BTreeMap<String, Value>,
    /// What a property needs beside it.
    pub dependencies: Option<BTreeMap<String, Value>>,
    /// Of items behind those with a schema of their own.
    pub additional_items: Option<Value>,
    /// Schemas to refer to.
    pub definitions: BTreeMap<String, Value>,
    /// Where to read more.
    pub external_docs: Option<Value>,
    /// For people.
    pub example: Option<Value>,
}

/// One schema for all items of a list, or, which is refused, one for each.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Items {
    /// One for all.
    One(Box<Schema>),
    /// One for each.
    Each(Vec<Schema>),
}

/// What other properties than those named may be.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Additional {
    /// Anything, or there may be none.
    Any(bool),
    /// Values of a schema.
    Of(Box<Schema>),
}

/// A rule in CEL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rule {
    /// The expression: true if all is well.
    pub rule: String,
    /// What is told otherwise.
    pub message: String,
    /// An expression that makes what is told.
    pub message_expression: String,
    /// The kind of fault.
    pub reason: Option<String>,
    /// Of which field below this one it is told.
    pub field_path: String,
    /// Whether `oldSelf` is an optional that is empty for new values.
    pub optional_old_self: Option<bool>,
}

// === impl Schema ===

impl Schema {
    /// Reads a schema; fails on a value of the wrong type only.
    pub fn parse(value: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(value)
    }

    /// The schema of all items.
    #[must_use]
    pub fn item(&self) -> Option<&Self> {
        match &self.items {
            Some(Items::One(schema)) => Some(schema),
            Some(Items::Each(_)) | None => None,
        }
    }

    /// The schema of values that no property names.
    #[must_use]
    pub fn value(&self) -> Option<&Self> {
        match &self.additional_properties {
            Some(Additional::Of(schema)) => Some(schema),
            Some(Additional::Any(_)) | None => None,
        }
    }

    /// Whether what no schema names stays.
    #[must_use]
    pub fn preserves(&self) -> bool {
        self.preserve == Some(true)
    }

    /// The type of a list: `atomic` unless it says otherwise.
    #[must_use]
    pub fn list_type(&self) -> &str {
        self.list_type.as_deref().unwrap_or("atomic")
    }

    /// Whether this or any schema within it fulfils a condition.
    pub fn has(&self, condition: &dyn Fn(&Self) -> bool) -> bool {
        condition(self) || self.children().any(|child| child.has(condition))
    }

    /// All schemas right below this one.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        let items: &[Self] = match &self.items {
            Some(Items::One(schema)) => std::slice::from_ref(schema),
            Some(Items::Each(schemas)) => schemas,
            None => &[],
        };
        let junctors = self.all_of.iter().chain(&self.any_of).chain(&self.one_of).chain(self.not.as_deref());
        items.iter().chain(junctors).chain(self.properties.values()).chain(self.value())
    }
}

/// The fields of an object that no schema speaks of.
pub(crate) const META: [&str; 3] = ["apiVersion", "kind", "metadata"];
