//! The schemas of messages and of the types in them.

use serde_json::{Map, Value, json};

use super::Dialect;
use super::names::{go_type, message as message_name, reference};
use crate::schema::prose::Prose;
use crate::schema::{Field, Message, MessageId, Type, table};

const META: &str = "k8s.io/apimachinery/pkg/apis/meta/v1";
const APIEXTENSIONS: &str = "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1";

/// What a schema refers to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Component {
    Message(MessageId),
    /// A type with a form of its own: its name and its schema.
    Special(String, Value),
}

/// Writes schemas in a dialect and notes what they refer to.
pub(super) struct Writer<'p> {
    pub(super) dialect: Dialect,
    prose: &'p Prose,
    pub(super) found: Vec<Component>,
}

// === impl Writer ===

impl<'p> Writer<'p> {
    pub(super) const fn new(dialect: Dialect, prose: &'p Prose) -> Self {
        Self { dialect, prose, found: Vec::new() }
    }

    /// The schema of a struct.
    pub(super) fn message(&mut self, message: &Message) -> Map<String, Value> {
        let mut schema = described(self.prose.message(message));
        schema.insert("type".into(), json!("object"));
        let mut properties = Map::new();
        let mut required = Vec::new();
        for json in &message.json {
            properties.insert(json.field.name.into(), self.property(message, &json.field));
            if json.field.required {
                required.push(json.field.name);
            }
        }
        if !required.is_empty() {
            schema.insert("required".into(), json!(required));
        }
        if !properties.is_empty() {
            schema.insert("properties".into(), Value::Object(properties));
        }
        if message.atomic {
            schema.insert("x-kubernetes-map-type".into(), json!("atomic"));
        }
        schema
    }

    fn property(&mut self, message: &Message, field: &Field) -> Value {
        let mut schema = self.of(&field.ty);
        let mut facts = described(self.prose.field(message, field.name));
        facts.extend(self::facts(field));
        if self.dialect == Dialect::V3 {
            facts.extend(field.implied().map(|value| ("default".to_owned(), value)));
            let target = if facts.is_empty() { None } else { schema.shift_remove("$ref") };
            if let Some(target) = target {
                schema.insert("allOf".into(), json!([{ "$ref": target }]));
            }
        }
        schema.extend(facts);
        Value::Object(schema)
    }

    fn of(&mut self, ty: &Type) -> Map<String, Value> {
        let schema = match ty {
            Type::Bool => json!({"type": "boolean"}),
            Type::Int32(_) => json!({"type": "integer", "format": "int32"}),
            Type::Int64(_) => json!({"type": "integer", "format": "int64"}),
            Type::Float => json!({"type": "number", "format": "double"}),
            Type::String(name) => match table().enumeration(name) {
                Some(values) => json!({"type": "string", "enum": values}),
                None => json!({"type": "string"}),
            },
            Type::Bytes => json!({"type": "string", "format": "byte"}),
            Type::Any => json!({"type": "object"}),
            Type::List(item) | Type::Wrapped(item) => json!({"type": "array", "items": self.of(item)}),
            Type::Map(_, value) => json!({"type": "object", "additionalProperties": self.of(value)}),
            Type::Message(id) => {
                self.found.push(Component::Message(*id));
                json!({"$ref": reference(&message_name(table().message(*id)), self.dialect)})
            }
            special => self.special(special),
        };
        match schema {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn special(&mut self, ty: &Type) -> Value {
        let is_v3 = self.dialect == Dialect::V3;
        let (path, name, schema) = match ty {
            Type::Quantity if is_v3 => (
                "k8s.io/apimachinery/pkg/api/resource",
                "Quantity",
                json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
            ),
            Type::Quantity => ("k8s.io/apimachinery/pkg/api/resource", "Quantity", json!({"type": "string"})),
            Type::IntOrString if is_v3 => (
                "k8s.io/apimachinery/pkg/util/intstr",
                "IntOrString",
                json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}),
            ),
            Type::IntOrString => (
                "k8s.io/apimachinery/pkg/util/intstr",
                "IntOrString",
                json!({"type": "string", "format": "int-or-string"}),
            ),
            Type::Time => (META, "Time", json!({"type": "string", "format": "date-time"})),
            Type::MicroTime => (META, "MicroTime", json!({"type": "string", "format": "date-time"})),
            Type::Duration => (META, "Duration", json!({"type": "string"})),
            Type::Raw => ("k8s.io/apimachinery/pkg/runtime", "RawExtension", json!({"type": "object"})),
            Type::Fields => (META, "FieldsV1", json!({"type": "object"})),
            Type::SchemaOrArray => (APIEXTENSIONS, "JSONSchemaPropsOrArray", json!({})),
            Type::SchemaOrBool => (APIEXTENSIONS, "JSONSchemaPropsOrBool", json!({})),
            Type::SchemaOrStrings => (APIEXTENSIONS, "JSONSchemaPropsOrStringArray", json!({})),
            _ => (APIEXTENSIONS, "JSON", json!({})),
        };
        let said = self.prose.of(&format!("{}.{name}", short(path)));
        let schema = [described(said), schema.as_object().cloned().unwrap_or_default()].into_iter().flatten();
        let schema = Value::Object(schema.collect());
        let name = go_type(path, name);
        let target = json!({"$ref": reference(&name, self.dialect)});
        self.found.push(Component::Special(name, schema));
        target
    }
}

/// The package's name in the table.
fn short(path: &str) -> &str {
    let of_group = path.split_once("/pkg/apis/").map(|(_, rest)| rest);
    of_group.or_else(|| path.rsplit('/').next()).unwrap_or(path)
}

fn described(said: Option<&str>) -> Map<String, Value> {
    said.map(|said| ("description".to_owned(), Value::from(said))).into_iter().collect()
}

/// The `x-kubernetes-` keys of a field.
fn facts(field: &Field) -> Map<String, Value> {
    let mut facts = Map::new();
    let mut add = |key: &str, value: Value| facts.insert(format!("x-kubernetes-{key}"), value);
    if !field.list_keys.is_empty() {
        add("list-map-keys", json!(field.list_keys.split(',').collect::<Vec<_>>()));
    }
    for (key, value) in [
        ("list-type", field.list_type),
        ("map-type", if field.map_type.is_empty() { field.struct_type } else { field.map_type }),
        ("patch-merge-key", field.merge_key),
        ("patch-strategy", field.patch_strategy),
    ] {
        if !value.is_empty() {
            add(key, json!(value));
        }
    }
    facts
}
