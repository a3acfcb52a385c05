//! [`Offer`]: the devices that a node reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nakhoda_api::device_taints::{selects, tolerates};
use nakhoda_api::kinds::core::NodeSelector;
use nakhoda_api::kinds::resource::{Device, DeviceTaintRule, DeviceToleration, ResourceSlice};
use nakhoda_api::selector::nodes;

use super::{DeviceId, Devices, PoolKey};
use crate::node::Node;

/// A device, where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// In which slice.
    pub slice: &'a ResourceSlice,
    /// What it is.
    pub device: &'a Device,
}

/// What there is for a node.
#[derive(Debug, Default)]
pub struct Reach<'a> {
    /// Each device, pool by pool.
    pub offers: Vec<Offer<'a>>,
    /// A pool that is being changed, if one is: nobody can have all of its devices now.
    pub unsettled: Option<&'a PoolKey>,
}

// === impl Devices ===

impl Devices {
    /// What a node reaches.
    #[must_use]
    pub fn reach<'a>(&'a self, node: &Node) -> Reach<'a> {
        let mut reach = Reach::default();
        let spots = [node.name.as_str(), ""].into_iter().filter_map(|spot| self.spots.get(spot));
        let keys: BTreeSet<&PoolKey> = spots.flat_map(BTreeMap::keys).collect();
        for (key, slices) in keys.into_iter().filter_map(|key| self.pools.get_key_value(key)) {
            if !slices.values().any(|slice| may_reach(slice, node)) {
                continue;
            }
            let newest = newest(slices.values());
            if newest
                .first()
                .is_none_or(|first| newest.len() as u64 != first.spec.pool.resource_slice_count.unsigned_abs())
            {
                reach.unsettled = Some(key);
                continue;
            }
            for slice in newest {
                let devices = slice.spec.devices.iter().flatten().filter(|device| is_reached(slice, device, node));
                reach.offers.extend(devices.filter(|device| is_usable(device)).map(|device| Offer { slice, device }));
            }
        }
        reach
    }

    /// All devices of the offer's pool, wherever they are, and the slices that say what they share.
    #[must_use]
    pub fn pool(&self, offer: &Offer<'_>) -> Vec<&ResourceSlice> {
        let key = (offer.slice.spec.driver.clone(), offer.slice.spec.pool.name.clone());
        self.pools.get(&key).map(|slices| newest(slices.values())).unwrap_or_default()
    }

    /// Whether a device has a taint that is not tolerated.
    #[must_use]
    pub fn repels(&self, offer: &Offer<'_>, tolerations: &[DeviceToleration]) -> bool {
        let ruled = self.rules.values().filter(|rule| rules(rule, offer)).map(|rule| &rule.spec.taint);
        let own = offer.device.taints.iter().flatten();
        let mut repelling = own.chain(ruled).filter(|taint| ["NoSchedule", "NoExecute"].contains(&&*taint.effect));
        repelling.any(|taint| !tolerations.iter().any(|toleration| tolerates(toleration, taint)))
    }
}

// === impl Offer ===

impl Offer<'_> {
    /// Its name among all.
    #[must_use]
    pub fn id(&self) -> DeviceId {
        DeviceId {
            driver: self.slice.spec.driver.clone(),
            pool: self.slice.spec.pool.name.clone(),
            device: self.device.name.clone(),
        }
    }
}

/// The slices of the newest generation.
fn newest<'a>(slices: impl Iterator<Item = &'a Arc<ResourceSlice>> + Clone) -> Vec<&'a ResourceSlice> {
    let generation = slices.clone().map(|slice| slice.spec.pool.generation).max();
    slices.filter(|slice| Some(slice.spec.pool.generation) == generation).map(|slice| &**slice).collect()
}

/// Whether any device of the slice could be for the node.
fn may_reach(slice: &ResourceSlice, node: &Node) -> bool {
    let spec = &slice.spec;
    spec.per_device_node_selection == Some(true)
        || here(spec.node_name.as_deref(), spec.all_nodes, spec.node_selector.as_ref(), node)
}

fn is_reached(slice: &ResourceSlice, device: &Device, node: &Node) -> bool {
    if slice.spec.per_device_node_selection == Some(true) {
        return here(device.node_name.as_deref(), device.all_nodes, device.node_selector.as_ref(), node);
    }
    may_reach(slice, node)
}

fn here(name: Option<&str>, all: Option<bool>, selector: Option<&NodeSelector>, node: &Node) -> bool {
    all == Some(true)
        || name == Some(node.name.as_str())
        || selector.is_some_and(|selector| selects_node(selector, node))
}

/// Whether a node is one of those selected.
#[must_use]
pub fn selects_node(selector: &NodeSelector, node: &Node) -> bool {
    nodes::NodeSelector::of(&selector.node_selector_terms).matches(&node.labels, &node.name)
}

fn is_usable(device: &Device) -> bool {
    device.binding_conditions.iter().flatten().next().is_none() && device.allow_multiple_allocations != Some(true)
}

fn rules(rule: &DeviceTaintRule, offer: &Offer<'_>) -> bool {
    let spec = &offer.slice.spec;
    selects(rule, &spec.driver, &spec.pool.name, &offer.device.name)
}
