//! Where a value without types does not fit the Go type it is to become, in the words of upstream's converter
//! (`k8s.io/apimachinery/pkg/runtime/converter.go`): what strategic merge makes goes through it, not through JSON.

use serde_json::{Map, Value};

use super::table::{MessageId, Type, table};
use crate::wire::text::base64_fault;

/// The first fault in the fields of a message, in Go's order.
#[must_use]
pub fn fault(id: MessageId, map: &Map<String, Value>) -> Option<String> {
    let fields = table().message(id).json.iter().map(|json| &json.field);
    fields.filter_map(|field| map.get(field.name).map(|value| (&field.ty, value))).find_map(|(ty, v)| misfit(ty, v))
}

fn misfit(ty: &Type, value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    match (ty, value) {
        (Type::Message(id), Value::Object(map)) => fault(*id, map),
        (Type::Message(_), other) => Some(format!("cannot restore struct from: {}", kind(other))),
        (Type::List(item) | Type::Wrapped(item), Value::Array(items)) => items.iter().find_map(|v| misfit(item, v)),
        (Type::List(_) | Type::Wrapped(_), other) => Some(format!("cannot restore slice from {}", kind(other))),
        (Type::Map(_, item), Value::Object(map)) => map.values().find_map(|v| misfit(item, v)),
        (Type::Map(..), other) => Some(format!("cannot restore map from {}", kind(other))),
        _ => scalar(ty, value),
    }
}

/// Makes of numbers what that converter makes of them: whole ones of fractions that are none, and such of 32 bits of
/// larger ones, the rest of which is lost.
pub fn settle(id: MessageId, map: &mut Map<String, Value>) {
    for field in table().message(id).json.iter().map(|json| &json.field) {
        if let Some(value) = map.get_mut(field.name) {
            fit(&field.ty, value);
        }
    }
}

fn fit(ty: &Type, value: &mut Value) {
    match (ty, value) {
        (Type::Message(id), Value::Object(map)) => settle(*id, map),
        (Type::List(item) | Type::Wrapped(item), Value::Array(items)) => items.iter_mut().for_each(|v| fit(item, v)),
        (Type::Map(_, item), Value::Object(map)) => map.values_mut().for_each(|v| fit(item, v)),
        (Type::Int32(_), value) => {
            if let Some(number) = whole(value) {
                *value = (number as i32).into();
            }
        }
        (Type::Int64(_), value) => {
            if let Some(number) = whole(value) {
                *value = number.into();
            }
        }
        _ => {}
    }
}

fn whole(value: &Value) -> Option<i64> {
    let float = || value.as_f64().filter(|float| float.fract() == 0.0).map(|float| float as i64);
    value.as_i64().or_else(float)
}

fn scalar(ty: &Type, value: &Value) -> Option<String> {
    let unrecognized = |kind: &str| Some(format!("unrecognized type: {kind}"));
    match (ty, value) {
        (Type::Bool, Value::Bool(_)) | (Type::String(_), Value::String(_)) => None,
        (Type::Int32(_) | Type::Int64(_), Value::Number(number)) => {
            let whole = number.as_f64().is_none_or(|float| float.fract() == 0.0);
            (!whole).then(|| format!("cannot convert float64 to {}", ty.go_name()))
        }
        (Type::Float, Value::Number(_)) => None,
        // Go takes a number for a character
        (Type::String(_), Value::Number(number)) if !number.is_f64() => {
            Some(format!("cannot convert int64 to {}", ty.go_name()))
        }
        (Type::Bool, _) => unrecognized("bool"),
        (Type::String(_), _) => unrecognized("string"),
        (Type::Int32(_), _) => unrecognized("int32"),
        (Type::Int64(_), _) => unrecognized("int64"),
        (Type::Float, _) => unrecognized("float64"),
        (Type::IntOrString, Value::Number(number)) => {
            let fits = number.as_i64().is_some_and(|number| i32::try_from(number).is_ok());
            (!fits).then(|| format!("json: cannot unmarshal number {number} into Go value of type int32"))
        }
        (Type::IntOrString, Value::Bool(_)) => Some("json: cannot unmarshal bool into Go value of type int32".into()),
        (Type::Bytes, Value::String(text)) => {
            base64_fault(text).map(|fault| format!("error decoding from json: {fault}"))
        }
        // the others read themselves from JSON
        _ => None,
    }
}

/// The kind of the Go value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_is_told_in_the_words_of_the_converter() {
        let id = table().kind("", "v1", "Pod").expect("a kind");
        for (spec, told) in [
            (json!({"containers": 5}), Some("cannot restore slice from int64")),
            (json!({"containers": ["x"]}), Some("cannot restore struct from: string")),
            (json!({"nodeSelector": []}), Some("cannot restore map from slice")),
            (json!({"nodeName": 1}), Some("cannot convert int64 to string")),
            (json!({"restartPolicy": 1}), Some("cannot convert int64 to v1.RestartPolicy")),
            (json!({"nodeName": true}), Some("unrecognized type: string")),
            (json!({"priority": "x"}), Some("unrecognized type: int32")),
            (json!({"priority": 0.5}), Some("cannot convert float64 to int32")),
            (json!({"priority": 1.0, "hostNetwork": null}), None),
            (
                json!({"containers": [{"livenessProbe": {"httpGet": {"port": 1.5}}}]}),
                Some("json: cannot unmarshal number 1.5 into Go value of type int32"),
            ),
        ] {
            let pod = json!({ "spec": spec });
            assert_eq!(fault(id, pod.as_object().expect("an object")).as_deref(), told, "{pod}");
        }
    }

    #[test]
    fn large_numbers_lose_what_does_not_fit() {
        let id = table().kind("", "v1", "Pod").expect("a kind");
        let mut pod = json!({"spec": {"priority": 2_147_483_648_i64, "activeDeadlineSeconds": 2.0}});
        settle(id, pod.as_object_mut().expect("an object"));
        assert_eq!(pod, json!({"spec": {"priority": -2_147_483_648_i64, "activeDeadlineSeconds": 2}}));
    }
}
