//! Printer columns and selectable fields: values that simple paths lead to.

use jiff::Timestamp;
use nakhoda_api::jsonpath::{Template, printed};
use nakhoda_api::kinds::apiextensions::CustomResourceColumnDefinition;
use nakhoda_api::time::since;
use serde_json::Value;

use super::names::intern;
use crate::kind::Column;

/// A column and where its cells come from.
#[derive(Clone, Debug)]
pub struct PrintedColumn {
    /// Its head.
    pub head: Column,
    /// Nothing if the path cannot be read: then its cells are empty.
    path: Option<Template>,
}

/// A field that selectors may name.
#[derive(Clone, Debug)]
pub struct SelectableField {
    /// As selectors name it.
    pub name: &'static str,
    path: Option<Template>,
}

const CREATED: &str = ".metadata.creationTimestamp";
const AGE: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

/// The columns of a definition behind that of the name; the age if it has none.
#[must_use]
pub fn of(columns: Option<&[CustomResourceColumnDefinition]>) -> Vec<PrintedColumn> {
    let name = Column { name: "Name", type_: "string", format: "name", description: NAME, priority: 0 };
    let mut all = vec![PrintedColumn { head: name, path: template(".metadata.name") }];
    match columns.filter(|columns| !columns.is_empty()) {
        Some(columns) => all.extend(columns.iter().map(one)),
        None => {
            let age = Column { name: "Age", type_: "date", format: "", description: AGE, priority: 0 };
            all.push(PrintedColumn { head: age, path: template(CREATED) });
        }
    }
    all
}

fn one(column: &CustomResourceColumnDefinition) -> PrintedColumn {
    let said = column.description.clone().filter(|said| !said.is_empty());
    let said =
        said.unwrap_or_else(|| format!("Custom resource definition column (in JSONPath format): {}", column.json_path));
    let head = Column {
        name: intern(&column.name),
        type_: intern(&column.type_),
        format: intern(column.format.as_deref().unwrap_or_default()),
        description: intern(&said),
        priority: column.priority.unwrap_or(0),
    };
    PrintedColumn { head, path: template(&column.json_path) }
}

/// A field by its path.
#[must_use]
pub fn field(path: &str) -> SelectableField {
    SelectableField { name: intern(path.strip_prefix('.').unwrap_or(path)), path: template(path) }
}

fn template(path: &str) -> Option<Template> {
    Template::parse(&format!("{{{path}}}")).ok()
}

// === impl PrintedColumn ===

impl PrintedColumn {
    /// The cell of an object.
    #[must_use]
    pub fn cell(&self, object: &Value, now: Timestamp) -> Value {
        let Some(value) = self.path.as_ref().and_then(|path| path.first(object)) else { return Value::Null };
        #[allow(clippy::cast_possible_truncation, reason = "what Go does to a number in a column of whole numbers")]
        match (self.head.type_, value) {
            ("string", value) => printed(value).into(),
            ("integer", Value::Number(number)) => {
                number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)).into()
            }
            ("number", Value::Number(number)) => number.clone().into(),
            ("boolean", Value::Bool(_)) => value.clone(),
            ("date", Value::String(text)) => match text.parse::<Timestamp>() {
                Ok(time) => since(Some(time), now).into(),
                Err(_) => "<invalid>".into(),
            },
            _ => Value::Null,
        }
    }
}

// === impl SelectableField ===

impl SelectableField {
    /// The value in an object; empty if there is none.
    #[must_use]
    pub fn value(&self, object: &Value) -> String {
        self.path.as_ref().and_then(|path| path.first(object)).map(printed).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_of_the_type_of_their_column() {
        let object = json!({
            "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"n": 3.7, "list": [1, 2], "ok": true},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        let now = "2026-01-01T00:05:00Z".parse().expect("a time");
        let cell = |type_: &str, path: &str| {
            let column = CustomResourceColumnDefinition {
                name: "C".into(),
                type_: type_.into(),
                json_path: path.into(),
                ..CustomResourceColumnDefinition::default()
            };
            one(&column).cell(&object, now)
        };
        assert_eq!(cell("integer", ".spec.n"), 3);
        assert_eq!(cell("string", ".spec.list"), "[1,2]");
        assert_eq!(cell("boolean", ".spec.ok"), true);
        assert_eq!(cell("string", ".status.conditions[?(@.type==\"Ready\")].status"), "True");
        assert_eq!(cell("date", ".metadata.creationTimestamp"), "5m");
        assert_eq!(cell("date", ".spec.none"), Value::Null);
        assert_eq!(of(None)[1].cell(&object, now), "5m");
    }
}
