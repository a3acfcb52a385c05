//! Which taints end a pod, and when.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::device_taints::{selects, tolerates};
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::resource::{
    DeviceRequestAllocationResult, DeviceTaint, DeviceTaintRule, ResourceClaim, ResourceSlice,
};
use nakhoda_client::{Key, Resource};

use crate::pods::{is_finished, node};

/// The effect that ends pods.
pub const NO_EXECUTE: &str = "NoExecute";

/// The taints that end a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taints {
    /// When it ends.
    pub at: Timestamp,
    /// The UIDs of the rules among them.
    pub rules: Vec<String>,
}

/// Whether a pod runs and has claims to devices.
#[must_use]
pub fn uses_devices(pod: &Pod) -> bool {
    let claims = pod.spec.as_ref().and_then(|spec| spec.resource_claims.as_ref());
    claims.is_some_and(|claims| !claims.is_empty()) && node(pod).is_some() && !is_finished(pod)
}

/// The pods for which a claim is reserved.
#[must_use]
pub fn users(claim: &ResourceClaim) -> Vec<Key> {
    let all = claim.status.iter().flat_map(|status| status.reserved_for.iter().flatten());
    all.filter(|user| user.resource == "pods").map(|user| Key::new(claim.namespace(), &user.name)).collect()
}

/// Whether a claim is reserved for this very pod.
#[must_use]
pub fn is_used_by(claim: &ResourceClaim, pod: &Pod) -> bool {
    let mut all = claim.status.iter().flat_map(|status| status.reserved_for.iter().flatten());
    all.any(|user| user.resource == "pods" && user.uid == pod.uid())
}

/// The devices that a claim was given.
pub fn devices(claim: &ResourceClaim) -> impl Iterator<Item = &DeviceRequestAllocationResult> {
    let allocation = claim.status.as_ref().and_then(|status| status.allocation.as_ref()?.devices.as_ref());
    allocation.into_iter().flat_map(|devices| devices.results.iter().flatten())
}

/// Whether a device is of the pool of a slice.
#[must_use]
pub fn is_in(device: &DeviceRequestAllocationResult, slice: &ResourceSlice) -> bool {
    slice.spec.driver == device.driver && slice.spec.pool.name == device.pool
}

/// Whether a rule selects a device.
#[must_use]
pub fn is_ruled(device: &DeviceRequestAllocationResult, rule: &DeviceTaintRule) -> bool {
    selects(rule, &device.driver, &device.pool, &device.device)
}

/// The taints that end the user of these claims; none if all are tolerated for ever.
#[must_use]
pub fn taints(
    claims: &[Arc<ResourceClaim>],
    slices: &[Arc<ResourceSlice>],
    rules: &[Arc<DeviceTaintRule>],
) -> Option<Taints> {
    let (mut at, mut ruled) = (None, Vec::new());
    for device in claims.iter().flat_map(|claim| devices(claim)) {
        let own = own(device, slices).into_iter().map(|taint| (taint, None));
        let others = rules.iter().filter(|rule| is_ruled(device, rule)).map(|rule| (&rule.spec.taint, Some(rule.uid())));
        for (taint, rule) in own.chain(others).filter(|(taint, _)| taint.effect == NO_EXECUTE) {
            let Some(end) = end(device, taint) else { continue };
            at = at.into_iter().chain([end]).min();
            ruled.extend(rule.map(str::to_owned));
        }
    }
    ruled.sort_unstable();
    ruled.dedup();
    at.map(|at| Taints { at, rules: ruled })
}

/// What the slices say of a device; only those of the newest generation of its pool count.
fn own<'a>(device: &DeviceRequestAllocationResult, slices: &'a [Arc<ResourceSlice>]) -> Vec<&'a DeviceTaint> {
    let pool = || slices.iter().filter(|slice| is_in(device, slice));
    let newest = pool().map(|slice| slice.spec.pool.generation).max();
    let current = pool().filter(|slice| Some(slice.spec.pool.generation) == newest);
    let devices = current.flat_map(|slice| slice.spec.devices.iter().flatten());
    devices.filter(|one| one.name == device.device).flat_map(|one| one.taints.iter().flatten()).collect()
}

