//! ResourceSlice: devices that a driver offers. Absent: the checks of how much counters and capacities are, and of how long attributes are.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::meta::Time;
use nakhoda_api::kinds::resource::{Device, ResourceSlice, ResourceSliceSpec};
use serde_json::Value;

use crate::kind::{Columns, Cx, Fields, Info, Kind};
use crate::rules::check::{immutable, list, subdomain, text};
use crate::rules::device::{self, driver, pool, within};
use crate::rules::pod::affinity;

mod part;

/// The kind.
pub struct ResourceSlices;

const DEVICES_MAX: usize = 128;
const ADVANCED_MAX: usize = 64;
const COUNTERS_MAX: usize = 8;
const PLACES: &str = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
const PER_DEVICE: &str = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";

impl Kind for ResourceSlices {
    type Object = ResourceSlice;

    fn info() -> Info {
        Info {
            generation: true,
            returns_deleted: true,
            ..Info::of::<ResourceSlice>("resourceslices", "resourceslice", Scope::Cluster)
        }
    }

    fn prepare(cx: &Cx, new: &mut ResourceSlice, _: Option<&ResourceSlice>) {
        let taints = new.spec.devices.iter_mut().flatten().filter_map(|device| device.taints.as_mut());
        let second = jiff::Timestamp::from_second(cx.now.as_second()).unwrap_or(cx.now);
        taints.flatten().for_each(|taint| {
            taint.time_added.get_or_insert(Time(second));
        });
    }

    fn validate(_: &Cx, new: &ResourceSlice, old: Option<&ResourceSlice>, errors: &mut Errors) {
        let (path, spec) = (Path::new("spec"), &new.spec);
        driver(errors, &path.child("driver"), &spec.driver);
        let at = path.child("pool");
        pool(errors, &at.child("name"), &spec.pool.name);
        if spec.pool.resource_slice_count <= 0 {
            let at = at.child("resourceSliceCount");
            errors.invalid(&at, spec.pool.resource_slice_count, "must be greater than zero");
        }
        if spec.pool.generation < 0 {
            let at = at.child("generation");
            errors.invalid(&at, spec.pool.generation, "must be greater than or equal to zero");
        }
        if let Some(old) = old.map(|old| &old.spec) {
            immutable(errors, &at.child("name"), &spec.pool.name, &old.pool.name);
            immutable(errors, &path.child("driver"), &spec.driver, &old.driver);
            immutable(errors, &path.child("nodeName"), &spec.node_name, &old.node_name);
        }
        place(errors, &path, spec);
        devices(errors, &path, spec);
    }

    fn fields(slice: &ResourceSlice) -> Fields {
        vec![("spec.nodeName", text(&slice.spec.node_name).into()), ("spec.driver", slice.spec.driver.clone())]
    }

    fn columns() -> Columns<ResourceSlice> {
        Columns::<ResourceSlice>::named()
            .text("Node", |s, _| text(&s.spec.node_name).into())
            .text("Driver", |s, _| s.spec.driver.clone().into())
            .text("Pool", |s, _| s.spec.pool.name.clone().into())
            .age()
    }
}

fn place(errors: &mut Errors, path: &Path, spec: &ResourceSliceSpec) {
    let mut set = Vec::new();
    let at = path.child("nodeName");
    match spec.node_name.as_deref() {
        None => {}
        Some("") => errors.invalid(&at, "", "must be either unset or set to a non-empty string"),
        Some(node) => {
            set.push("`nodeName`");
            subdomain(errors, &at, node);
        }
    }
    if let Some(selector) = &spec.node_selector {
        set.push("`nodeSelector`");
        let at = path.child("nodeSelector").child("nodeSelectorTerms");
        affinity::terms(errors, &at, &selector.node_selector_terms);
        if selector.node_selector_terms.len() != 1 {
            let terms = Some(&selector.node_selector_terms).filter(|terms| !terms.is_empty());
            let value = serde_json::to_value(terms).unwrap_or_default();
            errors.invalid(&at, value, "must have exactly one node selector term");
        }
    }
    for (field, name, value) in [
        ("allNodes", "`allNodes`", spec.all_nodes),
        ("perDeviceNodeSelection", "`perDeviceNodeSelection`", spec.per_device_node_selection),
    ] {
        match value {
            Some(true) => set.push(name),
            Some(false) => errors.invalid(&path.child(field), false, "must be either unset or set to true"),
            None => {}
        }
    }
    match set.len() {
        0 => errors.required(path, PLACES),
        1 => {}
        _ => errors.invalid(path, format!("{{{}}}", set.join(", ")), format!("{PLACES}, but multiple fields are set")),
    }
}

