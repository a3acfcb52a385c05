//! From devices that were picked to what is written into a claim.

use nakhoda_api::kinds::core::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};
use nakhoda_api::kinds::resource::{
    AllocationResult, Device, DeviceAllocationConfiguration, DeviceAllocationResult, DeviceRequestAllocationResult,
    ResourceClaim, ResourceSlice,
};

use super::Devices;
use super::allocate::{Pick, covers};

/// The allocation of the claim at a place among those that were decided on together.
#[must_use]
pub fn result(devices: &Devices, claim: &ResourceClaim, at: usize, picks: &[Pick<'_>]) -> AllocationResult {
    let picks: Vec<&Pick<'_>> = picks.iter().filter(|pick| pick.claim == at).collect();
    let results = picks.iter().map(|pick| DeviceRequestAllocationResult {
        request: pick.want.told(),
        driver: pick.offer.slice.spec.driver.clone(),
        pool: pick.offer.slice.spec.pool.name.clone(),
        device: pick.offer.device.name.clone(),
        admin_access: pick.want.admin.then_some(true),
        tolerations: Some(pick.want.tolerations.to_vec()).filter(|list| !list.is_empty()),
        ..DeviceRequestAllocationResult::default()
    });
    let config = config(devices, claim, &picks);
    AllocationResult {
        devices: Some(DeviceAllocationResult {
            results: Some(results.collect()),
            config: Some(config).filter(|list| !list.is_empty()),
        }),
        node_selector: node_selector(&picks),
        allocation_timestamp: None,
    }
}

/// What classes say of the devices, then what the claim itself does.
fn config(devices: &Devices, claim: &ResourceClaim, picks: &[&Pick<'_>]) -> Vec<DeviceAllocationConfiguration> {
    let mut config: Vec<DeviceAllocationConfiguration> = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for pick in picks {
        let name = pick.want.told();
        if told.contains(&name) {
            continue;
        }
        let class = devices.class(pick.want.class).and_then(|class| class.spec.as_ref()?.config.as_ref());
        config.extend(class.into_iter().flatten().map(|one| DeviceAllocationConfiguration {
            source: "FromClass".into(),
            requests: Some(vec![name.clone()]),
            opaque: one.opaque.clone(),
        }));
        told.push(name);
    }
    let own = claim.spec.as_ref().and_then(|spec| spec.devices.as_ref()?.config.as_ref());
    let meant = own.into_iter().flatten().filter(|one| {
        let requests = one.requests.as_deref().unwrap_or_default();
        picks.iter().any(|pick| covers(requests, &pick.want))
    });
    config.extend(meant.map(|one| DeviceAllocationConfiguration {
        source: "FromClaim".into(),
        requests: one.requests.clone(),
        opaque: one.opaque.clone(),
    }));
    config
}

/// From where all devices are reached; `None`: from everywhere.
fn node_selector(picks: &[&Pick<'_>]) -> Option<NodeSelector> {
    let mut term = NodeSelectorTerm::default();
    for pick in picks {
        match place(pick.offer.slice, pick.offer.device) {
            (Some(name), _) => return Some(only(name)),
            (None, Some(selector)) => {
                for one in &selector.node_selector_terms {
                    merge(&mut term.match_expressions, one.match_expressions.as_ref());
                    merge(&mut term.match_fields, one.match_fields.as_ref());
                }
            }
            (None, None) => {}
        }
    }
    let some = term.match_expressions.is_some() || term.match_fields.is_some();
    some.then(|| NodeSelector { node_selector_terms: vec![term] })
}

fn place<'a>(slice: &'a ResourceSlice, device: &'a Device) -> (Option<&'a str>, Option<&'a NodeSelector>) {
    if slice.spec.per_device_node_selection == Some(true) {
        return (device.node_name.as_deref(), device.node_selector.as_ref());
    }
    (slice.spec.node_name.as_deref(), slice.spec.node_selector.as_ref())
}

fn only(node: &str) -> NodeSelector {
    let requirement =
        NodeSelectorRequirement { key: "metadata.name".into(), operator: "In".into(), values: Some(vec![node.into()]) };
    let term = NodeSelectorTerm { match_fields: Some(vec![requirement]), match_expressions: None };
    NodeSelector { node_selector_terms: vec![term] }
}

fn merge(all: &mut Option<Vec<NodeSelectorRequirement>>, more: Option<&Vec<NodeSelectorRequirement>>) {
    for one in more.into_iter().flatten() {
        let all = all.get_or_insert_default();
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
}
