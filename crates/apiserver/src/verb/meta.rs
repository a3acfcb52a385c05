//! `metadata`: what the server fills in, what clients may not change, and how it is checked
//! (`k8s.io/apiserver/pkg/registry/rest`, `k8s.io/apimachinery/pkg/api/validation`).

use jiff::Timestamp;
use nakhoda_api::{Object, Scope, Status, time};
use serde_json::Value;

mod check;

pub use check::{check, check_update};

/// What clients cannot say of a new object.
const SYSTEM_FIELDS: [&str; 5] =
    ["creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"];
/// Letters and digits that make no words.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// Longer prefixes are cut, so that a generated name stays a label.
const PREFIX_MAX: usize = 58;

/// Puts the request's namespace in, or 400 if the object says another.
pub fn settle_namespace(object: &mut Object, namespace: &str, scope: Scope) -> Result<(), Status> {
    let given = object.namespace().to_owned();
    let wanted = if scope == Scope::Namespaced { namespace } else { "" };
    if given == wanted {
        return Ok(());
    }
    if wanted.is_empty() {
        object.remove_meta("namespace");
        return Ok(());
    }
    if given.is_empty() {
        object.set_meta("namespace", wanted);
        return Ok(());
    }
    Err(Status::bad_request("the namespace of the provided object does not match the namespace sent on the request"))
}

/// Clears what clients cannot say of a new object.
pub fn wipe(object: &mut Object) {
    for field in SYSTEM_FIELDS {
        object.remove_meta(field);
    }
}

/// Fills in the name if one is to be generated, the uid and the time.
pub fn fill(object: &mut Object, generation: bool, now: Timestamp) {
    if object.name().is_empty() && !object.meta_str("generateName").is_empty() {
        let name = generated(object.meta_str("generateName"));
        object.set_meta("name", name);
    }
    object.set_meta("uid", uuid::Uuid::new_v4().to_string());
    object.set_meta("creationTimestamp", time::now_rfc3339(now));
    if generation {
        object.set_meta("generation", 1);
    } else {
        object.remove_meta("generation");
    }
}

/// A name with five random characters behind a prefix.
#[must_use]
pub fn generated(prefix: &str) -> String {
    let end = prefix.char_indices().map(|(i, c)| i + c.len_utf8()).take_while(|end| *end <= PREFIX_MAX).last();
    format!("{}{}", &prefix[..end.unwrap_or(0)], random(5))
}

/// Random characters as generated names end in.
#[must_use]
pub fn random(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}

/// Puts back what an update can never change.
pub fn carry(new: &mut Object, old: &Object) {
    new.remove_meta("selfLink");
    if new.uid().is_empty() {
        keep(new, old, "uid");
    }
    keep(new, old, "creationTimestamp");
    if old.is_terminating() {
        keep(new, old, "deletionTimestamp");
    }
    if new.at(&["metadata", "deletionGracePeriodSeconds"]).is_none() {
        keep(new, old, "deletionGracePeriodSeconds");
    }
    keep(new, old, "generation");
}

/// Makes a change conditional on the uid and the version that the client's object names, and on nothing else.
pub fn condition(object: &mut Object, given: &Object) {
    for field in ["uid", "resourceVersion"] {
        match given.meta_str(field) {
            "" => {
                object.remove_meta(field);
            }
            value => object.set_meta(field, value),
        }
    }
}

/// Counts a change of what is wished: of the spec, or of all but metadata and status where there is none, and of
/// the fields of the metadata that count too. A status that is not written apart counts like the rest.
pub fn count_generation(new: &mut Object, old: &Object, counted: &[&str], status: bool) {
    let told = ["apiVersion", "kind", "metadata", if status { "status" } else { "metadata" }];
    let wished = |o: &Object| o.root().iter().filter(|(k, _)| !told.contains(&k.as_str())).count();
    let same = |(k, v): (&String, &Value)| told.contains(&k.as_str()) || old.root().get(k) == Some(v);
    let kept = |field: &&str| new.at(&["metadata", field]) == old.at(&["metadata", field]);
    if wished(new) != wished(old) || !new.root().iter().all(same) || !counted.iter().all(kept) {
        bump_generation(new, old);
    }
}

/// One more than before.
pub fn bump_generation(new: &mut Object, old: &Object) {
    let before = old.at(&["metadata", "generation"]).and_then(Value::as_i64).unwrap_or(0);
    new.set_meta("generation", before + 1);
}

/// Whether the grace period of a terminating object is over.
#[must_use]
pub fn is_overdue(object: &Object) -> bool {
    object.is_terminating()
        && object.at(&["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(0) == 0
}

fn keep(new: &mut Object, old: &Object, field: &str) {
    match old.at(&["metadata", field]) {
        Some(value) => new.set_meta(field, value.clone()),
        None => {
            new.remove_meta(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_stay_labels() {
        let name = generated(&"a".repeat(80));
        assert_eq!(name.len(), 63);
        assert!(generated("web-").starts_with("web-"));
    }

    #[test]
    fn a_foreign_namespace_is_refused_and_a_missing_one_filled_in() {
        let mut object = Object::default();
        settle_namespace(&mut object, "a", Scope::Namespaced).expect("filled in");
        assert_eq!(object.namespace(), "a");
        assert!(settle_namespace(&mut object, "b", Scope::Namespaced).is_err_and(|s| s.code == 400));
        settle_namespace(&mut object, "", Scope::Cluster).expect("cleared");
        assert_eq!(object.namespace(), "");
    }
}
