//! Puts a trusted object into the form in which Go writes it.

use serde_json::{Map, Value, json};

use super::table::{Field, MessageId, Type, table};
use crate::Object;
use crate::structural::go;

/// Puts the fields into the order of the Go types, adds the zero values that Go writes, and drops
/// those that Go omits. Does nothing to kinds that the table does not know.
pub fn normalise(object: &mut Object) {
    if let Some(id) = object.gvk().and_then(|gvk| super::message_for(&gvk)) {
        normalise_message(id, object.root_mut());
    }
}

/// The same for a part of an object. Fields that the table does not know go to the end.
pub fn normalise_message(id: MessageId, map: &mut Map<String, Value>) {
    let message = table().message(id);
    let mut old = std::mem::take(map).into_iter();
    let mut waiting: Vec<Option<(String, Value)>> = Vec::new();
    for json in &message.json {
        let field = &json.field;
        let found = take(&mut old, &mut waiting, field.name);
        if let Some((key, value)) = written(field, found) {
            map.insert(key, value);
        }
    }
    map.extend(waiting.into_iter().flatten().chain(old));
}

/// The entry of this name. Entries before it in the old order wait for their turn.
fn take(
    old: &mut serde_json::map::IntoIter,
    waiting: &mut Vec<Option<(String, Value)>>,
    name: &str,
) -> Option<(String, Value)> {
    if let Some(slot) = waiting.iter_mut().find(|slot| slot.as_ref().is_some_and(|(key, _)| key == name)) {
        return slot.take();
    }
    pull(old, waiting, name)
}

fn pull(
    old: &mut serde_json::map::IntoIter,
    waiting: &mut Vec<Option<(String, Value)>>,
    name: &str,
) -> Option<(String, Value)> {
    for (key, value) in old.by_ref() {
        if key == name {
            return Some((key, value));
        }
        waiting.push(Some((key, value)));
    }
    None
}

/// What Go writes for a field: nothing if it omits it.
fn written(field: &Field, found: Option<(String, Value)>) -> Option<(String, Value)> {
    let Some((key, mut value)) = found else {
        return zero_written(field).map(|zero| (field.name.into(), zero));
    };
    if value.is_null() {
        return zero_written(field).map(|zero| (key, zero));
    }
    normalise_value(&field.ty, &mut value);
    let omit = field.omit_empty && is_empty(field, &value) || field.omit_zero && is_zero_struct(field, &value);
    (!omit).then_some((key, value))
}

/// The value that Go writes for an absent field.
fn zero_written(field: &Field) -> Option<Value> {
    if field.omit_zero || field.omit_empty && (field.pointer || !is_struct(&field.ty)) {
        return None;
    }
    if field.pointer { Some(Value::Null) } else { Some(zero(&field.ty)) }
}

/// Go's zero value as it marshals it.
pub(crate) fn zero(ty: &Type) -> Value {
    match ty {
        Type::Bool => json!(false),
        Type::Int32(_) | Type::Int64(_) | Type::Float | Type::IntOrString => json!(0),
        Type::String(_) => json!(""),
        Type::Quantity => json!("0"),
        Type::Duration => json!("0s"),
        Type::SchemaOrBool => json!(false),
        Type::Message(id) => {
            let mut map = Map::new();
            normalise_message(*id, &mut map);
            Value::Object(map)
        }
        _ => Value::Null,
    }
}

/// Whether Go's `omitempty` never omits the type's values.
const fn is_struct(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Quantity
            | Type::Time
            | Type::MicroTime
            | Type::Duration
            | Type::IntOrString
            | Type::Raw
            | Type::Fields
            | Type::Json
            | Type::SchemaOrArray
            | Type::SchemaOrBool
            | Type::SchemaOrStrings
            | Type::Message(_)
    )
}

