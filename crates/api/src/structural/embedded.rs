//! Objects within objects: their kind and metadata must be such, and what their metadata does not know goes.

use serde_json::{Map, Value};

use super::Schema;
use crate::field::{Error, Errors, Fault, Path};
use crate::kinds::meta::ObjectMeta;
use crate::{GroupVersion, names, wire};

/// Brings the metadata of all embedded objects into the form of its type, and tells of each field that it does not
/// know. Fails on the first value of a wrong type.
pub fn coerce(value: &mut Value, schema: &Schema) -> Result<Vec<String>, Error> {
    let mut unknown = Vec::new();
    each(value, schema, &Path::default(), &mut |map, path| coerce_one(map, path, &mut unknown))?;
    Ok(unknown)
}

/// Faults in the kinds and the metadata of all embedded objects.
#[must_use]
pub fn check(value: &Value, schema: &Schema) -> Errors {
    let mut errors = Errors::default();
    let mut value = value.clone();
    let looked: Result<(), Error> = each(&mut value, schema, &Path::default(), &mut |map, path| {
        check_one(map, path, &mut errors);
        Ok(())
    });
    if let Err(error) = looked {
        errors.push(&error.path, error.fault, error.detail);
    }
    errors
}

type Visit<'a> = dyn FnMut(&mut Map<String, Value>, &Path) -> Result<(), Error> + 'a;

/// Visits every embedded object, the outer ones first.
fn each(value: &mut Value, schema: &Schema, path: &Path, visit: &mut Visit<'_>) -> Result<(), Error> {
    match value {
        Value::Object(map) => {
            if schema.embedded {
                visit(map, path)?;
            }
            for (key, value) in map.iter_mut() {
                if let Some(below) = schema.properties.get(key) {
                    each(value, below, &path.child(key), visit)?;
                } else if let Some(below) = schema.value() {
                    each(value, below, &path.key(key), visit)?;
                }
            }
        }
        Value::Array(items) => {
            if let Some(below) = schema.item() {
                for (index, item) in items.iter_mut().enumerate() {
                    each(item, below, &path.index(index), visit)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn coerce_one(map: &mut Map<String, Value>, path: &Path, unknown: &mut Vec<String>) -> Result<(), Error> {
    let invalid = |field: &str, value: &Value, why: String| Error {
        path: path.child(field),
        fault: Fault::Invalid(value.clone()),
        detail: why,
    };
    for field in ["apiVersion", "kind"] {
        if let Some(value) = map.get(field).filter(|value| !value.is_string()) {
            return Err(invalid(field, value, "must be a string".into()));
        }
    }
    let Some(metadata) = map.get_mut("metadata") else { return Ok(()) };
    let at = path.child("metadata");
    let (read, told) =
        wire::metadata(metadata, at.as_str()).map_err(|why| invalid("metadata", metadata, why.to_string()))?;
    unknown.extend(told);
    *metadata = Value::Object(read);
    Ok(())
}

fn check_one(map: &Map<String, Value>, path: &Path, errors: &mut Errors) {
    for field in ["apiVersion", "kind"] {
        let at = path.child(field);
        match map.get(field) {
            None => errors.required(&at, ""),
            Some(Value::String(text)) if text.is_empty() => errors.invalid(&at, "", "must not be empty"),
            Some(Value::String(text)) if field == "apiVersion" => {
                if GroupVersion::parse(text).is_none() {
                    errors.invalid(&at, text.as_str(), format!("unexpected GroupVersion string: {text}"));
                }
            }
            Some(Value::String(text)) => {
                let faults = names::is_dns1035_label(&text.to_lowercase());
                if !faults.is_empty() {
                    let why = format!("may have mixed case, but should otherwise match: {}", faults.join(","));
                    errors.invalid(&at, text.as_str(), why);
                }
            }
            Some(other) => errors.invalid(&at, other.clone(), "must be a string"),
        }
    }
    if let Some(metadata) = map.get("metadata") {
        check_metadata(metadata, &path.child("metadata"), errors);
    }
}

/// As much as clients see of it: names, labels and annotations.
fn check_metadata(metadata: &Value, path: &Path, errors: &mut Errors) {
    let meta: ObjectMeta = match serde_json::from_value(metadata.clone()) {
        Ok(meta) => meta,
        Err(why) => return errors.invalid(path, metadata.clone(), why.to_string()),
    };
    for (field, name) in [("generateName", meta.generate_name), ("name", meta.name)] {
        for fault in names::is_path_segment_name(&name.unwrap_or_default()) {
            errors.invalid(&path.child(field), metadata[field].clone(), fault);
        }
    }
    for fault in meta.namespace.iter().filter(|n| !n.is_empty()).flat_map(|n| names::is_dns1123_label(n)) {
        errors.invalid(&path.child("namespace"), metadata["namespace"].clone(), fault);
    }
    for (key, value) in meta.labels.into_iter().flatten() {
        for fault in names::is_qualified_name(&key) {
            errors.invalid(&path.child("labels"), key.as_str(), fault);
        }
        for fault in names::is_label_value(&value) {
            errors.invalid(&path.child("labels"), value.as_str(), fault);
        }
    }
    for key in meta.annotations.into_iter().flatten().map(|(key, _)| key) {
        for fault in names::is_qualified_name(&key.to_lowercase()) {
            errors.invalid(&path.child("annotations"), key.as_str(), fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template() -> Schema {
        let schema = json!({"properties": {"t": {"type": "object", "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true}}});
        Schema::parse(&schema).expect("a schema")
    }

    #[test]
    fn metadata_of_an_embedded_object_is_brought_into_form() {
        let mut value = json!({"t": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "odd": 1}, "x": 1}});
        assert_eq!(coerce(&mut value, &template()), Ok(vec![r#"unknown field "t.metadata.odd""#.to_owned()]));
        assert_eq!(value["t"]["metadata"], json!({"name": "a"}));
        let mut wrong = json!({"t": {"metadata": {"labels": 1}}});
        assert_eq!(coerce(&mut wrong, &template()).expect_err("wrong").path.as_str(), "t.metadata");
    }

    #[test]
    fn an_embedded_object_has_a_kind() {
        let told = check(&json!({"t": {"apiVersion": "v1", "metadata": {"labels": {"a b": ""}}}}), &template());
        assert!(
            told.to_string().starts_with("[t.kind: Required value, t.metadata.labels: Invalid value: \"a b\""),
            "{told}"
        );
    }
}
