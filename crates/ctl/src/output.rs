//! How answers are printed: tables, YAML, JSON, names, JSONPath, columns of the user's own.

pub mod columns;
pub mod jsonpath;
pub mod out;
pub mod progress;
pub mod table;

use serde_json::Value;

use crate::Error;
use columns::Columns;
use jsonpath::Template;

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
            Self::Yaml => yaml(value)?,
            Self::Json => format!("{value:#}\n").replace("  ", "    "),
            Self::Name | Self::Table { .. } => items().into_iter().map(|item| resource(item) + "\n").collect(),
            Self::JsonPath(template) => template.text(value),
            Self::Columns(columns) => columns.text(&items()),
        })
    }
}

/// An object as YAML.
pub fn yaml(value: &Value) -> Result<String, Error> {
    serde_saphyr::to_string(value).map_err(|e| Error::Yaml { path: "the answer".into(), source: Box::new(e) })
}
