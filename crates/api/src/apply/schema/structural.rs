//! The structural schemas of custom resources, read once into what merging needs of them.

use std::collections::HashMap;

use serde_json::{Map as Json, Value};

use super::{Atom, Fields, Inner, Keys, Map, Relation, Scalar, Type};
use crate::schema::{MessageId, table};

/// Stands in no name of a field that is told to people.
const SEPARATOR: char = '\n';

/// The fields of an object.
pub(super) type Properties = HashMap<Box<str>, Property>;

/// A field of an object.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) node: Node,
    pub(super) default: Option<Value>,
}

/// A place in a structural schema.
#[derive(Debug)]
pub(super) enum Node {
    Scalar(Scalar),
    List(ListNode),
    Map(MapNode),
    /// No type is told: anything, with these forms of lists and maps.
    Any(ListNode, MapNode),
    /// A type of the field table.
    Message(MessageId),
    Deduced,
    Untyped,
}

#[derive(Debug)]
pub(super) struct ListNode {
    element: Box<Node>,
    relation: ListType,
}

#[derive(Debug)]
enum ListType {
    Atomic,
    Set,
    /// The keys, each but the last followed by [`SEPARATOR`].
    Map(String),
}

#[derive(Debug)]
pub(super) struct MapNode {
    properties: Properties,
    element: Option<Box<Node>>,
    atomic: bool,
}

// === impl Node ===

impl Node {
    /// The root of a resource: what is said, and what all objects have.
    pub(super) fn of_resource(openapi: &Value, preserve: bool) -> Self {
        match openapi {
            Value::Object(schema) => Self::with_identity(schema, preserve),
            _ => Self::Deduced,
        }
    }

    fn of(schema: &Value, preserve: bool) -> Self {
        let Value::Object(schema) = schema else { return Self::Deduced };
        if is(schema, "x-kubernetes-embedded-resource") {
            return Self::with_identity(schema, preserve);
        }
        Self::read(schema, preserve)
    }

    /// An object with `apiVersion`, `kind` and `metadata`, whether the schema names them or not.
    fn with_identity(schema: &Json<String, Value>, preserve: bool) -> Self {
        let mut node = Self::read(schema, preserve);
        if let Self::Map(map) | Self::Any(_, map) = &mut node {
            let string = || Property { node: Self::Scalar(Scalar::String), default: None };
            map.properties.insert("apiVersion".into(), string());
            map.properties.insert("kind".into(), string());
            let meta = table().named("meta/v1", "ObjectMeta").map_or(Self::Deduced, Self::Message);
            map.properties.insert("metadata".into(), Property { node: meta, default: None });
        }
        node
    }

    fn read(schema: &Json<String, Value>, preserve: bool) -> Self {
        let preserve = preserve || is(schema, "x-kubernetes-preserve-unknown-fields");
        match schema.get("type").and_then(Value::as_str).unwrap_or_default() {
            "object" => Self::Map(MapNode::of(schema, preserve)),
            "array" => Self::List(ListNode::of(schema, preserve)),
            "integer" | "number" => Self::Scalar(Scalar::Numeric),
            "boolean" => Self::Scalar(Scalar::Boolean),
            "string" => match schema.get("format").and_then(Value::as_str).unwrap_or_default() {
                "" | "byte" => Self::Scalar(Scalar::String),
                _ => Self::Scalar(Scalar::Untyped),
            },
            _ => Self::Any(ListNode::of(schema, preserve), MapNode::of(schema, preserve)),
        }
    }

    pub(super) fn resolve(&self) -> Atom<'_> {
        match self {
            Self::Scalar(scalar) => Atom::scalar(*scalar),
            Self::List(list) => list.atom(),
            Self::Map(map) => Atom::map(map.map()),
            Self::Any(list, map) => Atom { scalar: Some(Scalar::Untyped), map: Some(map.map()), ..list.atom() },
            Self::Message(id) => Type::message(*id).resolve(),
            Self::Deduced => Type::DEDUCED.resolve(),
            Self::Untyped => Type::UNTYPED.resolve(),
        }
    }
}

// === impl ListNode ===

impl ListNode {
    fn of(schema: &Json<String, Value>, preserve: bool) -> Self {
        let element = schema.get("items").map_or(Node::Untyped, |items| Node::of(items, preserve));
        let relation = match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
            Some("set") => ListType::Set,
            Some("map") => {
                let keys = schema.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
                let keys: Vec<&str> = keys.into_iter().flatten().filter_map(Value::as_str).collect();
                ListType::Map(keys.join(&SEPARATOR.to_string()))
            }
            _ => ListType::Atomic,
        };
        Self { element: Box::new(element), relation }
    }

    fn atom(&self) -> Atom<'_> {
        let relation = match &self.relation {
            ListType::Map(keys) => Relation::Keys(Keys { text: keys, separator: SEPARATOR }),
            ListType::Set => Relation::Set,
            ListType::Atomic => Relation::Atomic,
        };
        Atom::list(Type { inner: Inner::Structural(&self.element) }, relation)
    }
}

// === impl MapNode ===

impl MapNode {
    fn of(schema: &Json<String, Value>, preserve: bool) -> Self {
        let property = |(name, schema): (&String, &Value)| {
            let default = schema.get("default").cloned();
            (name.as_str().into(), Property { node: Node::of(schema, preserve), default })
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let properties: Properties = properties.into_iter().flatten().map(property).collect();
        let element = match schema.get("additionalProperties") {
            None if preserve || properties.is_empty() => Some(Node::Deduced),
            None | Some(Value::Bool(false)) => None,
            Some(Value::Bool(true)) => Some(Node::Deduced),
            Some(schema) => Some(Node::of(schema, preserve)),
        };
        let atomic = schema.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic");
        Self { properties, element: element.map(Box::new), atomic }
    }

    fn map(&self) -> Map<'_> {
        let element = self.element.as_deref().map(|node| Type { inner: Inner::Structural(node) });
        Map { fields: Fields::Structural(&self.properties), element, atomic: self.atomic }
    }
}

fn is(schema: &Json<String, Value>, extension: &str) -> bool {
    schema.get(extension) == Some(&Value::Bool(true))
}
