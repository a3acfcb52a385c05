//! Faults of a value against its schema, in the words and the order of upstream's validator
//! (`k8s.io/kube-openapi/pkg/validation/validate`).
//!
//! With the old value at hand, faults in parts that an update leaves as they were are forgiven.

mod combine;
mod number;
mod object;
mod scalar;

use serde_json::Value;

use super::{Schema, lists};
use crate::field::{Error, Errors, Fault, Path};

/// Faults in a value; `path` is where it stands, and `old` what stood there before.
#[must_use]
pub fn validate(value: &Value, old: Option<&Value>, schema: &Schema, path: &str) -> Errors {
    let outcome = Place { path, schema, old }.check(value);
    let mut errors = Errors::default();
    for error in outcome.errors {
        errors.push(&error.path, error.fault, error.detail);
    }
    errors
}

/// A schema at a place.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    schema: &'a Schema,
    /// What stood here before, if that can be told.
    old: Option<&'a Value>,
}

/// What a check came to. Of alternatives that all fail, the one with most matches is told.
#[derive(Default)]
struct Outcome {
    errors: Vec<Error>,
    matches: usize,
}

// === impl Place ===

impl<'a> Place<'a> {
    fn check(self, value: &Value) -> Outcome {
        let outcome = self.checked(value);
        if self.old.is_some_and(|old| !outcome.errors.is_empty() && super::go::equal(old, value)) {
            return Outcome { errors: Vec::new(), matches: outcome.matches };
        }
        outcome
    }

    fn checked(self, value: &Value) -> Outcome {
        let mut outcome = Outcome::default();
        if value.is_null() {
            outcome.merge(scalar::kind(self, value));
            outcome.merge(scalar::allowed(self, value));
            return outcome;
        }
        if !self.kinds().is_empty() || !self.schema.format.is_empty() {
            outcome.step(scalar::kind(self, value));
        }
        outcome.step(combine::check(self, value));
        if let Value::String(text) = value {
            outcome.step(scalar::text(self, text));
            if super::format::is_known(&self.schema.format) {
                outcome.step(scalar::format(self, text));
            }
        }
        if let Value::Number(number) = value {
            outcome.step(number::check(self, number));
        }
        if let Value::Array(items) = value {
            outcome.step(self.list(items));
        }
        outcome.step(scalar::allowed(self, value));
        if let Value::Object(map) = value {
            outcome.step(object::check(self, map));
        }
        outcome.matches += 1;
        outcome
    }

    /// The types that the value may have.
    fn kinds(self) -> Vec<&'a str> {
        match (self.schema.int_or_string, self.schema.kind.as_str()) {
            (true, _) => vec!["integer", "string"],
            (false, "") => Vec::new(),
            (false, kind) => vec![kind],
        }
    }

    fn list(self, items: &[Value]) -> Outcome {
        let mut outcome = Outcome::default();
        if let Some(schema) = self.schema.item() {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{}[{index}]", self.path);
                outcome.merge(Place { path: &path, schema, old: self.old_item(item) }.check(item));
            }
        }
        let size = items.len();
        if let Some(min) = self.schema.min_items.filter(|min| int(size) < *min) {
            outcome.invalid(self.path, int(size), format!("{} in body should have at least {min} items", self.path));
        }
        if let Some(max) = self.schema.max_items.filter(|max| int(size) > *max) {
            outcome.too_many(self.path, size, max);
        }
        let repeated = |items: &[Value]| items.iter().enumerate().any(|(n, a)| items[..n].contains(a));
        if self.schema.unique_items && repeated(items) {
            outcome.invalid(self.path, "", format!("{} in body shouldn't contain duplicates", self.path));
        }
        outcome.matches += 1;
        outcome
    }

    /// Only in lists of the type `map` an item can be told to be the one from before.
    fn old_item(self, item: &Value) -> Option<&'a Value> {
        let old = self.old?.as_array().filter(|_| self.schema.list_type() == "map")?;
        let key = lists::key(item, &self.schema.map_keys);
        old.iter().find(|old| lists::key(old, &self.schema.map_keys) == key)
    }
}

// === impl Outcome ===

impl Outcome {
    fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    fn merge(&mut self, other: Self) {
        self.errors.extend(other.errors);
        self.matches += other.matches;
    }

    /// One of the checks that make up a schema.
    fn step(&mut self, other: Self) {
        self.merge(other);
        self.matches += 1;
    }

    fn add(&mut self, path: &str, fault: Fault, detail: String) {
        let path = Path::new(path.strip_prefix('.').unwrap_or(path));
        self.errors.push(Error { path, fault, detail });
    }

    fn invalid(&mut self, path: &str, value: impl Into<Value>, detail: String) {
        self.add(path, Fault::Invalid(value.into()), detail);
    }

    fn too_many(&mut self, path: &str, count: usize, limit: i64) {
        self.add(path, Fault::TooMany(Some(count)), format!("must have at most {limit} items"));
    }

    /// A fault that upstream tells of the whole object.
    fn whole(&mut self, detail: String) {
        self.add("", Fault::Invalid("".into()), detail);
    }
}

fn int(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
