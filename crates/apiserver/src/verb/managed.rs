//! `metadata.managedFields`: who owns which fields after a write (`k8s.io/apimachinery/pkg/util/managedfields`).
//!
//! Every write passes here after its defaults are filled in, and before admission: what admission adds is nobody's.
//! Absent: the conversion of custom resources by webhooks; what an owner owns in another version of such a kind is
//! looked up as if its fields had the same names there.

mod apply;
mod scale;
mod versions;

use nakhoda_api::apply::{Manager, Managers, Operation, Owner, Schema, Writer, is_keyed};
use nakhoda_api::{Object, schema, time};
use serde_json::{Map, Value};

use super::Call;
use crate::request::WriteOptions;

pub use apply::apply;
pub use scale::Scaled;

/// The field.
pub const FIELD: &str = "managedFields";
/// Longer names of managers are cut.
const NAME_MAX: usize = 128;

/// Notes in `new` who owns what, after `live` (`None`: there was nothing) became it. `given` is what the client sent as
/// `managedFields`.
pub fn track(call: &Call, live: Option<&Object>, new: &mut Object, given: Option<&Value>, options: &WriteOptions) {
    let managers = known(call, live, given);
    if managers.is_empty() && live.is_some() {
        // whose fields were never noted, or were to be forgotten, is not tracked before the next apply
        return;
    }
    schema::normalise(new);
    let before = live.map_or_else(|| nothing(call), bare);
    let owner = owner(call, manager_name(call, options), Operation::Update);
    let root = Value::Object(std::mem::take(new.root_mut()));
    let managers = with_writer(call, |writer| {
        // as upstream: what cannot be typed leaves the owners as they were
        let typed = [&before, &root].into_iter().all(|object| is_keyed(writer.schema.root(), object));
        if typed { writer.update(&before, &root, managers, &owner, &now(call)) } else { managers }
    });
    if let Value::Object(root) = root {
        *new.root_mut() = root;
    }
    write(new, &managers);
}

/// The one entry of an object that is answered without being stored.
#[must_use]
pub fn once(call: &Call, options: &WriteOptions, version: &str, fields: Value) -> Value {
    serde_json::json!([{
        "manager": manager_name(call, options), "operation": "Update", "apiVersion": version, "time": now(call),
        "fieldsType": "FieldsV1", "fieldsV1": fields, "subresource": call.target.subresource,
    }])
}

/// Puts back what mutating admission broke, and tells of it.
pub fn mend(object: &mut Object, before: Option<&Value>) -> Option<String> {
    let after = object.at(&["metadata", FIELD]);
    if after == before {
        return None;
    }
    let error = Managers::decode(after).err()?;
    put(object, before.cloned());
    Some(format!(
        ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: {error}"
    ))
}

/// A write that changes nothing but the times of owners changes nothing.
pub fn settle(new: &mut Object, old: &Object) {
    let (is, was) = (new.at(&["metadata", FIELD]), old.at(&["metadata", FIELD]));
    if is == was || !is_same_but_for_times(is, was) {
        return;
    }
    let (mut one, mut other) = (bare(new), bare(old));
    for object in [&mut one, &mut other] {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("resourceVersion");
        }
    }
    if one == other {
        put(new, was.cloned());
    }
}

/// Puts `managedFields` in, or takes them out.
pub fn put(object: &mut Object, fields: Option<Value>) {
    match fields {
        Some(fields) => object.set_meta(FIELD, fields),
        None => {
            object.remove_meta(FIELD);
        }
    }
}

fn is_same_but_for_times(is: Option<&Value>, was: Option<&Value>) -> bool {
    let timeless = |entries: Option<&Value>| -> Vec<Map<String, Value>> {
        let entries = entries.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
        entries
            .map(|entry| entry.iter().filter(|(k, _)| *k != "time").map(|(k, v)| (k.clone(), v.clone())).collect())
            .collect()
    };
    let (is, was) = (timeless(is), timeless(was));
    !is.is_empty() && is == was
}

/// What the client says of owners, if it may and does; else what the object says.
fn known(call: &Call, live: Option<&Object>, given: Option<&Value>) -> Managers {
    let lived = || Managers::decode(live.and_then(|live| live.at(&["metadata", FIELD]))).unwrap_or_default();
    let Some(given) = given.filter(|_| call.target.subresource.is_empty()) else { return lived() };
    let entries = given.as_array().map(Vec::as_slice).unwrap_or_default();
    let is_blank = |entry: &Value| entry.as_object().is_some_and(Map::is_empty);
    if entries.is_empty() || (entries.len() == 1 && is_blank(&entries[0])) {
        return Managers::default();
    }
    Managers::decode(Some(given)).ok().filter(|managers| !managers.is_empty()).unwrap_or_else(lived)
}

/// How an object of the kind looks that has nothing in it.
fn nothing(call: &Call) -> Value {
    let mut object = Object::of(&call.kind.info.gvk);
    schema::normalise(&mut object);
    object.into_value()
}

/// The object without `managedFields`.
fn bare(object: &Object) -> Value {
    let strip = |(key, value): (&String, &Value)| match (key.as_str(), value) {
        ("metadata", Value::Object(metadata)) => {
            let metadata = metadata.iter().filter(|(key, _)| *key != FIELD);
            (key.clone(), Value::Object(metadata.map(|(k, v)| (k.clone(), v.clone())).collect()))
        }
        _ => (key.clone(), value.clone()),
    };
    Value::Object(object.root().iter().map(strip).collect())
}

fn write(object: &mut Object, managers: &Managers) {
    put(object, managers.encode());
}

fn now(call: &Call) -> String {
    time::now_rfc3339(call.now)
}

fn owner(call: &Call, name: String, operation: Operation) -> Owner {
    let name = if name.is_empty() { "unknown".to_owned() } else { name };
    let version = call.kind.info.gvk.api_version();
    Owner { name, operation, version, subresource: call.target.subresource.clone() }
}

/// What the caller calls itself, or what its program does.
fn manager_name(call: &Call, options: &WriteOptions) -> String {
    if !options.field_manager.is_empty() {
        return options.field_manager.clone();
    }
    let mut name = String::new();
    let program = call.agent.split('/').next().unwrap_or_default();
    for character in program.chars().filter(|character| !character.is_control()) {
        if name.len() + character.len_utf8() > NAME_MAX {
            break;
        }
        name.push(character);
    }
    name
}

fn with_writer<T>(call: &Call, work: impl FnOnce(&Writer<'_>) -> T) -> T {
    let filter = call.kind.info.owned_by_others(&call.target.subresource);
    let versions = versions::Others { call };
    let schema: Schema = versions::schema(&call.kind);
    let version = call.kind.info.gvk.api_version();
    work(&Writer { version: &version, schema: &schema, filter: &filter, versions: &versions })
}

/// What only those own who wrote before anybody was asked who they are.
fn before_first_apply(call: &Call, writer: &Writer<'_>, live: &Value) -> Managers {
    let owner = owner(call, "before-first-apply".to_owned(), Operation::Update);
    writer.update(&nothing(call), live, Managers::default(), &owner, &now(call))
}

/// The same manager in another version.
fn moved(manager: &Manager, version: &str, set: nakhoda_api::apply::Set) -> Manager {
    let owner = Owner { version: version.to_owned(), ..manager.owner.clone() };
    Manager { owner, time: manager.time.clone(), set }
}
