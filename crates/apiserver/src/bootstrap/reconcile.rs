//! What a built-in role or binding that is there already lacks of what it should have
//! (`k8s.io/component-helpers/auth/rbac/reconciliation`): rules and subjects are added, never removed.

use nakhoda_api::Object;
use serde_json::Value;

const AUTO_UPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";

/// The object as it should be, if it lacks something. A changed `roleRef` is left alone: it cannot be
/// updated, and someone meant it.
#[must_use]
pub fn missing(found: &Object, wanted: &Object) -> Option<Object> {
    if found.annotations().any(|(key, value)| key == AUTO_UPDATE && value == "false") {
        return None;
    }
    let mut mended = found.clone();
    let mut changed = false;
    for list in ["rules", "subjects"] {
        changed |= extend(&mut mended, wanted, list);
    }
    for map in ["labels", "annotations"] {
        changed |= merge(&mut mended, wanted, map);
    }
    if found.at(&["aggregationRule"]).is_none()
        && let Some(rule) = wanted.at(&["aggregationRule"])
    {
        mended.set_at(&["aggregationRule"], rule.clone());
        changed = true;
    }
    changed.then_some(mended)
}

fn extend(mended: &mut Object, wanted: &Object, field: &str) -> bool {
    let list = |object: &Object| object.at(&[field]).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut have = list(mended);
    let before = have.len();
    for item in list(wanted) {
        if !have.contains(&item) {
            have.push(item);
        }
    }
    let grown = have.len() > before;
    if grown {
        mended.set_at(&[field], have.into());
    }
    grown
}

fn merge(mended: &mut Object, wanted: &Object, field: &str) -> bool {
    let pairs: Vec<(String, Value)> = wanted
        .at(&["metadata", field])
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter(|(key, _)| mended.at(&["metadata", field, key]).is_none())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (key, value) in &pairs {
        mended.set_at(&["metadata", field, key], value.clone());
    }
    !pairs.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn role(rules: Value, annotations: Value) -> Object {
        Object::from_value(json!({"metadata": {"annotations": annotations}, "rules": rules})).expect("an object")
    }

    #[test]
    fn lost_rules_come_back_and_added_ones_stay() {
        let wanted = role(json!([{"verbs": ["get"]}]), json!({AUTO_UPDATE: "true"}));
        let found = role(json!([{"verbs": ["list"]}]), json!({AUTO_UPDATE: "true"}));
        let mended = missing(&found, &wanted).expect("it lacks a rule");
        assert_eq!(mended.at(&["rules"]), Some(&json!([{"verbs": ["list"]}, {"verbs": ["get"]}])));
        assert_eq!(missing(&mended, &wanted), None);
    }

    #[test]
    fn a_role_that_forbids_it_is_left_alone() {
        let wanted = role(json!([{"verbs": ["get"]}]), json!({AUTO_UPDATE: "true"}));
        assert_eq!(missing(&role(json!([]), json!({AUTO_UPDATE: "false"})), &wanted), None);
    }
}