fn devices(errors: &mut Errors, path: &Path, spec: &ResourceSliceSpec) {
    if spec.shared_counters.is_some() && spec.devices.is_some() {
        errors.invalid(path, "", "only one of `sharedCounters` or `devices` is allowed");
    }
    let (at, all) = (path.child("devices"), list(&spec.devices));
    let advanced = |one: &Device| !list(&one.taints).is_empty() || !list(&one.consumes_counters).is_empty();
    let limit = if all.iter().any(advanced) { ADVANCED_MAX } else { DEVICES_MAX };
    if within(errors, &at, all.len(), limit) {
        for (i, one) in all.iter().enumerate() {
            self::device(errors, &at.index(i), one, spec.per_device_node_selection == Some(true));
        }
        device::unique(errors, &at, all.iter().map(|one| one.name.as_str()));
    }
    let (at, counters) = (path.child("sharedCounters"), list(&spec.shared_counters));
    if within(errors, &at, counters.len(), COUNTERS_MAX) {
        counters.iter().enumerate().for_each(|(i, one)| part::counters(errors, &at.index(i), one));
        device::unique(errors, &at, counters.iter().map(|one| one.name.as_str()));
    }
}

fn device(errors: &mut Errors, path: &Path, one: &Device, per_device: bool) {
    device::name(errors, &path.child("name"), &one.name);
    for (name, value) in one.attributes.iter().flatten() {
        device::qualified_name(errors, &path.child("attributes"), name, false);
        let value = serde_json::to_value(value).unwrap_or_default();
        let count = value.as_object().map_or(0, serde_json::Map::len);
        if count != 1 {
            let given = if count == 0 { Value::String(String::new()) } else { value };
            errors.invalid(&path.child("attributes").key(name), given, "exactly one value must be specified");
        }
    }
    for name in one.capacity.iter().flatten().map(|(name, _)| name) {
        device::qualified_name(errors, &path.child("capacity"), name, false);
    }
    for (i, taint) in list(&one.taints).iter().enumerate() {
        device::taint(errors, &path.child("taints").index(i), taint);
    }
    part::consumption(errors, &path.child("consumesCounters"), list(&one.consumes_counters));
    part::place(errors, path, one, per_device);
    part::bindings(errors, path, one);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, prepared, row};

    fn slice(more: &Value) -> Value {
        let mut spec = json!({"driver": "d.example.com", "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1}});
        spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({"metadata": {"name": "a"}, "spec": spec})
    }

    #[test]
    fn a_slice_lies_in_one_place_and_names_devices_once() {
        assert_eq!(create::<ResourceSlices>(slice(&json!({"nodeName": "n", "devices": [{"name": "a"}]}))), "");
        assert_eq!(
            create::<ResourceSlices>(slice(&json!({"nodeName": "n", "allNodes": true, "devices": [{"name": "a"}, {"name": "a"}]}))),
            format!("[spec: Invalid value: \"{{`nodeName`, `allNodes`}}\": {PLACES}, but multiple fields are set, spec.devices[1]: Duplicate value: \"a\"]")
        );
        assert_eq!(row::<ResourceSlices>(slice(&json!({"nodeName": "n"})))[1..4], ["n", "d.example.com", "p"]);
    }

    #[test]
    fn a_taint_gets_the_time() {
        let tainted = slice(&json!({"allNodes": true, "devices": [{"name": "a", "taints": [{"key": "k", "effect": "NoSchedule"}]}]}));
        let made = prepared::<ResourceSlices>(tainted, None);
        assert_eq!(made["spec"]["devices"][0]["taints"][0]["timeAdded"], "2026-01-02T03:04:05Z");
    }
}
