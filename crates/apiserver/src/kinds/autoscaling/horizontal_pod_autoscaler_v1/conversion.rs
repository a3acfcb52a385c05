//! Between the two forms of an autoscaler. Annotations that cannot be read count as not given.

use nakhoda_api::Object;
use nakhoda_api::kinds::autoscaling::{HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerCondition};
use nakhoda_api::kinds::autoscaling::{MetricSpec, MetricStatus};
use nakhoda_api::quantity::Quantity;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::kinds::autoscaling::horizontal_pod_autoscaler::{ANNOTATIONS, CPU_UTILIZATION};

const METRICS: &str = ANNOTATIONS[0];
const BEHAVIOR: &str = ANNOTATIONS[1];
const CURRENT: &str = ANNOTATIONS[2];
const CONDITIONS: &str = ANNOTATIONS[3];
/// Annotations that hold a part of the status.
pub(super) const TOLD: &[&str] = &[CURRENT, CONDITIONS];
const SHARE: &str = "targetCPUUtilizationPercentage";
const CURRENT_SHARE: &str = "currentCPUUtilizationPercentage";

/// The stored form.
pub(super) fn up(mut object: Object) -> Object {
    let told =
        |key: &str| object.annotations().find(|(k, _)| *k == key).and_then(|(_, v)| serde_json::from_str(v).ok());
    let metrics = told(METRICS).map(|v| all(v, |m| converted(m, source_up))).filter(reads::<Vec<MetricSpec>>);
    let current = told(CURRENT).map(|v| all(v, |m| converted(m, status_up))).filter(reads::<Vec<MetricStatus>>);
    let behavior = told(BEHAVIOR).map(lowered).filter(reads::<HorizontalPodAutoscalerBehavior>);
    let conditions = told(CONDITIONS).filter(reads::<Vec<HorizontalPodAutoscalerCondition>>);
    drop_annotations(&mut object);
    let mut specs = metrics.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(share) = object.remove_at(&["spec", SHARE]) {
        specs.push(cpu(&share));
    } else if specs.is_empty() && object.at(&["spec"]).is_some() {
        specs.push(cpu(&CPU_UTILIZATION.into()));
    }
    if !specs.is_empty() {
        object.set_at(&["spec", "metrics"], specs.into());
    }
    if let Some(behavior) = behavior.filter(|b| b.as_object().is_some_and(|b| !b.is_empty())) {
        object.set_at(&["spec", "behavior"], behavior);
    }
    let share = object.remove_at(&["status", CURRENT_SHARE]).map(
        |share| json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": share}}}]),
    );
    for (field, value) in [("currentMetrics", current.or(share)), ("conditions", conditions)] {
        if let (Some(value), true) = (value, object.at(&["status"]).is_some()) {
            object.set_at(&["status", field], value);
        }
    }
    object
}

/// The form of `autoscaling/v1`.
pub(super) fn down(mut object: Object) -> Object {
    drop_annotations(&mut object);
    let metrics = taken(&mut object, &["spec", "metrics"]);
    let (shares, others): (Vec<Value>, Vec<Value>) = metrics.into_iter().partition(|m| {
        m["type"] == "Resource"
            && m["resource"]["name"] == "cpu"
            && m["resource"]["target"]["averageUtilization"].is_number()
    });
    if let Some(share) = shares.first() {
        object.set_at(&["spec", SHARE], share["resource"]["target"]["averageUtilization"].clone());
    }
    let others: Vec<Value> = others.into_iter().map(|m| converted(m, source_down)).collect();
    let current = taken(&mut object, &["status", "currentMetrics"]);
    let share = current.iter().rev().find(|m| m["type"] == "Resource" && m["resource"]["name"] == "cpu");
    if let Some(share) = share.map(|m| &m["resource"]["current"]["averageUtilization"]).filter(|s| s.is_number()) {
        object.set_at(&["status", CURRENT_SHARE], share.clone());
    }
    let current: Vec<Value> = current.into_iter().map(|m| converted(m, status_down)).collect();
    let conditions = taken(&mut object, &["status", "conditions"]);
    let behavior = object.remove_at(&["spec", "behavior"]).map(|b| raised(&b));
    for (key, list) in [(METRICS, others), (CURRENT, current), (CONDITIONS, conditions)] {
        if !list.is_empty() {
            object.set_at(&["metadata", "annotations", key], Value::from(list).to_string().into());
        }
    }
    if let Some(behavior) = behavior {
        object.set_at(&["metadata", "annotations", BEHAVIOR], behavior.to_string().into());
    }
    // v1 tells how many there are even if there are none
    if object.at(&["status"]).is_some() && object.at(&["status", "currentReplicas"]).is_none() {
        object.set_at(&["status", "currentReplicas"], 0.into());
    }
    object
}

fn cpu(share: &Value) -> Value {
    json!({"type": "Resource", "resource":
        {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": share}}})
}

fn reads<T: DeserializeOwned>(value: &Value) -> bool {
    T::deserialize(value).is_ok()
}

fn taken(object: &mut Object, path: &[&str]) -> Vec<Value> {
    match object.remove_at(path) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn drop_annotations(object: &mut Object) {
    for key in ANNOTATIONS {
        object.remove_at(&["metadata", "annotations", key]);
    }
    if object.at(&["metadata", "annotations"]).and_then(Value::as_object).is_some_and(Map::is_empty) {
        object.remove_at(&["metadata", "annotations"]);
    }
}

fn all(value: Value, one: fn(Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(one).collect(),
        other => other,
    }
}

/// A metric with its source told in the other form.
fn converted(metric: Value, source: fn(&str, &Value) -> Value) -> Value {
    let Value::Object(fields) = metric else { return metric };
    let one = |(name, value): (String, Value)| match name.as_str() {
        "type" => (name, value),
        field => {
            let value = source(field, &value);
            (name, pruned(value))
        }
    };
    Value::Object(fields.into_iter().map(one).collect())
}

/// Without what is null, one and two levels deep.
fn pruned(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, pruned(v))).collect()
        }
        other => other,
    }
}

