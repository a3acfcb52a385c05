//! Types, allowed values, and what strings must look like.

use serde_json::Value;

use super::{Outcome, Place};
use crate::field::Fault;
use crate::structural::{format as formats, go};

/// The type that JSON gives a value, and the format that Go gives it.
fn kind_of(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::Number(number) if number.is_f64() => ("number", "float64"),
        Value::Number(_) => ("integer", "int64"),
        Value::String(_) => ("string", ""),
        Value::Array(_) => ("array", ""),
        Value::Object(_) => ("object", ""),
    }
}

pub(super) fn kind(place: Place<'_>, value: &Value) -> Outcome {
    let (kinds, expected) = (place.kinds(), place.schema.format.as_str());
    let (kind, format) = kind_of(value);
    let mut outcome = Outcome::default();
    if value.is_null() {
        if !kinds.is_empty() && !kinds.contains(&"null") && !place.schema.nullable {
            mistyped(&mut outcome, place, &kinds.join(","), kind);
        }
        return outcome;
    }
    let has = |kind: &str| kinds.contains(&kind);
    let whole = value.as_number().is_some_and(|number| go::whole(number).is_some()) && has("integer");
    let fits = has(kind) || whole || kind == "integer" && has("number");
    let textual = matches!(value, Value::String(_) | Value::Array(_));
    let supported = formats::is_supported(&place.schema.kind, expected);
    if supported && !textual && !fits && format != expected {
        mistyped(&mut outcome, place, expected, format);
    } else if supported && textual && !has("number") && !has("integer") {
        outcome.matches += 1;
    } else if !kinds.is_empty() && !fits {
        mistyped(&mut outcome, place, &kinds.join(","), kind);
    } else {
        outcome.matches += 1;
    }
    outcome
}

fn mistyped(outcome: &mut Outcome, place: Place<'_>, expected: &str, found: &str) {
    let detail = format!("{} in body must be of type {expected}: {found:?}", place.path);
    outcome.add(place.path, Fault::TypeInvalid(found.into()), detail);
}

pub(super) fn allowed(place: Place<'_>, value: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    let allowed = &place.schema.allowed;
    if !allowed.is_empty() && !allowed.iter().any(|one| go::equal(one, value)) {
        let quoted = allowed.iter().map(|one| match one {
            Value::String(text) => format!("{text:?}"),
            other => format!("{:?}", other.to_string()),
        });
        let detail = format!("supported values: {}", quoted.collect::<Vec<_>>().join(", "));
        outcome.add(place.path, Fault::NotSupported(value.clone()), detail);
    }
    outcome
}

/// Length and pattern; the first fault counts.
pub(super) fn text(place: Place<'_>, text: &str) -> Outcome {
    let (schema, path) = (place.schema, place.path);
    let mut outcome = Outcome::default();
    let length = super::int(text.chars().count());
    if let Some(max) = schema.max_length.filter(|max| length > *max) {
        outcome.add(path, Fault::TooLong, format!("may not be more than {max} bytes"));
    } else if let Some(min) = schema.min_length.filter(|min| length < *min) {
        outcome.invalid(path, text, format!("{path} in body should be at least {min} chars long"));
    } else if !schema.pattern.as_str().is_empty() {
        let pattern = schema.pattern.as_str();
        match schema.pattern.regex() {
            Ok(regex) if regex.is_match(text) => {}
            Ok(_) => outcome.invalid(path, text, format!("{path} in body should match '{pattern}'")),
            Err(why) => {
                let pattern = format!("{pattern}, but pattern is invalid: {why}");
                outcome.invalid(path, text, format!("{path} in body should match '{pattern}'"));
            }
        }
    }
    outcome
}

pub(super) fn format(place: Place<'_>, text: &str) -> Outcome {
    let (format, path) = (&place.schema.format, place.path);
    let mut outcome = Outcome::default();
    if matches!(place.schema.kind.as_str(), "" | "string") && !formats::fits(format, text) {
        let detail = format!("{path} in body must be of type {format}: {text:?}");
        outcome.add(path, Fault::TypeInvalid(text.into()), detail);
    }
    outcome
}
