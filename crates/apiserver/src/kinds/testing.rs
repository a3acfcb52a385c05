//! Shortcuts for the tests of kinds: JSON in, the faults' text or JSON out.

use nakhoda_api::Object;
use nakhoda_api::field::Errors;
use serde_json::Value;

use crate::kind::{Cx, Kind};
use crate::user::User;

/// The clock of all tests.
pub(crate) fn now() -> jiff::Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("a time")
}

pub(crate) fn cx(subresource: &str) -> Cx {
    Cx {
        user: User { name: "alice".into(), ..User::default() },
        now: now(),
        subresource: subresource.into(),
        absent: Vec::new(),
    }
}

pub(crate) fn typed<K: Kind>(value: Value) -> K::Object {
    Object::from_value(value).expect("an object").typed().expect("the kind's shape")
}

/// The faults of what is written to a subresource.
pub(crate) fn faults<K: Kind>(subresource: &str, new: Value, old: Option<Value>) -> String {
    let mut errors = Errors::default();
    let cx = cx(subresource).with::<K>(&Object::from_value(new.clone()).expect("an object"));
    K::validate(&cx, &typed::<K>(new), old.map(typed::<K>).as_ref(), &mut errors);
    errors.to_string()
}

/// The faults of a new object.
pub(crate) fn create<K: Kind>(new: Value) -> String {
    faults::<K>("", new, None)
}

/// The faults of a changed object.
pub(crate) fn update<K: Kind>(old: Value, new: Value) -> String {
    faults::<K>("", new, Some(old))
}

/// The faults of a changed status.
pub(crate) fn status<K: Kind>(old: Value, new: Value) -> String {
    faults::<K>("status", new, Some(old))
}

/// The object with its defaults.
pub(crate) fn defaulted<K: Kind>(new: Value) -> Value {
    let mut object = typed::<K>(new);
    K::default(&mut object);
    json::<K>(&object)
}

/// The object as it is made ready for storage.
pub(crate) fn prepared<K: Kind>(new: Value, old: Option<Value>) -> Value {
    prepared_in::<K>("", new, old)
}

/// The same for what is written to a subresource.
pub(crate) fn prepared_in<K: Kind>(subresource: &str, new: Value, old: Option<Value>) -> Value {
    let mut object = typed::<K>(new);
    K::prepare(&cx(subresource), &mut object, old.map(typed::<K>).as_ref());
    json::<K>(&object)
}

/// The cells of the object's row.
pub(crate) fn row<K: Kind>(object: Value) -> Vec<Value> {
    K::columns().cells(&typed::<K>(object), now())
}

fn json<K: Kind>(object: &K::Object) -> Value {
    let mut value = serde_json::to_value(object).expect("JSON");
    for field in ["apiVersion", "kind"] {
        value.as_object_mut().expect("an object").remove(field);
    }
    value
}
