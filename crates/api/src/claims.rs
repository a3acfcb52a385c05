//! Which PersistentVolume a PersistentVolumeClaim gets: the rules that the binder and the scheduler
//! share. They are upstream's (`component-helpers/storage/volume`).

use std::collections::BTreeMap;

use crate::kinds::core::{PersistentVolume, PersistentVolumeClaim};
use crate::kinds::storage::StorageClass;
use crate::quantity::Quantity;
use crate::selector::labels;
use crate::selector::nodes::NodeSelector;

/// Says which node a volume has to be made for.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
/// On a volume or a claim: a binder put them together, no person.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// The provisioner of classes whose volumes are made by people.
pub const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

/// Where a claim will be used, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// Nowhere yet: the binder asks. `delayed`: only a volume that is the claim's already will do.
    Anywhere {
        /// The class waits for the first consumer.
        delayed: bool,
    },
    /// At a node with these labels and this name: the scheduler asks.
    Node(&'a BTreeMap<String, String>, &'a str),
}

/// The class that a claim asks for, empty if none.
#[must_use]
pub fn class_of_claim(claim: &PersistentVolumeClaim) -> &str {
    let old = claim.metadata.annotations.as_ref().and_then(|a| a.get(CLASS_ANNOTATION));
    let new = claim.spec.as_ref().and_then(|s| s.storage_class_name.as_ref());
    old.or(new).map_or("", String::as_str)
}

/// The class of a volume, empty if none.
#[must_use]
pub fn class_of_volume(volume: &PersistentVolume) -> &str {
    let old = volume.metadata.annotations.as_ref().and_then(|a| a.get(CLASS_ANNOTATION));
    let new = volume.spec.as_ref().and_then(|s| s.storage_class_name.as_ref());
    old.or(new).map_or("", String::as_str)
}

/// Whether claims of a class wait until a pod that uses them is placed.
#[must_use]
pub fn waits_for_consumer(class: &StorageClass) -> bool {
    class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
}

/// Whether a volume is a claim's: it names it, and if it names a UID, that very one.
#[must_use]
pub fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let Some(reference) = volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref()) else { return false };
    reference.name == claim.metadata.name
        && reference.namespace == claim.metadata.namespace
        && reference.uid.as_deref().is_none_or(|uid| uid.is_empty() || claim.metadata.uid.as_deref() == Some(uid))
}

/// Whether a volume can be reached from a node.
#[must_use]
pub fn reaches(volume: &PersistentVolume, labels: &BTreeMap<String, String>, name: &str) -> bool {
    let affinity = volume.spec.as_ref().and_then(|s| s.node_affinity.as_ref());
    let required = affinity.and_then(|a| a.required.as_ref());
    required.is_none_or(|r| NodeSelector::of(&r.node_selector_terms).matches(labels, name))
}

/// The volume for a claim: the one that is its own already, else the smallest that suits.
#[must_use]
pub fn matching<'a>(
    claim: &PersistentVolumeClaim,
    volumes: impl IntoIterator<Item = &'a PersistentVolume>,
    place: Place<'_>,
) -> Option<&'a PersistentVolume> {
    let mut best: Option<(Quantity, &PersistentVolume)> = None;
    for volume in volumes {
        if volume.metadata.deletion_timestamp.is_some() || !fits(claim, volume) {
            continue;
        }
        let reached = match place {
            Place::Anywhere { .. } => true,
            Place::Node(labels, name) => reaches(volume, labels, name),
        };
        if is_bound_to(volume, claim) {
            return reached.then_some(volume);
        }
        let claimed = volume.spec.as_ref().is_some_and(|s| s.claim_ref.is_some());
        if claimed || matches!(place, Place::Anywhere { delayed: true }) || !reached || !suits(claim, volume) {
            continue;
        }
        let size = capacity(volume);
        if best.is_none_or(|(smallest, _)| size < smallest) {
            best = Some((size, volume));
        }
    }
    best.map(|(_, volume)| volume)
}

/// Whether a volume has what a claim cannot do without, even if it is its own.
fn fits(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let (wanted, had) = (claim.spec.as_ref(), volume.spec.as_ref());
    let mode = |mode: Option<&String>| mode.map_or("Filesystem", String::as_str).to_owned();
    let attributes = |name: Option<&String>| name.cloned().unwrap_or_default();
    capacity(volume) >= requested(claim)
        && mode(wanted.and_then(|s| s.volume_mode.as_ref())) == mode(had.and_then(|s| s.volume_mode.as_ref()))
        && attributes(wanted.and_then(|s| s.volume_attributes_class_name.as_ref()))
            == attributes(had.and_then(|s| s.volume_attributes_class_name.as_ref()))
}

