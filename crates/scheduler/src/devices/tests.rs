use nakhoda_api::kinds::resource::{DeviceClass, ResourceClaim, ResourceSlice};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::allocate::{AllocateError, allocate};
use super::*;
use crate::fixtures::node;
use crate::node::Node;

pub(crate) fn of<K: DeserializeOwned>(value: Value) -> Arc<K> {
    Arc::new(serde_json::from_value(value).expect("the kind's shape"))
}

fn device(name: &str, model: &str, numa: i64) -> Value {
    json!({"name": name, "attributes": {"model": {"string": model}, "numa": {"int": numa}}})
}

/// Two nodes with four devices each, of two models at two sockets.
fn stock() -> Devices {
    let mut devices = Devices::default();
    for host in ["n", "m"] {
        let list = [device("g0", "a", 0), device("g1", "b", 1), device("g2", "a", 1), device("g3", "a", 0)];
        devices.set_slice(slice(host, 1, json!({"devices": list})));
    }
    devices.set_class(
        "gpu",
        Some(of::<DeviceClass>(json!({"metadata": {"name": "gpu"},
        "spec": {"selectors": [{"cel": {"expression": "device.driver == 'd.io'"}}]}}))),
    );
    devices
}

fn slice(host: &str, slices: i64, more: Value) -> Arc<ResourceSlice> {
    let mut spec = json!({"driver": "d.io", "nodeName": host,
        "pool": {"name": host, "generation": 1, "resourceSliceCount": slices}});
    spec.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    of(json!({"metadata": {"name": format!("s-{host}")}, "spec": spec}))
}

fn host(name: &str) -> Node {
    let mut host = Node { name: name.into(), ..Node::default() };
    host.update(&node(name).build());
    host
}

fn claim(requests: Value, constraints: Value) -> ResourceClaim {
    let spec = json!({"devices": {"requests": requests, "constraints": constraints}});
    serde_json::from_value(json!({"metadata": {"name": "c", "namespace": "default", "uid": "c"}, "spec": spec}))
        .expect("a claim")
}

fn request(name: &str, more: Value) -> Value {
    let mut exactly = json!({"deviceClassName": "gpu"});
    exactly.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    json!({"name": name, "exactly": exactly})
}

fn model(model: &str) -> Value {
    json!([{"cel": {"expression": format!("device.attributes['d.io'].model == '{model}'")}}])
}

/// `request=device` of each device that is given.
fn given(devices: &Devices, claims: &[&ResourceClaim]) -> Result<Option<Vec<String>>, AllocateError> {
    let picks = allocate(devices, claims, &host("n"))?;
    Ok(picks.map(|p| p.iter().map(|p| format!("{}={}", p.want.told(), p.offer.device.name)).collect()))
}

fn one(devices: &Devices, requests: Value, constraints: Value) -> Option<Vec<String>> {
    given(devices, &[&claim(requests, constraints)]).expect("no fault")
}

#[test]
fn selectors_counts_and_claims_share_what_a_node_has() {
    let devices = stock();
    assert_eq!(
        one(&devices, json!([request("r", json!({"selectors": model("b")}))]), json!([])),
        Some(vec!["r=g1".into()])
    );
    assert_eq!(one(&devices, json!([request("r", json!({"count": 4}))]), json!([])).map(|l| l.len()), Some(4));
    assert_eq!(one(&devices, json!([request("r", json!({"count": 5}))]), json!([])), None);
    let (first, second) = (
        claim(json!([request("r", json!({"count": 3}))]), json!([])),
        claim(json!([request("s", json!({}))]), json!([])),
    );
    assert_eq!(given(&devices, &[&first, &second]).expect("no fault").map(|l| l[3].clone()), Some("s=g3".into()));
    assert_eq!(given(&devices, &[&first, &second, &second]).expect("no fault"), None);
}

#[test]
fn all_means_all_that_match_and_none_may_be_missing() {
    let mut devices = stock();
    let all = || json!([request("r", json!({"allocationMode": "All", "selectors": model("a")}))]);
    assert_eq!(one(&devices, all(), json!([])), Some(vec!["r=g0".into(), "r=g2".into(), "r=g3".into()]));
    let taken = claim(json!([request("r", json!({"selectors": model("a")}))]), json!([]));
    let claims = [&taken];
    let picks = allocate(&devices, &claims, &host("n")).expect("no fault").expect("found");
    let result = result::result(&devices, &taken, 0, &picks);
    let selector = result.node_selector.clone().expect("one node");
    assert_eq!(
        selector.node_selector_terms[0].match_fields.as_ref().expect("by name")[0].values,
        Some(vec!["n".into()])
    );
    devices.assume(&Key::new("default", "c"), "pod", result);
    assert_eq!(one(&devices, all(), json!([])), None);
    devices.forget(&Key::new("default", "c"));
    assert!(one(&devices, all(), json!([])).is_some());
    devices.set_slice(slice("n", 2, json!({"devices": []})));
    let fault = given(&devices, &[&claim(all(), json!([]))]).expect_err("not all slices are there").to_string();
    assert_eq!(fault, "request r: asks for all devices, but resource pool n is currently being updated");
}

