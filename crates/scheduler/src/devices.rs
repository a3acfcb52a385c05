//! [`Devices`]: what drivers offer, what claims want of it, and what is given away already.
//!
//! Devices of slices are offered while their pool is whole in its newest generation. What was decided but is not yet
//! shown by the API counts as given away.
//!
//! Absent: devices that several claims share (`allowMultipleAllocations`) and those with binding conditions, which are
//! never given; derived attributes; claims of pod groups; taking an allocation back to make a pod fit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nakhoda_api::cel::device::Selector;
use nakhoda_api::kinds::resource::{AllocationResult, DeviceClass, DeviceTaintRule, ResourceClaim, ResourceSlice};
use nakhoda_client::{Key, Resource};
use parking_lot::Mutex;

pub mod allocate;
pub mod offer;
pub mod result;

/// A device among all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceId {
    /// Whose it is.
    pub driver: String,
    /// In which pool.
    pub pool: String,
    /// Which one.
    pub device: String,
}

/// A pool of a driver.
pub type PoolKey = (String, String);

/// All that is known of devices.
#[derive(Default)]
pub struct Devices {
    claims: HashMap<Key, Arc<ResourceClaim>>,
    classes: HashMap<String, Arc<DeviceClass>>,
    rules: HashMap<String, Arc<DeviceTaintRule>>,
    slices: HashMap<String, Arc<ResourceSlice>>,
    pools: BTreeMap<PoolKey, BTreeMap<String, Arc<ResourceSlice>>>,
    /// The pools with slices of one node, and (under no name) those with any others: how many slices.
    spots: HashMap<String, BTreeMap<PoolKey, usize>>,
    /// How many claims have a device.
    given: HashMap<DeviceId, usize>,
    assumed: HashMap<Key, Assumed>,
    selectors: Mutex<HashMap<String, Compiled>>,
}

/// A decision that the API does not show yet.
#[derive(Debug)]
struct Assumed {
    pod: String,
    allocation: AllocationResult,
}

/// An expression that was read, or why it cannot be.
pub(crate) type Compiled = Arc<Result<Selector, String>>;

// === impl Devices ===

impl Devices {
    /// A claim is new or has changed.
    pub fn set_claim(&mut self, claim: Arc<ResourceClaim>) {
        let key = Key::of(&*claim);
        if allocation(&claim).is_some() {
            self.forget(&key);
        }
        self.remove_claim(&key);
        self.count(allocation(&claim), true);
        self.claims.insert(key, claim);
    }

    /// A claim is gone.
    pub fn remove_claim(&mut self, key: &Key) {
        if let Some(old) = self.claims.remove(key) {
            self.count(allocation(&old), false);
        }
    }

    /// A claim.
    #[must_use]
    pub fn claim(&self, key: &Key) -> Option<&Arc<ResourceClaim>> {
        self.claims.get(key)
    }

    /// A slice is new or has changed.
    pub fn set_slice(&mut self, slice: Arc<ResourceSlice>) {
        self.remove_slice(slice.name());
        self.pools.entry(pool_of(&slice)).or_default().insert(slice.name().into(), slice.clone());
        *self.spots.entry(spot_of(&slice).into()).or_default().entry(pool_of(&slice)).or_default() += 1;
        self.slices.insert(slice.name().into(), slice);
    }

    /// A slice is gone.
    pub fn remove_slice(&mut self, name: &str) {
        let Some(old) = self.slices.remove(name) else { return };
        let key = pool_of(&old);
        if let Some(pools) = self.spots.get_mut(spot_of(&old)) {
            if let Some(slices) = pools.get_mut(&key) {
                *slices -= 1;
            }
            pools.retain(|_, slices| *slices > 0);
            if pools.is_empty() {
                self.spots.remove(spot_of(&old));
            }
        }
        if let Some(pool) = self.pools.get_mut(&key) {
            pool.remove(name);
            if pool.is_empty() {
                self.pools.remove(&key);
            }
        }
    }

    /// A class is new, has changed, or is gone.
    pub fn set_class(&mut self, name: &str, class: Option<Arc<DeviceClass>>) {
        match class {
            Some(class) => self.classes.insert(name.into(), class),
            None => self.classes.remove(name),
        };
    }

    /// A class.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&DeviceClass> {
        self.classes.get(name).map(|class| &**class)
    }

    /// A rule that taints devices is new, has changed, or is gone.
    pub fn set_rule(&mut self, name: &str, rule: Option<Arc<DeviceTaintRule>>) {
        match rule {
            Some(rule) => self.rules.insert(name.into(), rule),
            None => self.rules.remove(name),
        };
    }

    /// A claim gets this for a pod; the API will show it.
    pub fn assume(&mut self, key: &Key, pod: &str, allocation: AllocationResult) {
        self.forget(key);
        self.count(Some(&allocation), true);
        self.assumed.insert(key.clone(), Assumed { pod: pod.into(), allocation });
    }

    /// The API shows it, or it did not come about.
    pub fn forget(&mut self, key: &Key) {
        if let Some(Assumed { allocation, .. }) = self.assumed.remove(key) {
            self.count(Some(&allocation), false);
        }
    }

    /// For which pod a claim is being allocated, if it is.
    #[must_use]
    pub fn in_flight(&self, key: &Key) -> Option<&str> {
        self.assumed.get(key).map(|assumed| assumed.pod.as_str())
    }

    /// Whether a claim has the device.
    #[must_use]
    pub fn is_given(&self, id: &DeviceId) -> bool {
        self.given.contains_key(id)
    }

    /// An expression, read once.
    pub(crate) fn selector(&self, expression: &str) -> Compiled {
        let mut selectors = self.selectors.lock();
        if let Some(known) = selectors.get(expression) {
            return known.clone();
        }
        // Expressions come and go with claims: what is kept is bounded.
        if selectors.len() >= 1000 {
            selectors.clear();
        }
        let compiled = Arc::new(Selector::compile(expression).map_err(|error| error.to_string()));
        selectors.insert(expression.into(), compiled.clone());
        compiled
    }

    /// Admins that look at a device do not take it.
    fn count(&mut self, allocation: Option<&AllocationResult>, more: bool) {
        let results = allocation.and_then(|a| a.devices.as_ref()).and_then(|d| d.results.as_ref());
        for result in results.into_iter().flatten().filter(|result| result.admin_access != Some(true)) {
            let id =
                DeviceId { driver: result.driver.clone(), pool: result.pool.clone(), device: result.device.clone() };
            let count = self.given.entry(id.clone()).or_default();
            *count = if more { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                self.given.remove(&id);
            }
        }
    }
}

impl std::fmt::Debug for Devices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { claims, slices, .. } = self;
        f.debug_struct("Devices").field("claims", &claims.len()).field("slices", &slices.len()).finish_non_exhaustive()
    }
}

/// What a claim was given.
#[must_use]
pub fn allocation(claim: &ResourceClaim) -> Option<&AllocationResult> {
    claim.status.as_ref()?.allocation.as_ref()
}

fn pool_of(slice: &ResourceSlice) -> PoolKey {
    (slice.spec.driver.clone(), slice.spec.pool.name.clone())
}

/// The node whose slice it is; empty if it may be of several.
fn spot_of(slice: &ResourceSlice) -> &str {
    slice.spec.node_name.as_deref().filter(|_| slice.spec.per_device_node_selection != Some(true)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
