//! Protobuf to JSON values.
//!
//! Fields come out in Go's order. Zero values of fields that are no pointers are left out: Go always
//! writes them, and they mean what absence means.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::envelope::MAGIC;
use super::parts::{Fields, Payload};
use super::write::schema_props;
use crate::schema::index::Slot;
use crate::schema::{Field, MessageId, Type, table};
use crate::wire::{DecodeError, json, text};

const MAX_DEPTH: u32 = json::scan::MAX_DEPTH;

type Read<T> = Result<T, DecodeError>;

/// Reads the body of a message.
pub(super) fn message(id: MessageId, bytes: &[u8], depth: u32) -> Read<Map<String, Value>> {
    if depth > MAX_DEPTH {
        return Err(DecodeError::Protobuf("exceeded max depth"));
    }
    let fields = &table().message(id).json;
    let mut slots = vec![None; fields.len()];
    fill(id, bytes, &mut slots, depth)?;
    let mut map = Map::new();
    for (json, slot) in fields.iter().zip(slots) {
        if let Some(value) = slot.filter(|value| json.field.pointer || !is_zero(&json.field, value)) {
            map.insert(json.field.name.into(), value);
        }
    }
    Ok(map)
}

fn fill(id: MessageId, bytes: &[u8], slots: &mut [Option<Value>], depth: u32) -> Read<()> {
    let message = table().message(id);
    for field in Fields(bytes) {
        let (tag, payload) = field?;
        match message.slot(tag) {
            Some(Slot::Field(index)) => field_value(&message.json[index].field.ty, payload, &mut slots[index], depth)?,
            Some(Slot::Embedded(inner, base)) => fill(inner, payload.bytes()?, &mut slots[base..], depth)?,
            None => {}
        }
    }
    Ok(())
}

fn is_zero(field: &Field, value: &Value) -> bool {
    match (value, &field.ty) {
        (Value::Null, _) => true,
        (Value::Bool(b), Type::Bool) => !b,
        (Value::Number(n), Type::Int32(_) | Type::Int64(_) | Type::Float | Type::IntOrString) => {
            n.as_f64() == Some(0.0)
        }
        (Value::String(s), Type::String(_) | Type::Bytes) => s.is_empty(),
        (Value::Object(map), Type::Message(_)) => map.is_empty(),
        _ => false,
    }
}

/// Reads one occurrence of a field into its slot.
fn field_value(ty: &Type, payload: Payload<'_>, slot: &mut Option<Value>, depth: u32) -> Read<()> {
    match ty {
        Type::List(item) => {
            let list = slot.get_or_insert_with(|| Value::Array(Vec::new()));
            items(item, payload, list.as_array_mut().expect("was made one above"), depth)
        }
        Type::Wrapped(item) => {
            let mut list = Vec::new();
            for field in Fields(payload.bytes()?) {
                items(item, field?.1, &mut list, depth)?;
            }
            *slot = Some(Value::Array(list));
            Ok(())
        }
        Type::Map(_, item) => {
            let map = slot.get_or_insert_with(|| Value::Object(Map::new()));
            entry(item, payload.bytes()?, map.as_object_mut().expect("was made one above"), depth)
        }
        _ => {
            *slot = value(ty, payload, depth)?;
            Ok(())
        }
    }
}

fn items(item: &Type, payload: Payload<'_>, list: &mut Vec<Value>, depth: u32) -> Read<()> {
    let mut slot = None;
    field_value(item, payload, &mut slot, depth)?;
    list.push(slot.unwrap_or(Value::Null));
    Ok(())
}

fn entry(item: &Type, bytes: &[u8], map: &mut Map<String, Value>, depth: u32) -> Read<()> {
    let (mut key, mut slot) = (String::new(), None);
    for field in Fields(bytes) {
        match field? {
            (1, payload) => key = lossy(payload.bytes()?),
            (2, payload) => field_value(item, payload, &mut slot, depth)?,
            _ => {}
        }
    }
    map.insert(key, slot.unwrap_or_else(|| crate::schema::zero(item)));
    Ok(())
}

