//! The smallest checks, of which all others are made.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::{IntOrString, meta};
use nakhoda_api::names;
use serde::Serialize;
use serde_json::Value;

use crate::kind::Cx;

/// The text about a field that must stay as it is.
pub const IMMUTABLE: &str = "field is immutable";
/// How much the data of a ConfigMap or Secret may weigh.
pub const DATA_LIMIT: usize = 1024 * 1024;

/// An optional text; absent and empty are the same, as in Go.
#[must_use]
pub fn text(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or_default()
}

/// An optional list; absent and empty are the same, as in Go.
#[must_use]
pub fn list<T>(value: &Option<Vec<T>>) -> &[T] {
    value.as_deref().unwrap_or_default()
}

/// One fault for each text about the same value.
pub fn each(errors: &mut Errors, path: &Path, value: impl Into<Value>, faults: Vec<String>) {
    let value = value.into();
    for fault in faults {
        errors.invalid(path, value.clone(), fault);
    }
}

/// A DNS label.
pub fn label(errors: &mut Errors, path: &Path, value: &str) {
    each(errors, path, value, names::is_dns1123_label(value));
}

/// A DNS subdomain.
pub fn subdomain(errors: &mut Errors, path: &Path, value: &str) {
    each(errors, path, value, names::is_dns1123_subdomain(value));
}

/// A label key, or anything else of that form.
pub fn qualified(errors: &mut Errors, path: &Path, value: &str) {
    each(errors, path, value, names::is_qualified_name(value));
}

/// Something must stand here.
pub fn required(errors: &mut Errors, path: &Path, value: &str) {
    if value.is_empty() {
        errors.required(path, "");
    }
}

/// A number that is not below zero; absent counts as zero.
pub fn nonnegative(errors: &mut Errors, path: &Path, value: Option<impl Into<i64>>) {
    let value: i64 = value.map_or(0, Into::into);
    if value < 0 {
        errors.invalid(path, value, "must be greater than or equal to 0");
    }
}

/// One of a sorted list.
pub fn supported(errors: &mut Errors, path: &Path, value: &str, sorted: &[&str]) {
    if !sorted.contains(&value) {
        errors.not_supported(path, value, sorted);
    }
}

/// One of a sorted list, and not left out.
pub fn chosen(errors: &mut Errors, path: &Path, value: &str, sorted: &[&str]) {
    if value.is_empty() {
        errors.required(path, "");
    } else {
        supported(errors, path, value, sorted);
    }
}

/// The same of a field that Go keeps behind a pointer: an empty text is one that is not supported.
pub fn picked(errors: &mut Errors, path: &Path, value: Option<&String>, sorted: &[&str]) {
    match value {
        None => errors.required(path, ""),
        Some(value) => supported(errors, path, value, sorted),
    }
}

/// A port by number or by name.
pub fn port(errors: &mut Errors, path: &Path, port: &IntOrString) {
    match port {
        IntOrString::Int(n) => each(errors, path, *n, names::is_valid_port_num((*n).into())),
        IntOrString::String(s) => each(errors, path, s.as_str(), names::is_valid_port_name(s)),
    }
}

/// A file mode.
pub fn mode(errors: &mut Errors, path: &Path, mode: Option<i32>) {
    if let Some(mode) = mode.filter(|m| !(0..=0o777).contains(m)) {
        errors.invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

/// Labels of an object or a template.
pub fn labels(errors: &mut Errors, path: &Path, labels: Option<&BTreeMap<String, String>>) {
    for (key, value) in labels.into_iter().flatten() {
        qualified(errors, path, key);
        each(errors, path, value.as_str(), names::is_label_value(value));
    }
}

/// Annotations of a template.
pub fn annotations(errors: &mut Errors, path: &Path, annotations: Option<&BTreeMap<String, String>>) {
    let limit = 256 * 1024;
    for key in annotations.into_iter().flatten().map(|(k, _)| k) {
        each(errors, path, key.as_str(), names::is_annotation_key(key));
    }
    if annotations.into_iter().flatten().map(|(k, v)| k.len() + v.len()).sum::<usize>() > limit {
        errors.too_long(path, limit);
    }
}

/// A label selector of an object.
pub fn selector(errors: &mut Errors, path: &Path, selector: Option<&meta::LabelSelector>) {
    let Some(selector) = selector else { return };
    labels(errors, &path.child("matchLabels"), selector.match_labels.as_ref());
    for (i, one) in list(&selector.match_expressions).iter().enumerate() {
        requirement(errors, &path.child("matchExpressions").index(i), one);
    }
}

fn requirement(errors: &mut Errors, path: &Path, requirement: &meta::LabelSelectorRequirement) {
    let (values, at) = (list(&requirement.values), path.child("values"));
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.is_empty() => {
            errors.required(&at, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.forbidden(&at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.invalid(&path.child("operator"), other, "not a valid selector operator"),
    }
    qualified(errors, &path.child("key"), &requirement.key);
    for (i, value) in values.iter().enumerate() {
        each(errors, &at.index(i), value.as_str(), names::is_label_value(value));
    }
}

/// Whether two values mean the same: an empty text, list or map is as good as none.
#[must_use]
pub fn same<T: Serialize>(a: &T, b: &T) -> bool {
    let pruned = |v: &T| serde_json::to_value(v).map(prune).ok();
    pruned(a) == pruned(b)
}

fn prune(value: Value) -> Value {
    let empty = |v: &Value| match v {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    match value {
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(k, v)| (k, prune(v))).filter(|(_, v)| !empty(v)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(prune).collect()),
        other => other,
    }
}

/// A field that must stay as it is.
pub fn immutable<T: Serialize>(errors: &mut Errors, path: &Path, new: &T, old: &T) {
    if !same(new, old) {
        errors.invalid(path, serde_json::to_value(new).unwrap_or(Value::Null), IMMUTABLE);
    }
}

/// Keys of a ConfigMap's or Secret's data; gives the sum of the values' sizes.
pub fn data(errors: &mut Errors, path: &Path, data: Option<&BTreeMap<String, ByteString>>) -> usize {
    let mut size = 0;
    for (key, value) in data.into_iter().flatten() {
        each(errors, &path.key(key), key.as_str(), names::is_config_map_key(key));
        size += value.0.len();
    }
    size
}

/// What an object marked `immutable` keeps.
pub fn frozen<T: PartialEq>(errors: &mut Errors, field: &str, new: &T, old: &T) {
    if new != old {
        errors.forbidden(&Path::new(field), "field is immutable when `immutable` is set");
    }
}

/// Puts the stored status back: it is written through a subresource only.
pub fn keep_status<T: Clone>(cx: &Cx, new: &mut Option<T>, old: Option<&Option<T>>) {
    if cx.subresource.is_empty() {
        *new = old.cloned().flatten();
    }
}

/// Puts the stored metadata back: of some kinds a write of the status changes nothing else.
pub fn keep_metadata(cx: &Cx, new: &mut meta::ObjectMeta, old: Option<&meta::ObjectMeta>) {
    if let (false, Some(old)) = (cx.subresource.is_empty(), old) {
        let managed = new.managed_fields.take();
        new.clone_from(old);
        new.managed_fields = managed;
    }
}