fn source_up(field: &str, v: &Value) -> Value {
    let metric = |selector: &str| json!({"name": v["metricName"], "selector": v[selector]});
    let typed = |plain: &Value, type_: &'static str| if plain.is_null() { "AverageValue" } else { type_ };
    match field {
        "object" => {
            let average = &v["averageValue"];
            let zero = v["targetValue"].as_str().and_then(|q| Quantity::parse(q).ok()).is_some_and(Quantity::is_zero);
            let value = if zero && !average.is_null() { &Value::Null } else { &v["targetValue"] };
            let type_ = if average.is_null() { "Value" } else { "AverageValue" };
            json!({"describedObject": v["target"], "target": {"type": type_, "value": value, "averageValue": average},
                "metric": metric("selector")})
        }
        "pods" => json!({"metric": metric("selector"),
            "target": {"type": "AverageValue", "averageValue": v["targetAverageValue"]}}),
        "external" => {
            let type_ = typed(&v["targetValue"], "Value");
            json!({"metric": metric("metricSelector"),
                "target": {"type": type_, "value": v["targetValue"], "averageValue": v["targetAverageValue"]}})
        }
        _ => {
            let share = &v["targetAverageUtilization"];
            json!({"name": v["name"], "target": {"type": typed(share, "Utilization"),
                "averageValue": v["targetAverageValue"], "averageUtilization": share}, "container": v["container"]})
        }
    }
}

fn source_down(field: &str, v: &Value) -> Value {
    let (metric, target) = (&v["metric"], &v["target"]);
    match field {
        "object" => json!({"target": v["describedObject"], "metricName": metric["name"],
            "targetValue": or_zero(&target["value"]), "selector": metric["selector"],
            "averageValue": target["averageValue"]}),
        "pods" => json!({"metricName": metric["name"], "targetAverageValue": or_zero(&target["averageValue"]),
            "selector": metric["selector"]}),
        "external" => json!({"metricName": metric["name"], "metricSelector": metric["selector"],
            "targetValue": target["value"], "targetAverageValue": target["averageValue"]}),
        _ => json!({"name": v["name"], "targetAverageUtilization": target["averageUtilization"],
            "targetAverageValue": target["averageValue"], "container": v["container"]}),
    }
}

fn status_up(field: &str, v: &Value) -> Value {
    let metric = |selector: &str| json!({"name": v["metricName"], "selector": v[selector]});
    match field {
        "object" => json!({"metric": metric("selector"), "describedObject": v["target"],
            "current": {"value": v["currentValue"], "averageValue": v["averageValue"]}}),
        "pods" => json!({"metric": metric("selector"), "current": {"averageValue": v["currentAverageValue"]}}),
        "external" => json!({"metric": metric("metricSelector"),
            "current": {"value": v["currentValue"], "averageValue": v["currentAverageValue"]}}),
        _ => json!({"name": v["name"], "container": v["container"], "current":
            {"averageValue": v["currentAverageValue"], "averageUtilization": v["currentAverageUtilization"]}}),
    }
}

fn status_down(field: &str, v: &Value) -> Value {
    let (metric, current) = (&v["metric"], &v["current"]);
    match field {
        "object" => json!({"target": v["describedObject"], "metricName": metric["name"],
            "currentValue": or_zero(&current["value"]), "selector": metric["selector"],
            "averageValue": current["averageValue"]}),
        "pods" => json!({"metricName": metric["name"], "currentAverageValue": or_zero(&current["averageValue"]),
            "selector": metric["selector"]}),
        "external" => json!({"metricName": metric["name"], "metricSelector": metric["selector"],
            "currentValue": or_zero(&current["value"]), "currentAverageValue": current["averageValue"]}),
        _ => json!({"name": v["name"], "currentAverageUtilization": current["averageUtilization"],
            "currentAverageValue": or_zero(&current["averageValue"]), "container": v["container"]}),
    }
}

fn or_zero(quantity: &Value) -> Value {
    if quantity.is_null() { "0".into() } else { quantity.clone() }
}

/// The behaviour as upstream's annotation has it: names begin with capitals, and what is not set is null.
fn raised(behavior: &Value) -> Value {
    let policy = |p: &Value| json!({"Type": p["type"], "Value": p["value"], "PeriodSeconds": p["periodSeconds"]});
    let rules = |r: &Value| match r.as_object() {
        Some(_) => json!({
            "StabilizationWindowSeconds": r["stabilizationWindowSeconds"],
            "SelectPolicy": r["selectPolicy"],
            "Policies": r["policies"].as_array().map(|all| all.iter().map(policy).collect::<Vec<_>>()),
            "Tolerance": r["tolerance"],
        }),
        None => Value::Null,
    };
    json!({"ScaleUp": rules(&behavior["scaleUp"]), "ScaleDown": rules(&behavior["scaleDown"])})
}

fn lowered(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| {
                (k.chars().take(1).flat_map(char::to_lowercase).chain(k.chars().skip(1)).collect(), lowered(v))
            })
            .collect::<Map<String, Value>>()
            .into(),
        Value::Array(items) => items.into_iter().map(lowered).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