/// Go's `omitempty`.
fn is_empty(field: &Field, value: &Value) -> bool {
    if field.pointer || is_struct(&field.ty) {
        return false;
    }
    match value {
        Value::Null => true,
        Value::Bool(b) => !b,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(s) => s.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Go's `omitzero`, of structs.
fn is_zero_struct(field: &Field, value: &Value) -> bool {
    !field.pointer && is_struct(&field.ty) && *value == zero(&field.ty)
}

fn normalise_value(ty: &Type, value: &mut Value) {
    match (ty, value) {
        (Type::Message(id), Value::Object(map)) => normalise_message(*id, map),
        (Type::List(item) | Type::Wrapped(item), Value::Array(items)) => {
            items.iter_mut().for_each(|value| normalise_value(item, value));
        }
        (Type::Map(_, item), Value::Object(map)) => {
            map.values_mut().for_each(|value| normalise_value(item, value));
            if !map.keys().is_sorted() {
                map.sort_keys();
            }
        }
        (Type::SchemaOrArray | Type::SchemaOrBool | Type::SchemaOrStrings, value) => schemas(value),
        (Type::Float | Type::Json, value) => go::canonical(value),
        _ => {}
    }
}

/// One schema or a list of them.
fn schemas(value: &mut Value) {
    let Some(id) = table().named("apiextensions/v1", "JSONSchemaProps") else { return };
    match value {
        Value::Object(map) => normalise_message(id, map),
        Value::Array(items) => items.iter_mut().for_each(schemas),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(value: Value) -> String {
        let mut object = Object::from_value(value).expect("an object");
        normalise(&mut object);
        String::from_utf8(object.to_json()).expect("UTF-8")
    }

    #[test]
    fn zero_values_stand_where_go_writes_them() {
        assert_eq!(
            normalised(json!({
                "spec": {"containers": [{"name": "a", "env": []}], "nodeName": "", "hostNetwork": false, "automountServiceAccountToken": false},
                "metadata": {"name": "p", "creationTimestamp": null, "labels": {"b": "2", "a": "1"}}, "apiVersion": "v1", "kind": "Pod"
            })),
            concat!(
                r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","labels":{"a":"1","b":"2"}},"#,
                r#""spec":{"containers":[{"name":"a","resources":{}}],"automountServiceAccountToken":false},"status":{}}"#
            )
        );
    }

    #[test]
    fn lists_and_times_that_go_never_omits_are_null() {
        assert_eq!(
            normalised(json!({"kind": "ClusterRole", "apiVersion": "rbac.authorization.k8s.io/v1"})),
            r#"{"kind":"ClusterRole","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{},"rules":null}"#
        );
        assert!(normalised(json!({"kind": "Event", "apiVersion": "v1"})).contains(r#""lastTimestamp":null"#));
    }

    /// Typed readers take Go's nulls and zero values for what they are.
    #[test]
    fn what_go_writes_has_a_typed_view() {
        use crate::kinds::{apps, core, rbac};
        let of = |api_version: &str, kind: &str| {
            let mut object = Object::from_value(json!({"kind": kind, "apiVersion": api_version})).expect("an object");
            normalise(&mut object);
            object
        };
        of("v1", "Pod").typed::<core::Pod>().expect("a pod");
        of("v1", "Event").typed::<core::Event>().expect("an event");
        of("v1", "Node").typed::<core::Node>().expect("a node");
        of("apps/v1", "Deployment").typed::<apps::Deployment>().expect("a deployment");
        of("rbac.authorization.k8s.io/v1", "ClusterRole").typed::<rbac::ClusterRole>().expect("a role");
        of("rbac.authorization.k8s.io/v1", "RoleBinding").typed::<rbac::RoleBinding>().expect("a binding");
    }

    #[test]
    fn it_is_idempotent_and_leaves_unknown_kinds_alone() {
        let once =
            normalised(json!({"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"template": {}, "replicas": 0}}));
        let twice = normalised(serde_json::from_str(&once).expect("JSON"));
        assert_eq!(once, twice);
        let custom = json!({"b": null, "kind": "Foo", "apiVersion": "e.com/v1", "a": {}});
        assert_eq!(normalised(custom.clone()), custom.to_string());
    }
}
