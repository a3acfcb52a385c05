use serde_json::{Map, Value, json};

use super::*;
use crate::schema::index::JsonField;
use crate::schema::{self, MessageId, Type, table};

/// An object with every field set to something that is not zero, down to a depth where recursive
/// types end.
fn full(id: MessageId, depth: u32) -> Value {
    let mut map = Map::new();
    // The kind of an object within another one has no place in protobuf.
    let in_protobuf = |json: &&JsonField| json.field.tag != 0 && !json.via.contains(&0);
    for json in table().message(id).json.iter().filter(in_protobuf) {
        if let Some(value) = filled(&json.field.ty, depth) {
            map.insert(json.field.name.into(), value);
        }
    }
    Value::Object(map)
}

fn filled(ty: &Type, depth: u32) -> Option<Value> {
    let schema = || table().named("apiextensions/v1", "JSONSchemaProps").map(|id| full(id, depth + 2));
    Some(match ty {
        Type::Bool => json!(true),
        Type::Int32(_) => json!(-7),
        Type::Int64(_) => json!(1_i64 << 40),
        Type::Float => json!(1.5),
        Type::String(_) => json!("text"),
        Type::Bytes => json!("aGk="),
        Type::Any => return None,
        Type::Quantity => json!("1500m"),
        Type::Time => json!("2026-01-02T03:04:05Z"),
        Type::MicroTime => json!("2026-01-02T03:04:05.000006Z"),
        Type::Duration => json!("1m30s"),
        Type::IntOrString => json!("50%"),
        Type::Raw | Type::Fields => json!({"f:x": {}}),
        Type::Json => json!([1, "a", null]),
        _ if depth > 6 => return None,
        Type::SchemaOrArray => json!([schema()?]),
        Type::SchemaOrBool => schema()?,
        Type::SchemaOrStrings => json!(["a"]),
        Type::Message(id) => full(*id, depth + 1),
        Type::List(item) | Type::Wrapped(item) => json!([filled(item, depth)?]),
        Type::Map(_, value) => json!({"a": filled(value, depth)?, "b": filled(value, depth)?}),
    })
}

#[test]
fn every_kind_survives_all_media_unchanged() {
    // A WatchEvent is no object: it has no field that tells its kind.
    for kind in table().kinds().filter(|kind| table().message(kind.message).field("kind").is_some()) {
        let group = if kind.group == "*" { "" } else { kind.group };
        let gvk = GroupVersionKind::new(group, kind.version, kind.kind);
        let mut object = Object::from_value(full(kind.message, 0)).expect("an object");
        object.set_gvk(&gvk);
        schema::normalise(&mut object);
        for media in [Media::Json, Media::Yaml, Media::Protobuf] {
            let bytes = encode(media, &object).expect("encodes");
            let mut decoded = decode(media, &bytes, None).expect("decodes");
            assert_eq!(decoded.faults, Vec::<String>::new(), "{gvk:?}");
            schema::normalise(&mut decoded.object);
            assert_eq!(
                String::from_utf8(decoded.object.to_json()),
                String::from_utf8(object.to_json()),
                "{gvk:?} {media:?}"
            );
        }
    }
}

#[test]
fn zero_values_mean_the_same_in_all_media() {
    for kind in table().kinds() {
        let group = if kind.group == "*" { "" } else { kind.group };
        let mut object = Object::of(&GroupVersionKind::new(group, kind.version, kind.kind));
        schema::normalise(&mut object);
        let bytes = encode(Media::Protobuf, &object).expect("encodes");
        let mut decoded = decode(Media::Protobuf, &bytes, None).expect("decodes").object;
        schema::normalise(&mut decoded);
        assert_eq!(decoded.into_value().to_string(), object.into_value().to_string());
    }
}