/// Whether a volume that is nobody's is what a claim asks for.
fn suits(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let spec = claim.spec.as_ref();
    let selector = spec.and_then(|s| s.selector.as_ref()).map(|s| labels::from_typed(Some(s)));
    let selected = match selector {
        None => true,
        Some(Ok(selector)) => selector.matches(&volume.metadata.labels),
        Some(Err(_)) => false,
    };
    let modes = volume.spec.as_ref().and_then(|s| s.access_modes.as_deref()).unwrap_or_default();
    let wanted = spec.and_then(|s| s.access_modes.as_deref()).unwrap_or_default();
    volume.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Available")
        && selected
        && class_of_volume(volume) == class_of_claim(claim)
        && wanted.iter().all(|mode| modes.contains(mode))
}

/// How much a claim asks for.
#[must_use]
pub fn requested(claim: &PersistentVolumeClaim) -> Quantity {
    let requests = claim.spec.as_ref().and_then(|s| s.resources.as_ref()).and_then(|r| r.requests.as_ref());
    amount(requests.and_then(|r| r.get("storage")))
}

/// How much a volume has.
#[must_use]
pub fn capacity(volume: &PersistentVolume) -> Quantity {
    amount(volume.spec.as_ref().and_then(|s| s.capacity.as_ref()).and_then(|c| c.get("storage")))
}

fn amount(text: Option<&crate::kinds::Quantity>) -> Quantity {
    text.and_then(|text| Quantity::parse(&text.0).ok()).unwrap_or(Quantity::ZERO)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn volume(name: &str, size: &str, more: &Value) -> PersistentVolume {
        let mut spec =
            json!({"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "c"});
        for (key, value) in more.as_object().expect("an object") {
            spec[key] = value.clone();
        }
        let value = json!({"metadata": {"name": name}, "spec": spec, "status": {"phase": "Available"}});
        serde_json::from_value(value).expect("a volume")
    }

    fn claim(size: &str) -> PersistentVolumeClaim {
        let spec = json!({"resources": {"requests": {"storage": size}}, "accessModes": ["ReadWriteOnce"], "storageClassName": "c"});
        let value = json!({"metadata": {"name": "c", "namespace": "n", "uid": "u"}, "spec": spec});
        serde_json::from_value(value).expect("a claim")
    }

    const ANYWHERE: Place<'_> = Place::Anywhere { delayed: false };

    fn found<'a>(claim: &PersistentVolumeClaim, volumes: &'a [PersistentVolume], place: Place<'_>) -> Option<&'a str> {
        matching(claim, volumes, place).and_then(|v| v.metadata.name.as_deref())
    }

    #[test]
    fn the_smallest_that_is_large_enough_is_taken() {
        let none = json!({});
        let volumes = [volume("big", "3Gi", &none), volume("right", "2Gi", &none), volume("small", "1Gi", &none)];
        assert_eq!(found(&claim("1500Mi"), &volumes, ANYWHERE), Some("right"));
        assert_eq!(found(&claim("4Gi"), &volumes, ANYWHERE), None);
    }

    #[test]
    fn what_is_claimed_is_for_that_claim_alone() {
        let taken = |uid: &str| json!({"claimRef": {"name": "c", "namespace": "n", "uid": uid}});
        let own = [volume("free", "1Gi", &json!({})), volume("own", "5Gi", &taken("u"))];
        assert_eq!(found(&claim("1Gi"), &own, ANYWHERE), Some("own"));
        assert_eq!(found(&claim("1Gi"), &own, Place::Anywhere { delayed: true }), Some("own"));
        let others = [volume("other", "1Gi", &taken("another"))];
        assert_eq!(found(&claim("1Gi"), &others, ANYWHERE), None);
    }

    #[test]
    fn a_claim_that_waits_for_its_consumer_gets_a_volume_that_the_node_reaches() {
        let at = |node: &str| {
            json!({"nodeAffinity": {"required": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "host", "operator": "In", "values": [node]}]}]}}})
        };
        let volumes = [volume("a", "1Gi", &at("a")), volume("b", "2Gi", &at("b"))];
        assert_eq!(found(&claim("1Gi"), &volumes, Place::Anywhere { delayed: true }), None);
        let labels = BTreeMap::from([("host".to_owned(), "b".to_owned())]);
        assert_eq!(found(&claim("1Gi"), &volumes, Place::Node(&labels, "b")), Some("b"));
    }

    #[test]
    fn class_mode_and_access_must_agree() {
        let one = |more: Value| [volume("v", "1Gi", &more)];
        assert_eq!(found(&claim("1Gi"), &one(json!({"storageClassName": "d"})), ANYWHERE), None);
        assert_eq!(found(&claim("1Gi"), &one(json!({"volumeMode": "Block"})), ANYWHERE), None);
        assert_eq!(found(&claim("1Gi"), &one(json!({"accessModes": ["ReadOnlyMany"]})), ANYWHERE), None);
    }
}
