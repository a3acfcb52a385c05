//! How answers are printed: tables, YAML, JSON, names, JSONPath, columns of the user's own.

pub mod colour;
pub mod columns;
pub mod harmless;
pub mod order;
pub mod out;
pub mod progress;
pub mod table;

use serde_json::Value;

use crate::Error;
use columns::Columns;
use nakhoda_api::jsonpath::Template;

/// What `-o` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// Rows as the server makes them; wide: with the columns of lower priority.
    Table {
        /// `-o wide`.
        wide: bool,
    },
    /// YAML.
    Yaml,
    /// JSON, indented.
    Json,
    /// `pod/a`.
    Name,
    /// `-o jsonpath=…`.
    JsonPath(Template),
    /// `-o custom-columns=NAME:.metadata.name,…`.
    Columns(Columns),
}

// === impl Format ===

impl Format {
    /// Reads the argument of `-o`.
    pub fn parse(text: Option<&str>) -> Result<Self, Error> {
        let Some(text) = text else { return Ok(Self::Table { wide: false }) };
        let (name, argument) = text.split_once('=').unwrap_or((text, ""));
        Ok(match name {
            "" => Self::Table { wide: false },
            "wide" => Self::Table { wide: true },
            "yaml" => Self::Yaml,
            "json" => Self::Json,
            "name" => Self::Name,
            "jsonpath" => Self::JsonPath(Template::parse(argument)?),
            "custom-columns" => Self::Columns(Columns::parse(argument)?),
            _ => return Err(Error::Format(text.into())),
        })
    }

    /// Whether the server is asked for rows.
    #[must_use]
    pub const fn is_table(&self) -> bool {
        matches!(self, Self::Table { .. })
    }

    /// The text of an object or a List. `resource` is what a name is printed with.
    pub fn text(&self, value: &Value, resource: &dyn Fn(&Value) -> String) -> Result<String, Error> {
        let items = || match value["items"].as_array() {
            Some(items) => items.iter().collect(),
            None => vec![value],
        };
        Ok(match self {
            Self::Yaml => yaml(&sorted(value))?,
            Self::Json => json(&sorted(value)),
            Self::Name | Self::Table { .. } => items().into_iter().map(|item| resource(item) + "\n").collect(),
            Self::JsonPath(template) => template.text(value),
            Self::Columns(columns) => columns.text(&items()),
        })
    }
}

/// Fields by name, as Go writes a map.
#[must_use]
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// An object as YAML.
pub fn yaml(value: &Value) -> Result<String, Error> {
    serde_saphyr::to_string(value).map_err(|e| Error::Yaml { path: "the answer".into(), source: Box::new(e) })
}

/// An object as JSON, indented by four.
#[must_use]
pub fn json(value: &Value) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    serde::Serialize::serialize(value, &mut serializer).expect("a Value always serialises");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is text")
}
