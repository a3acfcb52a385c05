//! Validation of `metadata`, in upstream's order and words.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{GroupVersion, Object, Scope, names};
use serde_json::Value;

use crate::kind::NameRule;
use crate::rules::network;

const ANNOTATIONS_MAX: usize = 256 << 10;
const IMMUTABLE: &str = "field is immutable";
/// Set, and cleared, by nobody but the server.
const FIXED: [&str; 6] =
    ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];

/// Faults in the metadata of any object that is to be stored.
#[must_use]
pub fn check(object: &Object, scope: Scope, rule: NameRule) -> Errors {
    let mut errors = Errors::default();
    let path = Path::new("metadata");
    check_names(object, rule, &path, &mut errors);
    check_namespace(object, scope, &path, &mut errors);
    if object.at(&["metadata", "generation"]).and_then(Value::as_i64).is_some_and(|g| g < 0) {
        errors.invalid(
            &path.child("generation"),
            object.at(&["metadata", "generation"]).cloned().unwrap_or_default(),
            "must be greater than or equal to 0",
        );
    }
    check_texts(object, &path, &mut errors);
    check_finalizers(object, &path, &mut errors);
    errors
}

/// Faults in what an update does to the metadata.
#[must_use]
pub fn check_update(new: &Object, old: &Object) -> Errors {
    let mut errors = Errors::default();
    let path = Path::new("metadata");
    if old.is_terminating() {
        let before: Vec<&str> = old.finalizers().collect();
        let mut added: Vec<&str> = new.finalizers().filter(|f| !before.contains(f)).collect();
        added.sort_unstable();
        if !added.is_empty() {
            let list = added.iter().map(|f| format!("{f:?}")).collect::<Vec<_>>().join(", ");
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{list}}}"
            );
            errors.forbidden(&path.child("finalizers"), why);
        }
    }
    for field in FIXED {
        let (is, was) = (new.at(&["metadata", field]), old.at(&["metadata", field]));
        if is != was {
            errors.invalid(&path.child(field), is.cloned().unwrap_or_default(), IMMUTABLE);
        }
    }
    errors
}

fn check_names(object: &Object, rule: NameRule, path: &Path, errors: &mut Errors) {
    let prefix = object.meta_str("generateName");
    if !prefix.is_empty() {
        // a prefix may end where a name may not
        let probe = format!("{}a", prefix.trim_end_matches(['-', '.']));
        let probe = if matches!(rule, NameRule::Segment | NameRule::Address) { prefix.to_owned() } else { probe };
        for fault in faults(&probe, rule) {
            errors.invalid(&path.child("generateName"), prefix, fault);
        }
    }
    if object.name().is_empty() {
        errors.required(&path.child("name"), "name or generateName is required");
    }
    if !object.name().is_empty() {
        for fault in faults(object.name(), rule) {
            errors.invalid(&path.child("name"), object.name(), fault);
        }
    }
}

fn faults(name: &str, rule: NameRule) -> Vec<String> {
    match rule {
        NameRule::Subdomain => names::is_dns1123_subdomain(name),
        NameRule::Label => names::is_dns1123_label(name),
        NameRule::Label1035 => names::is_dns1035_label(name),
        NameRule::Segment => names::is_path_segment_name(name),
        NameRule::Address => network::address_faults(name),
        NameRule::Own => Vec::new(),
    }
}

fn check_namespace(object: &Object, scope: Scope, path: &Path, errors: &mut Errors) {
    let (path, namespace) = (path.child("namespace"), object.namespace());
    match (scope, namespace) {
        (Scope::Namespaced, "") => errors.required(&path, ""),
        (Scope::Namespaced, namespace) => {
            for fault in names::is_dns1123_label(namespace) {
                errors.invalid(&path, namespace, fault);
            }
        }
        (Scope::Cluster, "") => {}
        (Scope::Cluster, _) => errors.forbidden(&path, "not allowed on this type"),
    }
}

fn check_texts(object: &Object, path: &Path, errors: &mut Errors) {
    let labels = path.child("labels");
    for (key, value) in object.labels() {
        for fault in names::is_qualified_name(key) {
            errors.invalid(&labels, key, fault);
        }
        for fault in names::is_label_value(value) {
            errors.invalid(&labels, value, fault);
        }
    }
    let annotations = path.child("annotations");
    let mut size = 0;
    for (key, value) in object.annotations() {
        size += key.len() + value.len();
        for fault in names::is_qualified_name(&key.to_lowercase()) {
            errors.invalid(&annotations, key, fault);
        }
    }
    if size > ANNOTATIONS_MAX {
        errors.too_long(&annotations, ANNOTATIONS_MAX);
    }
    check_owners(object, &path.child("ownerReferences"), errors);
}

fn check_owners(object: &Object, path: &Path, errors: &mut Errors) {
    let owners = object.at(&["metadata", "ownerReferences"]).and_then(Value::as_array);
    let mut controller: Option<String> = None;
    for owner in owners.into_iter().flatten() {
        let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or_default();
        if GroupVersion::parse(text("apiVersion")).is_none() {
            errors.invalid(&path.child("apiVersion"), text("apiVersion"), "version must not be empty");
        }
        for field in ["kind", "name", "uid"] {
            if text(field).is_empty() {
                errors.invalid(&path.child(field), text(field), "must not be empty");
            }
        }
        if text("apiVersion") == "v1" && text("kind") == "Event" {
            errors.invalid(path, owner.clone(), "/v1, Kind=Event is disallowed from being an owner");
        }
        if owner.get("controller") == Some(&Value::Bool(true)) {
            let this = format!("{}/{}", text("kind"), text("name"));
            match &controller {
                None => controller = Some(this),
                Some(first) => {
                    let why = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                    );
                    errors.invalid(path, owners.cloned().unwrap_or_default(), why);
                }
            }
        }
    }
}

fn check_finalizers(object: &Object, path: &Path, errors: &mut Errors) {
    let path = path.child("finalizers");
    let all: Vec<&str> = object.finalizers().collect();
    for finalizer in &all {
        for fault in names::is_qualified_name(finalizer) {
            errors.invalid(&path, *finalizer, fault);
        }
    }
    if all.contains(&"orphan") && all.contains(&"foregroundDeletion") {
        errors.invalid(&path, all, "finalizer orphan and foregroundDeletion cannot be both set");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(meta: Value) -> Object {
        Object::from_value(json!({"kind": "X", "apiVersion": "v1", "metadata": meta})).expect("an object")
    }

    #[test]
    fn a_bad_name_and_a_bad_label_are_both_told() {
        let errors =
            check(&object(json!({"name": "A", "labels": {"x": "a b"}})), Scope::Cluster, NameRule::Label).to_string();
        assert!(errors.contains("metadata.name: Invalid value: \"A\": a lowercase RFC 1123 label"), "{errors}");
        assert!(errors.contains("metadata.labels: Invalid value: \"a b\""), "{errors}");
    }

    #[test]
    fn a_prefix_may_end_in_a_dash() {
        let errors = check(&object(json!({"name": "a-x", "generateName": "a-"})), Scope::Cluster, NameRule::Label);
        assert!(errors.is_empty(), "{errors}");
    }

    #[test]
    fn a_terminating_object_takes_no_new_finalizer() {
        let old = object(json!({"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"}));
        let mut new = old.clone();
        new.set_meta("finalizers", json!(["a/b"]));
        let errors = check_update(&new, &old).to_string();
        assert!(errors.contains("found new finalizers []string{\"a/b\"}"), "{errors}");
    }
}
