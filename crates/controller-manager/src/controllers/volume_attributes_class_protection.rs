//! Keeps classes of volume attributes that claims or volumes use: one that is being deleted goes once none does.

use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim};
use nakhoda_api::kinds::storage::VolumeAttributesClass;
use nakhoda_client::{Change, Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::finalizers;

const NAME: &str = "vacprotection";
const FINALIZER: &str = "kubernetes.io/vac-protection";
const BY_CLASS: &str = "class of attributes";

/// Starts the controller.
pub fn start(cx: &Context) {
    let classes = cx.informers.of::<VolumeAttributesClass>();
    let (volumes, claims) = (cx.informers.of::<PersistentVolume>(), cx.informers.of::<PersistentVolumeClaim>());
    volumes.add_index(BY_CLASS, of_volume);
    claims.add_index(BY_CLASS, of_claim);
    let mut watches = Watches::new(cx, NAME);
    watches.on(&classes, |class: &VolumeAttributesClass| vec![Key::of(class)]);
    watches.on_change(&volumes, |change| no_longer(change, of_volume));
    watches.on_change(&claims, |change| no_longer(change, of_claim));
    watches.run(1, Protection { client: cx.client.clone(), classes, volumes, claims });
}

struct Protection {
    client: Client,
    classes: Informer<VolumeAttributesClass>,
    volumes: Informer<PersistentVolume>,
    claims: Informer<PersistentVolumeClaim>,
}

// === impl Protection ===

impl Reconcile for Protection {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(class) = self.classes.get(key) else { return Ok(Outcome::Done) };
        match (class.is_terminating(), finalizers::has(&*class, FINALIZER)) {
            (false, false) => finalizers::add(&self.client, &*class, FINALIZER).await?,
            (true, true) if !self.is_used(&key.name) => finalizers::remove(&self.client, &*class, FINALIZER).await?,
            _ => {}
        }
        Ok(Outcome::Done)
    }
}

impl Protection {
    fn is_used(&self, class: &str) -> bool {
        !self.volumes.by_index(BY_CLASS, class).is_empty() || !self.claims.by_index(BY_CLASS, class).is_empty()
    }
}

fn of_volume(volume: &PersistentVolume) -> Vec<String> {
    let class = volume.spec.as_ref().and_then(|spec| spec.volume_attributes_class_name.clone());
    class.into_iter().filter(|class| !class.is_empty()).collect()
}

/// The classes that a claim asks for, has, and is being changed to.
fn of_claim(claim: &PersistentVolumeClaim) -> Vec<String> {
    let status = claim.status.as_ref();
    let classes = [
        claim.spec.as_ref().and_then(|spec| spec.volume_attributes_class_name.clone()),
        status.and_then(|status| status.current_volume_attributes_class_name.clone()),
        status.and_then(|s| s.modify_volume_status.as_ref()?.target_volume_attributes_class_name.clone()),
    ];
    let mut classes: Vec<String> = classes.into_iter().flatten().filter(|class| !class.is_empty()).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// The classes that an object used and no longer does.
fn no_longer<K: Resource>(change: &Change<K>, classes: fn(&K) -> Vec<String>) -> Vec<Key> {
    let (before, now) = match change {
        Change::Added(_) => return Vec::new(),
        Change::Updated { old, new } => (classes(old), classes(new)),
        Change::Deleted(object) => (classes(object), Vec::new()),
    };
    before.into_iter().filter(|class| !now.contains(class)).map(|class| Key::new("", class)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn claim(asked: &str, has: &str, target: &str) -> Arc<PersistentVolumeClaim> {
        let status = json!({"currentVolumeAttributesClassName": has, "modifyVolumeStatus":
            {"status": "Pending", "targetVolumeAttributesClassName": target}});
        let value = json!({"spec": {"volumeAttributesClassName": asked}, "status": status});
        Arc::new(serde_json::from_value(value).expect("a claim"))
    }

    #[test]
    fn a_claim_uses_the_class_it_asks_for_the_one_it_has_and_the_one_it_is_changed_to() {
        assert_eq!(of_claim(&claim("gold", "silver", "gold")), ["gold", "silver"]);
        assert_eq!(of_claim(&claim("", "", "lead")), ["lead"]);
        assert!(of_claim(&claim("", "", "")).is_empty());
    }

    #[test]
    fn only_a_class_that_is_let_go_is_looked_at() {
        let changed = Change::Updated { old: claim("gold", "silver", ""), new: claim("gold", "gold", "") };
        assert_eq!(no_longer(&changed, of_claim), [Key::new("", "silver")]);
        assert!(no_longer(&Change::Added(claim("gold", "", "")), of_claim).is_empty());
        assert_eq!(no_longer(&Change::Deleted(claim("gold", "", "")), of_claim), [Key::new("", "gold")]);
    }
}
