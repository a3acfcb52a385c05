//! [`Volumes`]: volumes, claims and classes as last seen, and which volume was promised to which claim
//! by a decision that the API does not show yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use nakhoda_api::claims::{self, Place};
use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim};
use nakhoda_api::kinds::storage::{CSINode, StorageClass};
use nakhoda_client::{Key, Resource};

use crate::framework::Step;
use crate::node::Node;
use crate::pod::PodInfo;

/// Everything that pods with claims ask about.
#[derive(Debug, Default)]
pub struct Volumes {
    volumes: BTreeMap<String, Arc<PersistentVolume>>,
    claims: HashMap<Key, Arc<PersistentVolumeClaim>>,
    classes: HashMap<String, Arc<StorageClass>>,
    /// By node and driver.
    limits: HashMap<String, HashMap<String, usize>>,
    promised: HashMap<String, Key>,
    /// How many placed pods use a claim.
    users: HashMap<Key, usize>,
}

// === impl Volumes ===

impl Volumes {
    /// A volume is new or has changed.
    pub fn set_volume(&mut self, volume: Arc<PersistentVolume>) {
        if volume.spec.as_ref().is_some_and(|s| s.claim_ref.is_some()) {
            self.promised.remove(volume.name());
        }
        self.volumes.insert(volume.name().into(), volume);
    }

    /// A volume is gone.
    pub fn remove_volume(&mut self, name: &str) {
        self.volumes.remove(name);
        self.promised.remove(name);
    }

    /// A claim is new or has changed.
    pub fn set_claim(&mut self, claim: Arc<PersistentVolumeClaim>) {
        self.claims.insert(Key::of(&*claim), claim);
    }

    /// A claim is gone.
    pub fn remove_claim(&mut self, key: &Key) {
        self.claims.remove(key);
        self.promised.retain(|_, claim| claim != key);
    }

    /// A class is new or has changed.
    pub fn set_class(&mut self, class: Arc<StorageClass>) {
        self.classes.insert(class.name().into(), class);
    }

    /// A class is gone.
    pub fn remove_class(&mut self, name: &str) {
        self.classes.remove(name);
    }

    /// How many volumes of each driver a node can have.
    pub fn set_limits(&mut self, node: &CSINode) {
        let drivers = node.spec.drivers.iter();
        let limits = drivers.filter_map(|driver| {
            let count = driver.allocatable.as_ref().and_then(|a| a.count)?;
            Some((driver.name.clone(), usize::try_from(count).unwrap_or_default()))
        });
        self.limits.insert(node.name().into(), limits.collect());
    }

    /// Nothing is known of a node's limits any more.
    pub fn remove_limits(&mut self, node: &str) {
        self.limits.remove(node);
    }

    /// How many volumes of a driver a node can have, if that is limited.
    #[must_use]
    pub fn limit(&self, node: &str, driver: &str) -> Option<usize> {
        self.limits.get(node)?.get(driver).copied()
    }

    /// A volume by name.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&PersistentVolume> {
        self.volumes.get(name).map(|volume| &**volume)
    }

    /// A claim by name.
    #[must_use]
    pub fn claim(&self, key: &Key) -> Option<&PersistentVolumeClaim> {
        self.claims.get(key).map(|claim| &**claim)
    }

    /// The class that a claim asks for, if there is one.
    #[must_use]
    pub fn class_of(&self, claim: &PersistentVolumeClaim) -> Option<&StorageClass> {
        self.classes.get(claims::class_of_claim(claim)).map(|class| &**class)
    }

    /// How many placed pods use a claim.
    #[must_use]
    pub fn users(&self, key: &Key) -> usize {
        self.users.get(key).copied().unwrap_or_default()
    }

    /// The volume that a claim would get at a node, none of `taken` and none that is promised to another.
    #[must_use]
    pub fn matching(&self, claim: &PersistentVolumeClaim, node: &Node, taken: &[&str]) -> Option<&PersistentVolume> {
        let key = Key::of(claim);
        let free = |volume: &&PersistentVolume| {
            !taken.contains(&volume.name()) && self.promised.get(volume.name()).is_none_or(|other| *other == key)
        };
        let volumes = self.volumes.values().map(|volume| &**volume).filter(free);
        claims::matching(claim, volumes, Place::Node(&node.labels, &node.name))
    }

    /// What was decided counts until the API shows it or [`Volumes::forget`] is called.
    pub fn assume(&mut self, steps: &[Step]) {
        for step in steps {
            if let Step::Bind { volume, claim } = step {
                self.promised.insert(volume.clone(), claim.clone());
            }
        }
    }

    /// What was decided did not come about.
    pub fn forget(&mut self, steps: &[Step]) {
        for step in steps {
            if let Step::Bind { volume, .. } = step {
                self.promised.remove(volume);
            }
        }
    }

    pub(super) fn add_user(&mut self, pod: &PodInfo) {
        for claim in &pod.claims {
            *self.users.entry(claim.key.clone()).or_default() += 1;
        }
    }

    pub(super) fn remove_user(&mut self, pod: &PodInfo) {
        for claim in &pod.claims {
            if let Some(users) = self.users.get_mut(&claim.key) {
                *users -= 1;
                if *users == 0 {
                    self.users.remove(&claim.key);
                }
            }
        }
    }
}
