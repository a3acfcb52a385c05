//! The description of a kind that has none of its own: every field, by name.

use serde_json::{Map, Value};

use super::sheet::Sheet;
use super::values::{labels_and_annotations, scalar};
use crate::cluster::text;

/// What stands above already.
const SKIPPED: [&str; 5] =
    [".metadata.managedFields", ".metadata.name", ".metadata.namespace", ".metadata.labels", ".metadata.annotations"];
/// Words that stay upper case.
const ACRONYMS: [&str; 4] = ["API", "URL", "UID", "GUID"];

/// Writes all of it.
pub fn write(sheet: &mut Sheet, object: &Value) {
    sheet.field(0, "Name", text(object, "/metadata/name"));
    sheet.field(0, "Namespace", text(object, "/metadata/namespace"));
    labels_and_annotations(sheet, 0, &object["metadata"]);
    if let Some(fields) = object.as_object() {
        map(sheet, 0, fields, "");
    }
}

fn map(sheet: &mut Sheet, level: usize, fields: &Map<String, Value>, path: &str) {
    let mut names: Vec<&String> = fields.keys().collect();
    names.sort();
    for name in names {
        let path = format!("{path}.{name}");
        if SKIPPED.contains(&path.as_str()) {
            continue;
        }
        match &fields[name] {
            Value::Object(inner) => {
                sheet.line(level, format!("{}:", label(name)));
                map(sheet, level + 1, inner, &path);
            }
            Value::Array(items) => {
                sheet.line(level, format!("{}:", label(name)));
                for item in items {
                    match item {
                        Value::Object(inner) => map(sheet, level + 1, inner, &path),
                        other => sheet.line(level + 1, scalar(other)),
                    }
                }
            }
            other => sheet.field(level, &label(name), scalar(other)),
        }
    }
}

/// `creationTimestamp` as `Creation Timestamp`.
fn label(name: &str) -> String {
    if !name.chars().all(|c| c.is_alphabetic() || c == '-') {
        return name.into();
    }
    let mut words: Vec<String> = Vec::new();
    let mut previous = None;
    for c in name.chars() {
        let starts = c.is_uppercase() && previous.is_none_or(char::is_lowercase);
        match words.last_mut() {
            Some(word) if !starts => word.push(c),
            _ => words.push(c.into()),
        }
        previous = Some(c);
    }
    let shown = words.iter().map(|word| match word.to_uppercase() {
        upper if ACRONYMS.contains(&upper.as_str()) => upper,
        _ => capital(word),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_field_is_told_by_name() {
        let mut sheet = Sheet::new(jiff::Timestamp::UNIX_EPOCH);
        let object = json!({"kind": "Lease", "apiVersion": "v1", "metadata": {"name": "a", "uid": "u"}, "spec": {"list": [1, {"b": true}]}});
        write(&mut sheet, &object);
        let text = sheet.text();
        assert!(
            text.contains(
                "API Version:  v1\nKind:         Lease\nMetadata:\n  UID:  u\nSpec:\n  List:\n    1\n    B:  true\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn names_become_words() {
        for (name, text) in [
            ("creationTimestamp", "Creation Timestamp"),
            ("uid", "UID"),
            ("holderIdentity", "Holder Identity"),
            ("a.b", "a.b"),
        ] {
            assert_eq!(label(name), text);
        }
    }
}
