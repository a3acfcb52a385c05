//! What may stand in a schema at all.

use super::{Place, Strictness, lists, rules};
use crate::field::{Errors, Path};
use crate::structural::{Additional, Items, META, Schema};

/// The types that there are, in alphabetic order.
pub(super) const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Faults of the schema and of all below it, and apart from them those of its rules.
pub(super) fn check(schema: &Schema, path: &Path, place: &Place<'_>, strict: &Strictness<'_>) -> (Errors, Errors) {
    let (mut errors, mut of_rules) = (Errors::default(), Errors::default());
    own(schema, path, place, strict, &mut errors);
    let mut below = |schema: &Schema, path: Path, place: &Place<'_>| {
        let (faults, more) = check(schema, &path, place, strict);
        errors.extend(faults);
        of_rules.extend(more);
    };
    let inner = Place { root: false, ..place.clone() };
    if let Some(Additional::Of(value)) = &schema.additional_properties {
        let reason = inner.in_meta.then_some("inside additionalProperties applying to object metadata");
        let place = Place { no_default: reason.or(inner.no_default), ..inner.clone() };
        below(value, path.child("additionalProperties"), &place);
    }
    for (name, property) in &schema.properties {
        let is_meta = (place.root || schema.embedded) && META.contains(&name.as_str());
        let top = format!("in top-level {name}");
        let lost = schema.map_type.as_deref() == Some("atomic");
        let place = Place {
            in_meta: inner.in_meta || is_meta,
            no_default: (is_meta && place.root).then_some(top.as_str()).or(inner.no_default),
            uncorrelated: inner.uncorrelated.clone().or_else(|| lost.then(|| path.clone())),
            ..inner.clone()
        };
        below(property, path.child("properties").key(name), &place);
    }
    let nested = Place { nested: true, ..inner.clone() };
    if let Some(not) = &schema.not {
        below(not, path.child("not"), &nested);
    }
    for (word, schemas) in [("allOf", &schema.all_of), ("oneOf", &schema.one_of), ("anyOf", &schema.any_of)] {
        for (index, one) in schemas.iter().enumerate() {
            below(one, path.child(word).index(index), &nested);
        }
    }
    if let Some(items) = &schema.items {
        let lost = schema.list_type() != "map";
        let uncorrelated = inner.uncorrelated.clone().or_else(|| lost.then(|| path.clone()));
        let place = Place { uncorrelated, ..inner };
        match items {
            Items::One(item) => below(item, path.child("items"), &place),
            Items::Each(items) => {
                items.iter().enumerate().for_each(|(n, item)| below(item, path.child("items").index(n), &place));
            }
        }
    }
    if schema.preserve == Some(false) {
        let at = path.child("x-kubernetes-preserve-unknown-fields");
        errors.invalid(&at, false, "must be true or undefined");
    }
    lists::check(schema, path, strict.atomic_sets, &mut errors);
    if strict.map_keys {
        errors.extend(lists::keys(schema, path));
    }
    rules::check(schema, path, &mut errors);
    if let Some(compile) = strict.rules.filter(|_| errors.is_empty() && !place.nested && !schema.rules.is_empty()) {
        compile(schema, path, place, &mut of_rules);
    }
    (errors, of_rules)
}

fn own(schema: &Schema, path: &Path, place: &Place<'_>, strict: &Strictness<'_>, errors: &mut Errors) {
    let kind = schema.kind.as_str();
    if strict.types && !kind.is_empty() && !TYPES.contains(&kind) {
        errors.not_supported(&path.child("type"), kind, &TYPES);
    }
    if let (Some(_), Some(reason)) = (&schema.default, place.no_default) {
        errors.forbidden(&path.child("default"), format!("must not be set {reason}"));
    }
    let refused = &schema.refused;
    for (found, field) in [
        (!refused.id.is_empty(), "id"),
        (refused.additional_items.is_some(), "additionalItems"),
        (!refused.pattern_properties.is_empty(), "patternProperties"),
        (!refused.definitions.is_empty(), "definitions"),
        (refused.dependencies.is_some(), "dependencies"),
        (refused.reference.is_some(), "$ref"),
    ] {
        if found {
            errors.forbidden(&path.child(field), format!("{field} is not supported"));
        }
    }
    if kind == "null" {
        errors.forbidden(&path.child("type"), "type cannot be set to null, use nullable as an alternative");
    }
    if matches!(&schema.items, Some(Items::Each(items)) if !items.is_empty()) {
        errors.forbidden(&path.child("items"), "items must be a schema object and not an array");
    }
    if place.in_meta && schema.embedded {
        errors.forbidden(&path.child("x-kubernetes-embedded-resource"), "must not be used inside of resource meta");
    }
    if schema.unique_items {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        errors.forbidden(&path.child("uniqueItems"), why);
    }
    let has_values = !matches!(schema.additional_properties, None | Some(Additional::Any(true)));
    if has_values && !schema.properties.is_empty() {
        let why = "additionalProperties and properties are mutual exclusive";
        errors.forbidden(&path.child("additionalProperties"), why);
    }
}
