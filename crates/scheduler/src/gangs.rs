//! [`Gangs`]: pods that are placed together or not at all, as their PodGroup says (`spec.schedulingPolicy.gang`).
//!
//! A member waits outside the queue until as many as the group needs are there; then the first that is
//! due draws all others with it (`engine::gang`). So no gang ever holds a part of what it needs, and two
//! that compete cannot block each other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_client::Key;

use crate::framework::Reason;
use crate::pod::PodInfo;

/// Groups and their members.
#[derive(Debug, Default)]
pub struct Gangs {
    groups: HashMap<Key, Arc<PodGroup>>,
    waiting: HashMap<Key, BTreeMap<String, Arc<PodInfo>>>,
    placed: HashMap<Key, HashSet<String>>,
    of: HashMap<String, Key>,
}

// === impl Gangs ===

impl Gangs {
    /// A group is new or has changed.
    pub fn set(&mut self, group: Arc<PodGroup>) {
        self.groups.insert(Key::of(&*group), group);
    }

    /// A group is gone.
    pub fn remove(&mut self, key: &Key) {
        self.groups.remove(key);
    }

    /// A group.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<PodGroup>> {
        self.groups.get(key)
    }

    /// How many pods have to be placed at once; `None` if the group is no gang, or not there.
    #[must_use]
    pub fn needs(&self, key: &Key) -> Option<usize> {
        let gang = self.groups.get(key)?.spec.scheduling_policy.gang.as_ref()?;
        Some(usize::try_from(gang.min_count).unwrap_or_default())
    }

    /// A pod has no node.
    pub fn wait(&mut self, pod: &Arc<PodInfo>) {
        self.leave(&pod.uid);
        if let Some(key) = &pod.gang {
            self.of.insert(pod.uid.clone(), key.clone());
            self.waiting.entry(key.clone()).or_default().insert(pod.uid.clone(), pod.clone());
        }
    }

    /// A pod has a node, or was decided on.
    pub fn place(&mut self, pod: &PodInfo) {
        self.leave(&pod.uid);
        if let Some(key) = &pod.gang {
            self.of.insert(pod.uid.clone(), key.clone());
            self.placed.entry(key.clone()).or_default().insert(pod.uid.clone());
        }
    }

    /// A pod is gone. Says which group it was in.
    pub fn leave(&mut self, uid: &str) -> Option<Key> {
        let key = self.of.remove(uid)?;
        if let Some(pods) = self.waiting.get_mut(&key) {
            pods.remove(uid);
            if pods.is_empty() {
                self.waiting.remove(&key);
            }
        }
        if let Some(pods) = self.placed.get_mut(&key) {
            pods.remove(uid);
            if pods.is_empty() {
                self.placed.remove(&key);
            }
        }
        Some(key)
    }

    /// The members that have no node.
    #[must_use]
    pub fn waiting(&self, key: &Key) -> Vec<Arc<PodInfo>> {
        self.waiting.get(key).into_iter().flat_map(BTreeMap::values).cloned().collect()
    }

    /// How many members have a node.
    #[must_use]
    pub fn placed(&self, key: &Key) -> usize {
        self.placed.get(key).map_or(0, HashSet::len)
    }

    /// Why a pod cannot be looked at yet, if so.
    #[must_use]
    pub fn closed(&self, pod: &PodInfo) -> Option<Reason> {
        let key = pod.gang.as_ref()?;
        if !self.groups.contains_key(key) {
            return Some(format!("waiting for pods's pod group \"{}\" to appear in scheduling queue", key.name).into());
        }
        let there = self.placed(key) + self.waiting.get(key).map_or(0, BTreeMap::len);
        (there < self.needs(key)?)
            .then_some("waiting for minCount pods from a gang to appear in scheduling queue".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{gang, info, pod};

    #[test]
    fn a_gang_is_closed_until_it_is_whole() {
        let mut gangs = Gangs::default();
        let member = |name: &str| info(pod(name).member_of("g"));
        let (first, second) = (member("1"), member("2"));
        gangs.wait(&first);
        assert!(gangs.closed(&first).is_some_and(|r| r.contains("to appear in scheduling queue")), "no group yet");
        gangs.set(Arc::new(gang("g", 2)));
        assert!(gangs.closed(&first).is_some_and(|r| r.contains("minCount")));
        gangs.wait(&second);
        assert_eq!(gangs.closed(&first), None);
        gangs.place(&first);
        assert_eq!((gangs.closed(&second), gangs.placed(&Key::new("default", "g"))), (None, 1));
        gangs.leave("1");
        assert!(gangs.closed(&second).is_some());
        assert_eq!(gangs.closed(&info(pod("stranger"))), None);
    }
}