/// When a taint ends the user of a device; never if it is tolerated for ever. The shortest patience counts.
fn end(device: &DeviceRequestAllocationResult, taint: &DeviceTaint) -> Option<Timestamp> {
    let since = taint.time_added.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
    let tolerations = device.tolerations.iter().flatten();
    let mut patience: Option<i64> = None;
    for toleration in tolerations.filter(|t| t.effect.as_deref() == Some(NO_EXECUTE) && tolerates(t, taint)) {
        let seconds = toleration.toleration_seconds?.max(0);
        patience = patience.into_iter().chain([seconds]).min();
    }
    let patience = SignedDuration::from_secs(patience.unwrap_or_default());
    Some(since.checked_add(patience).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claim(tolerations: &Value) -> Arc<ResourceClaim> {
        let device = json!({"request": "r", "driver": "d", "pool": "p", "device": "x", "tolerations": tolerations});
        let status = json!({"allocation": {"devices": {"results": [device]}},
                            "reservedFor": [{"resource": "pods", "name": "a", "uid": "u"}]});
        let value = json!({"metadata": {"name": "c", "namespace": "n"}, "spec": {}, "status": status});
        Arc::new(serde_json::from_value(value).expect("a claim"))
    }

    fn slice(generation: i64, effect: &str) -> Arc<ResourceSlice> {
        let taint = json!({"key": "k", "value": "v", "effect": effect, "timeAdded": "1970-01-01T00:00:10Z"});
        let spec = json!({"driver": "d", "pool": {"name": "p", "generation": generation, "resourceSliceCount": 1},
                          "devices": [{"name": "x", "taints": [taint]}]});
        Arc::new(serde_json::from_value(json!({"metadata": {"name": "s"}, "spec": spec})).expect("a slice"))
    }

    fn rule(device: &str) -> Arc<DeviceTaintRule> {
        let taint = json!({"key": "k", "effect": "NoExecute", "timeAdded": "1970-01-01T00:00:20Z"});
        let spec = json!({"deviceSelector": {"device": device}, "taint": taint});
        Arc::new(serde_json::from_value(json!({"metadata": {"name": "t", "uid": "t"}, "spec": spec})).expect("a rule"))
    }

    fn second(taints: Option<&Taints>) -> Option<i64> {
        taints.map(|taints| taints.at.as_second())
    }

    #[test]
    fn the_newest_slices_and_the_rules_end_a_pod_when_its_patience_ends() {
        let tolerated = |seconds: Value| json!([{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}]);
        for (tolerations, slices, rules, expected) in [
            (json!(null), vec![slice(1, NO_EXECUTE)], vec![], Some(10)),
            (json!(null), vec![slice(1, "NoSchedule")], vec![], None),
            (json!(null), vec![slice(1, NO_EXECUTE), slice(2, "NoSchedule")], vec![], None),
            (json!(null), vec![], vec![rule("x")], Some(20)),
            (json!(null), vec![], vec![rule("y")], None),
            (json!(null), vec![slice(1, NO_EXECUTE)], vec![rule("x")], Some(10)),
            (tolerated(json!(null)), vec![slice(1, NO_EXECUTE)], vec![rule("x")], None),
            (tolerated(json!(30)), vec![slice(1, NO_EXECUTE)], vec![], Some(40)),
            (tolerated(json!(-5)), vec![slice(1, NO_EXECUTE)], vec![], Some(10)),
            (tolerated(json!(i64::MAX)), vec![slice(1, NO_EXECUTE)], vec![], Some(Timestamp::MAX.as_second())),
        ] {
            let found = taints(&[claim(&tolerations)], &slices, &rules);
            assert_eq!(second(found.as_ref()), expected, "{tolerations} {slices:?} {rules:?}");
        }
    }

    #[test]
    fn a_rule_that_ends_a_pod_is_named() {
        let found = taints(&[claim(&json!(null))], &[slice(1, NO_EXECUTE)], &[rule("x"), rule("y")]);
        assert_eq!(found.expect("it ends").rules, ["t"]);
        assert_eq!(users(&claim(&json!(null))), [Key::new("n", "a")]);
    }
}
