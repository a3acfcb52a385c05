//! What containers get that do not say it.

use nakhoda_api::Object;
use nakhoda_api::kinds::core::LimitRange;
use serde_json::{Map, Value, json};

use super::containers;
use crate::rules::defaults::Resources;

const NOTE: &str = "kubernetes.io/limit-ranger";

/// Fills the requests and limits of all containers, and notes in the pod which.
pub(super) fn fill(pod: &mut Object, range: &LimitRange) {
    let (mut requests, mut limits) = (Resources::new(), Resources::new());
    for item in range.spec.iter().flat_map(|s| &s.limits).filter(|item| item.type_ == "Container") {
        requests.extend(item.default_request.clone().unwrap_or_default());
        limits.extend(item.default.clone().unwrap_or_default());
    }
    let mut notes = Vec::new();
    for (field, word) in [("containers", "container"), ("initContainers", "init container")] {
        let mut all = containers(pod, field);
        for container in all.iter_mut().filter_map(Value::as_object_mut) {
            let name = container.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            for (list, defaults, what) in [("requests", &requests, "request"), ("limits", &limits, "limit")] {
                let set = missing(container, list, defaults);
                if !set.is_empty() {
                    notes.push(format!("{} {what} for {word} {name}", set.join(", ")));
                }
            }
        }
        if !all.is_empty() {
            pod.set_at(&["spec", field], all.into());
        }
    }
    if !notes.is_empty() {
        let note = format!("LimitRanger plugin set: {}", notes.join("; "));
        pod.set_at(&["metadata", "annotations", NOTE], note.into());
    }
}

/// Sets the amounts that are not there, and tells which.
fn missing(container: &mut Map<String, Value>, list: &str, defaults: &Resources) -> Vec<String> {
    let mut set = Vec::new();
    if defaults.is_empty() {
        return set;
    }
    let resources = container.entry("resources").or_insert_with(|| json!({}));
    let Some(resources) = resources.as_object_mut() else { return set };
    let amounts = resources.entry(list).or_insert_with(|| json!({}));
    let Some(amounts) = amounts.as_object_mut() else { return set };
    for (name, amount) in defaults {
        if !amounts.contains_key(name) {
            amounts.insert(name.clone(), amount.0.clone().into());
            set.push(name.clone());
        }
    }
    set
}
