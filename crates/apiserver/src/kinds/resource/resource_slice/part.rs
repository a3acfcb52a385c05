//! What a device of a slice says of where it is, what it uses up, and what it waits for.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::resource::{CounterSet, Device, DeviceCounterConsumption};
use serde_json::Value;

use super::PER_DEVICE;
use crate::rules::check::{each, list, qualified, subdomain};
use crate::rules::device;
use crate::rules::pod::affinity;
use nakhoda_api::names;

const ONLY_PER_DEVICE: &str = "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";

/// Where the device is: the slice says whether the device has to.
pub(super) fn place(errors: &mut Errors, path: &Path, one: &Device, per_device: bool) {
    if !per_device {
        if one.node_name.is_some() || one.node_selector.is_some() || one.all_nodes.is_some() {
            errors.invalid(path, Value::Null, ONLY_PER_DEVICE);
        }
        return;
    }
    let mut set = Vec::new();
    match one.node_name.as_deref() {
        None => {}
        Some("") => errors.invalid(&path.child("nodeName"), "", "must not be empty"),
        Some(node) => {
            set.push("`nodeName`");
            subdomain(errors, &path.child("nodeName"), node);
        }
    }
    if let Some(selector) = &one.node_selector {
        set.push("`nodeSelector`");
        affinity::terms(errors, &path.child("nodeSelector.nodeSelectorTerms"), &selector.node_selector_terms);
    }
    match one.all_nodes {
        Some(true) => set.push("`allNodes`"),
        Some(false) => errors.invalid(&path.child("allNodes"), false, "must be either unset or set to true"),
        None => {}
    }
    match set.len() {
        0 => errors.required(path, PER_DEVICE),
        1 => {}
        _ => errors.invalid(path, format!("{{{}}}", set.join(", ")), PER_DEVICE),
    }
}

/// What the device takes of the counters that it shares with others.
pub(super) fn consumption(errors: &mut Errors, path: &Path, all: &[DeviceCounterConsumption]) {
    for (i, one) in all.iter().enumerate() {
        let at = path.index(i);
        counter_name(errors, &at.child("counterSet"), &one.counter_set);
        if one.counters.is_empty() {
            errors.required(&at.child("counters"), "");
        }
        for name in one.counters.keys() {
            each(errors, &at.child("counters"), name.as_str(), names::is_dns1123_label(name));
        }
    }
    device::unique(errors, path, all.iter().map(|one| one.counter_set.as_str()));
}

/// A set of shared counters.
pub(super) fn counters(errors: &mut Errors, path: &Path, set: &CounterSet) {
    counter_name(errors, &path.child("name"), &set.name);
    if set.counters.is_empty() {
        errors.required(&path.child("counters"), "");
    }
    for name in set.counters.keys() {
        each(errors, &path.child("counters"), name.as_str(), names::is_dns1123_label(name));
    }
}

fn counter_name(errors: &mut Errors, path: &Path, name: &str) {
    match name {
        "" => errors.required(path, ""),
        name => each(errors, path, name, names::is_dns1123_label(name)),
    }
}

/// What must come true before a pod is bound to the device, and what must not.
pub(super) fn bindings(errors: &mut Errors, path: &Path, one: &Device) {
    let (good, bad) = (list(&one.binding_conditions), list(&one.binding_failure_conditions));
    let pairs = [("bindingConditions", good), ("bindingFailureConditions", bad)];
    for (field, all) in pairs {
        for (i, condition) in all.iter().enumerate() {
            qualified(errors, &path.child(field).index(i), condition);
        }
    }
    for (field, all) in pairs {
        for (i, condition) in all.iter().enumerate() {
            let at = path.child(field).index(i);
            if all[..i].contains(condition) {
                errors.duplicate(&at, condition.as_str());
            }
            if field == "bindingFailureConditions" && good.contains(condition) {
                let why = "bindingFailureConditions must not overlap with bindingConditions";
                errors.invalid(&at, condition.as_str(), why);
            }
        }
    }
    let needs = |errors: &mut Errors, field: &str, other: &str| {
        errors.invalid(&path.child(field), Value::Null, format!("{field} are required to use {other}"));
    };
    match (good.is_empty(), bad.is_empty()) {
        (true, false) => needs(errors, "bindingConditions", "bindingFailureConditions"),
        (false, true) => needs(errors, "bindingFailureConditions", "bindingConditions"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_part_of_a_device_is_checked() {
        for (device, per_device, told) in [
            (json!({"nodeName": "n"}), false, ONLY_PER_DEVICE),
            (json!({"nodeName": "n", "allNodes": true}), true, "{`nodeName`, `allNodes`}"),
            (json!({"consumesCounters": [{"counterSet": ""}]}), false, "d.consumesCounters[0].counters: Required value"),
            (
                json!({"bindingConditions": ["a"]}),
                false,
                "d.bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions",
            ),
            (
                json!({"bindingConditions": ["a"], "bindingFailureConditions": ["a"]}),
                false,
                "bindingFailureConditions must not overlap with bindingConditions",
            ),
        ] {
            let mut value = json!({"name": "d"});
            value.as_object_mut().expect("an object").extend(device.as_object().expect("an object").clone());
            let device: Device = serde_json::from_value(value).expect("a device");
            let (mut errors, path) = (Errors::default(), Path::new("d"));
            consumption(&mut errors, &path.child("consumesCounters"), list(&device.consumes_counters));
            place(&mut errors, &path, &device, per_device);
            bindings(&mut errors, &path, &device);
            assert!(errors.to_string().contains(told), "{errors}");
        }
    }
}
