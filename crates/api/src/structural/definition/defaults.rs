//! Defaults are values of their own schema: they fit it, and have no unknown fields.

use crate::field::{Errors, Path};
use crate::structural::{META, Schema, embedded, go, prune, validate};

/// Faults in all defaults of a schema of whole objects.
#[must_use]
pub fn check(schema: &Schema, path: &Path, pruned: bool) -> Errors {
    let mut errors = Errors::default();
    walk(schema, path, Within { object: true, meta: false }, pruned, &mut errors);
    errors
}

/// Where a schema stands: at an object, or within the metadata of one.
#[derive(Clone, Copy)]
struct Within {
    object: bool,
    meta: bool,
}

fn walk(schema: &Schema, path: &Path, within: Within, pruned: bool, errors: &mut Errors) {
    let within = Within { object: within.object || schema.embedded, meta: within.meta && !schema.embedded };
    if let Some(default) = &schema.default {
        check_one(schema, default, &path.child("default"), pruned && !within.meta, errors);
    }
    let below = |meta| Within { object: false, meta };
    if let Some(item) = schema.item() {
        walk(item, &path.child("items"), below(within.meta), pruned, errors);
    }
    for (name, property) in &schema.properties {
        let meta = within.meta || within.object && META.contains(&name.as_str());
        walk(property, &path.child("properties").key(name), below(meta), pruned, errors);
    }
}

fn check_one(schema: &Schema, default: &serde_json::Value, path: &Path, pruned: bool, errors: &mut Errors) {
    let mut value = default.clone();
    if pruned {
        prune::prune_value(&mut value, schema);
        if !go::equal(&value, default) {
            errors.invalid(path, default.clone(), "must not have unknown fields");
        }
    }
    let mut value = default.clone();
    if let Err(error) = embedded::coerce(&mut value, schema) {
        return errors.push(&below(path, &error.path), error.fault, error.detail);
    }
    let faults = embedded::check(default, schema);
    if !faults.is_empty() {
        for error in faults.iter() {
            errors.push(&below(path, &error.path), error.fault.clone(), error.detail.clone());
        }
        return;
    }
    for error in validate::validate(default, None, schema, "").iter() {
        errors.push(&below(path, &error.path), error.fault.clone(), error.detail.clone());
    }
}

fn below(path: &Path, rest: &Path) -> Path {
    match rest.as_str() {
        "" => path.clone(),
        rest if rest.starts_with('[') => Path::new(format!("{}{rest}", path.as_str())),
        rest => path.child(rest),
    }
}
