//! Times that a client leaves out where the typed model has no room for that: Go writes its zero time as `null`, and
//! `lastTransitionTime` of a condition is required.

use nakhoda_api::Object;
use serde_json::Value;

/// Go's zero time: what its clients read as no time at all.
const ZERO: &str = "0001-01-01T00:00:00Z";

/// Gives the conditions of a status the zero time where they have none.
pub(super) fn fill(object: &mut Object) {
    let status = object.root_mut().get_mut("status");
    let conditions = status.and_then(|status| status.get_mut("conditions")).and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        let time = condition.entry("lastTransitionTime").or_insert(Value::Null);
        if time.is_null() {
            *time = ZERO.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use nakhoda_api::kinds::core::Service;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_without_a_time_fits_its_type() {
        let condition =
            json!({"type": "Ready", "status": "True", "reason": "R", "message": "", "lastTransitionTime": null});
        let value = json!({"status": {"conditions": [condition]}});
        let mut object = Object::from_value(value).expect("an object");
        fill(&mut object);
        let service: Service = object.typed().expect("it fits");
        let conditions = service.status.and_then(|s| s.conditions).expect("there");
        assert!(conditions[0].last_transition_time.0 < jiff::Timestamp::UNIX_EPOCH);
    }
}
