//! Printer columns, selectable fields and subresources: whatever points into the objects by a path.

use std::collections::HashSet;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiextensions::{
    CustomResourceColumnDefinition, CustomResourceDefinitionVersion, CustomResourceSubresources,
};
use nakhoda_api::structural::path::{self, PathError, Step};

use super::versions::schema;
use crate::rules::check::{list, text};

const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
/// Each costs a little with every change of every object.
const SELECTABLE_MAX: usize = 8;

/// The columns of `path`.
pub(super) fn check(columns: &[CustomResourceColumnDefinition], path: &Path, errors: &mut Errors) {
    for (index, column) in columns.iter().enumerate() {
        let path = path.child("additionalPrinterColumns").index(index);
        if column.name.is_empty() {
            errors.required(&path.child("name"), "");
        }
        let kinds = format!("must be one of {}", TYPES.join(","));
        let kind = column.type_.as_str();
        if kind.is_empty() {
            errors.required(&path.child("type"), kinds);
        } else if !TYPES.contains(&kind) {
            errors.invalid(&path.child("type"), kind, kinds);
        }
        let format = text(&column.format);
        if !format.is_empty() && !FORMATS.contains(&format) {
            errors.invalid(&path.child("format"), format, format!("must be one of {}", FORMATS.join(",")));
        }
        let at = path.child("JSONPath");
        if column.json_path.is_empty() {
            errors.required(&at, "");
        } else {
            simple(&column.json_path, &at, errors);
        }
    }
}

/// Whether a path is a simple one; if not, it is told.
fn simple(json_path: &str, path: &Path, errors: &mut Errors) -> bool {
    let fits = json_path.starts_with('.');
    if !fits {
        errors.invalid(path, json_path, "must be a simple json path starting with .");
    }
    fits
}

pub(super) fn subresources(subresources: Option<&CustomResourceSubresources>, path: &Path, errors: &mut Errors) {
    let Some(scale) = subresources.and_then(|s| s.scale.as_ref()) else { return };
    for (name, json_path, root) in [
        ("scale.specReplicasPath", &scale.spec_replicas_path, ".spec"),
        ("scale.statusReplicasPath", &scale.status_replicas_path, ".status"),
    ] {
        let at = path.child(name);
        if json_path.is_empty() {
            errors.required(&at, "");
        } else if simple(json_path, &at, errors) && !json_path.starts_with(&format!("{root}.")) {
            errors.invalid(&at, json_path.as_str(), format!("should be a json path under {root}"));
        }
    }
    let json_path = text(&scale.label_selector_path);
    let at = path.child("scale.labelSelectorPath");
    let below = [".spec.", ".status."].iter().any(|root| json_path.starts_with(root));
    if !json_path.is_empty() && simple(json_path, &at, errors) && !below {
        errors.invalid(&at, json_path, "should be a json path under either .spec or .status");
    }
}

pub(super) fn selectable(version: &CustomResourceDefinitionVersion, path: &Path, errors: &mut Errors) {
    let Some(schema) = schema(version) else { return };
    let mut seen = HashSet::new();
    for (index, field) in list(&version.selectable_fields).iter().enumerate() {
        let (at, json_path) = (path.index(index).child("jsonPath"), field.json_path.as_str());
        if json_path.is_empty() {
            errors.required(&at, "");
            continue;
        }
        let found = path::find(&schema, json_path).and_then(|found| {
            let indexed = found.0.iter().any(|step| matches!(step, Step::Index(_)));
            if indexed { Err(PathError::Syntax("array notation is not allowed".into())) } else { Ok(found) }
        });
        let (steps, schema) = match found {
            Ok(found) => found,
            Err(why) => {
                errors.invalid(&at, json_path, format!("is an invalid path: {why}"));
                continue;
            }
        };
        if steps.first() == Some(&Step::Name("metadata".into())) {
            errors.invalid(&at, json_path, "must not point to fields in metadata");
        }
        if !matches!(schema.kind.as_str(), "string" | "boolean" | "integer") {
            let why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
            errors.invalid(&at, json_path, why);
        }
        if !seen.insert(json_path.to_owned()) {
            errors.duplicate(&at, json_path);
        }
    }
    if seen.len() > SELECTABLE_MAX {
        errors.too_many(path, seen.len(), SELECTABLE_MAX);
    }
}