/// A value that is no list and no map; `None` if it stands for nothing.
fn value(ty: &Type, payload: Payload<'_>, depth: u32) -> Read<Option<Value>> {
    Ok(Some(match ty {
        Type::Bool => Value::Bool(payload.varint()? != 0),
        Type::Int32(_) => Value::from(payload.varint()? as i32),
        Type::Int64(_) => Value::from(payload.varint()?.cast_signed()),
        Type::Float => return Ok(float(payload)),
        Type::String(_) => Value::String(lossy(payload.bytes()?)),
        Type::Bytes => Value::String(STANDARD.encode(payload.bytes()?)),
        Type::Message(id) => Value::Object(message(*id, payload.bytes()?, depth + 1)?),
        Type::Quantity => Value::String(first_text(payload)?),
        Type::Time | Type::MicroTime => return time(ty, payload.bytes()?),
        Type::Duration => Value::String(text::print_duration(numbers(payload.bytes()?)?.0)),
        Type::IntOrString => int_or_string(payload.bytes()?)?,
        Type::Raw | Type::Fields | Type::Json => return raw(payload.bytes()?),
        Type::SchemaOrArray | Type::SchemaOrBool | Type::SchemaOrStrings => {
            return schema_or(ty, payload.bytes()?, depth);
        }
        Type::Any | Type::List(_) | Type::Wrapped(_) | Type::Map(..) => return Ok(None),
    }))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whole floats are printed without a point, as Go does.
fn float(payload: Payload<'_>) -> Option<Value> {
    let Payload::Fixed(bits) = payload else { return None };
    let value = f64::from_bits(bits);
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}

fn first_text(payload: Payload<'_>) -> Read<String> {
    let mut out = String::new();
    for field in Fields(payload.bytes()?) {
        if let (1, payload) = field? {
            out = lossy(payload.bytes()?);
        }
    }
    Ok(if out.is_empty() { "0".into() } else { out })
}

/// The integers of the tags 1 and 2.
fn numbers(bytes: &[u8]) -> Read<(i64, i64)> {
    let mut pair = (0, 0);
    for field in Fields(bytes) {
        match field? {
            (1, payload) => pair.0 = payload.varint()?.cast_signed(),
            (2, payload) => pair.1 = payload.varint()?.cast_signed(),
            _ => {}
        }
    }
    Ok(pair)
}

fn time(ty: &Type, bytes: &[u8]) -> Read<Option<Value>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (seconds, nanos) = numbers(bytes)?;
    let nanos = if *ty == Type::Time { 0 } else { i32::try_from(nanos).unwrap_or_default() };
    let time = Timestamp::new(seconds, nanos).map_err(|_| DecodeError::Protobuf("a time is out of range"))?;
    Ok(Some(Value::String(if *ty == Type::Time { text::seconds(time) } else { text::micros(time) })))
}

fn int_or_string(bytes: &[u8]) -> Read<Value> {
    let (mut is_string, mut number, mut string) = (false, 0, String::new());
    for field in Fields(bytes) {
        match field? {
            (1, payload) => is_string = payload.varint()? == 1,
            (2, payload) => number = payload.varint()? as i32,
            (3, payload) => string = lossy(payload.bytes()?),
            _ => {}
        }
    }
    Ok(if is_string { Value::String(string) } else { Value::from(number) })
}

/// JSON, or an enveloped object, in a `RawExtension`.
fn raw(bytes: &[u8]) -> Read<Option<Value>> {
    let mut raw: &[u8] = &[];
    for field in Fields(bytes) {
        if let (1, payload) = field? {
            raw = payload.bytes()?;
        }
    }
    if raw.is_empty() {
        return Ok(None);
    }
    if raw.starts_with(MAGIC) {
        return super::decode(raw, None).map(|decoded| Some(decoded.object.into_value()));
    }
    json::value(raw).map(|(value, _)| Some(value))
}

fn schema_or(ty: &Type, bytes: &[u8], depth: u32) -> Read<Option<Value>> {
    let (mut allows, mut schema, mut list) = (false, None, Vec::new());
    for field in Fields(bytes) {
        match (ty, field?) {
            (Type::SchemaOrBool, (1, payload)) => allows = payload.varint()? != 0,
            (Type::SchemaOrBool, (2, payload)) | (_, (1, payload)) => {
                schema = Some(Value::Object(message(schema_props(), payload.bytes()?, depth + 1)?));
            }
            (Type::SchemaOrArray, (2, payload)) => {
                list.push(Value::Object(message(schema_props(), payload.bytes()?, depth + 1)?));
            }
            (_, (2, payload)) => list.push(Value::String(lossy(payload.bytes()?))),
            _ => {}
        }
    }
    Ok(schema.or(match ty {
        Type::SchemaOrBool => Some(Value::Bool(allows)),
        _ => Some(Value::Array(list)),
    }))
}
