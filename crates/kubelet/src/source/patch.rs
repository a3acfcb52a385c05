//! The difference between two statuses as a strategic merge patch: only what changed. Pure.

use serde_json::{Map, Value, json};

use crate::pod::resize::{IN_PROGRESS, PENDING};

/// The patch that turns `old` into `new`, or nothing. Conditions merge by type, so those of others stay.
#[must_use]
pub fn status(old: &Value, new: &Value) -> Option<Value> {
    let empty = Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    let mut patch = Map::new();
    for (key, value) in new {
        let before = old.get(key);
        if before == Some(value) {
            continue;
        }
        match (key.as_str(), value) {
            ("conditions", Value::Array(conditions)) => {
                let mut changed = conditions_of(before, conditions);
                changed.extend(ended(before, conditions));
                if !changed.is_empty() {
                    patch.insert(key.clone(), Value::Array(changed));
                }
            }
            // The API merges these by a key of theirs; the old ones must not stay.
            ("podIPs" | "addresses", Value::Array(list)) if before.is_some() => {
                let whole = std::iter::once(json!({"$patch": "replace"})).chain(list.iter().cloned());
                patch.insert(key.clone(), whole.collect());
            }
            _ => drop(patch.insert(key.clone(), with_nulls(before, value))),
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

fn conditions_of(before: Option<&Value>, now: &[Value]) -> Vec<Value> {
    let before = before.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let same = |condition: &Value| before.iter().find(|b| b["type"] == condition["type"]);
    now.iter().filter(|c| same(c) != Some(c)).map(|c| with_nulls(same(c), c)).collect()
}

/// Deletes those of a change of sizes, which alone are ever withdrawn.
fn ended<'a>(before: Option<&'a Value>, now: &'a [Value]) -> impl Iterator<Item = Value> + 'a {
    let before = before.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter();
    let kinds = before.map(|b| &b["type"]).filter(|kind| [PENDING, IN_PROGRESS].iter().any(|own| *kind == own));
    let gone = kinds.filter(|kind| !now.iter().any(|c| c["type"] == **kind));
    gone.map(|kind| json!({"$patch": "delete", "type": kind}))
}

/// An object's new form, in which fields that went are null.
fn with_nulls(before: Option<&Value>, now: &Value) -> Value {
    let (Some(Value::Object(before)), Value::Object(now)) = (before, now) else { return now.clone() };
    let mut whole = now.clone();
    for key in before.keys().filter(|key| !now.contains_key(*key)) {
        whole.insert(key.clone(), Value::Null);
    }
    Value::Object(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_sent() {
        let old = json!({"phase": "Pending", "message": "m", "hostIP": "h", "conditions": [{"type": "a", "status": "False", "reason": "r"}, {"type": "b", "status": "True"}]});
        let new = json!({"phase": "Running", "hostIP": "h", "podIPs": [{"ip": "1"}], "conditions": [{"type": "a", "status": "True"}, {"type": "b", "status": "True"}]});
        let expected = json!({"phase": "Running", "podIPs": [{"ip": "1"}], "conditions": [{"type": "a", "status": "True", "reason": null}], "message": null});
        assert_eq!(status(&old, &new), Some(expected));
        assert_eq!(status(&new, &new), None);
    }

    #[test]
    fn addresses_replace_each_other() {
        let patch = status(&json!({"podIPs": [{"ip": "1"}]}), &json!({"podIPs": [{"ip": "2"}]}));
        assert_eq!(patch, Some(json!({"podIPs": [{"$patch": "replace"}, {"ip": "2"}]})));
    }
}
