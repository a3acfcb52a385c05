//! The properties of objects.

use serde_json::{Map, Value};

use super::{Outcome, Place, int};
use crate::field::Fault;
use crate::structural::Additional;

pub(super) fn check(place: Place<'_>, map: &Map<String, Value>) -> Outcome {
    let mut outcome = Outcome::default();
    let (schema, path) = (place.schema, place.path);
    if let Some(min) = schema.min_properties.filter(|min| int(map.len()) < *min) {
        let why = format!("{path} in body should have at least {min} properties");
        outcome.invalid(path, int(map.len()), why);
    }
    if let Some(max) = schema.max_properties.filter(|max| int(map.len()) > *max) {
        outcome.too_many(path, map.len(), max);
    }
    for (key, value) in map.iter().filter(|(key, _)| !schema.properties.contains_key(*key)) {
        match &schema.additional_properties {
            Some(Additional::Any(false)) => {
                outcome.invalid(path, key.as_str(), format!("{path}.{key} in body is a forbidden property"));
            }
            Some(Additional::Of(below)) => {
                let path = format!("{path}.{key}");
                outcome.merge(Place { path: &path, schema: below, old: old(place, key) }.check(value));
            }
            Some(Additional::Any(true)) | None => {}
        }
    }
    for (key, below) in &schema.properties {
        let Some(value) = map.get(key) else { continue };
        let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        outcome.merge(Place { path: &at, schema: below, old: old(place, key) }.check(value));
    }
    for key in schema.required.iter().filter(|key| !map.contains_key(*key)) {
        outcome.add(&format!("{path}.{key}"), Fault::Required, String::new());
    }
    outcome
}

/// What stood in a field before. The kind is never forgiven.
fn old<'a>(place: Place<'a>, key: &str) -> Option<&'a Value> {
    let type_meta = place.path.is_empty() && matches!(key, "kind" | "apiVersion");
    place.old.filter(|_| !type_meta)?.get(key)
}