#[test]
fn devices_of_a_constraint_are_alike_and_the_search_goes_back_for_it() {
    let devices = stock();
    let two = || json!([request("r", json!({"selectors": model("b")})), request("s", json!({}))]);
    let same = json!([{"matchAttribute": "d.io/numa"}]);
    assert_eq!(one(&devices, two(), same.clone()), Some(vec!["r=g1".into(), "s=g2".into()]));
    assert_eq!(one(&devices, json!([request("r", json!({"count": 3}))]), same), None, "two at each socket");
    assert_eq!(one(&devices, two(), json!([{"matchAttribute": "d.io/color"}])), None, "none has it");
    let distinct = json!([{"distinctAttribute": "d.io/numa"}]);
    assert_eq!(
        one(&devices, json!([request("r", json!({"count": 2}))]), distinct),
        Some(vec!["r=g0".into(), "r=g1".into()])
    );
}

#[test]
fn the_first_alternative_that_there_is_is_taken() {
    let devices = stock();
    let list = json!([{"name": "r", "firstAvailable": [
        {"name": "big", "deviceClassName": "gpu", "count": 9},
        {"name": "small", "deviceClassName": "gpu", "selectors": model("b")}]}]);
    assert_eq!(one(&devices, list, json!([])), Some(vec!["r/small=g1".into()]));
}

#[test]
fn admins_see_what_others_have_and_take_nothing() {
    let devices = stock();
    let (every, admin) = (
        claim(json!([request("r", json!({"allocationMode": "All"}))]), json!([])),
        claim(json!([request("a", json!({"allocationMode": "All", "adminAccess": true}))]), json!([])),
    );
    assert_eq!(given(&devices, &[&admin, &every]).expect("no fault").map(|l| l.len()), Some(8));
}

#[test]
fn tainted_devices_are_for_those_that_tolerate_it() {
    let mut devices = stock();
    devices.set_rule(
        "t",
        Some(of(json!({"metadata": {"name": "t"}, "spec": {"deviceSelector": {"driver": "d.io", "pool": "n"},
        "taint": {"key": "broken", "effect": "NoSchedule"}}}))),
    );
    assert_eq!(one(&devices, json!([request("r", json!({}))]), json!([])), None);
    let tolerating = json!({"tolerations": [{"key": "broken", "operator": "Exists"}]});
    assert!(one(&devices, json!([request("r", tolerating)]), json!([])).is_some());
    devices.set_rule("t", None);
    assert!(one(&devices, json!([request("r", json!({}))]), json!([])).is_some());
}

#[test]
fn partitions_share_counters() {
    let mut devices = stock();
    let part = |name: &str, memory: &str| json!({"name": name, "consumesCounters": [{"counterSet": "gpu", "counters": {"memory": {"value": memory}}}]});
    let counters = json!([{"name": "gpu", "counters": {"memory": {"value": "40Gi"}}}]);
    devices.set_slice(slice("n", 1, json!({"sharedCounters": counters, "devices": [part("half-0", "20Gi"), part("half-1", "20Gi"), part("whole", "40Gi")]})));
    let some = |count: i32| one(&devices, json!([request("r", json!({"count": count}))]), json!([])).map(|l| l.len());
    assert_eq!([some(1), some(2), some(3)], [Some(1), Some(2), None]);
}

#[test]
fn what_is_wrong_is_told() {
    let devices = stock();
    let fault = |requests: Value| given(&devices, &[&claim(requests, json!([]))]).expect_err("refused").to_string();
    let told = fault(json!([{"name": "r", "exactly": {"deviceClassName": "tpu"}}]));
    assert_eq!(told, "request r: device class tpu does not exist");
    let expression = json!({"selectors": [{"cel": {"expression": "device.attributes['d.io'].color == 'red'"}}]});
    assert!(fault(json!([request("r", expression)])).contains("no such key: color"));
    let many = json!((0..12).map(|i| request(&format!("r{i}"), json!({}))).collect::<Vec<_>>());
    assert_eq!(one(&devices, many, json!([])), None);
}
