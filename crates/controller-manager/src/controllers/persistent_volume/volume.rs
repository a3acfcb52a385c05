//! What becomes of a volume.

use nakhoda_api::claims::BOUND_BY_CONTROLLER;
use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim};
use nakhoda_client::{Key, Resource};

use super::claim::volume_name;
use crate::told::Told;

/// Who made the volume, and so deletes its data.
pub const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// What to do about a volume.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Its claim has still to be bound to it.
    Wake,
    /// It is in this phase.
    Phase(&'static str),
    /// Its claim has another volume: it is free again.
    Free,
    /// Its claim has gone and nobody can delete its data.
    Fail(Told),
}

/// What to do about a volume; `claim` is what its reference names, of whatever UID.
#[must_use]
pub fn plan(volume: &PersistentVolume, claim: Option<&PersistentVolumeClaim>) -> Step {
    let reference = volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref());
    let Some(uid) = reference.and_then(|r| r.uid.as_deref()).filter(|uid| !uid.is_empty()) else {
        return if claim.is_some() { Step::Wake } else { Step::Phase("Available") };
    };
    match claim.filter(|c| c.uid() == uid) {
        None => released(volume),
        Some(claim) => match volume_name(claim) {
            None => Step::Wake,
            Some(name) if name == volume.name() => Step::Phase("Bound"),
            Some(_) if annotation(volume, PROVISIONED_BY).is_some() && deletes(volume) => Step::Phase("Released"),
            Some(_) => Step::Free,
        },
    }
}

/// The claim that a volume names.
#[must_use]
pub fn claim_key(volume: &PersistentVolume) -> Option<Key> {
    let reference = volume.spec.as_ref()?.claim_ref.as_ref()?;
    Some(Key::new(reference.namespace.clone()?, reference.name.clone()?))
}

/// Whether a binder chose the claim, no person.
#[must_use]
pub fn was_chosen(volume: &PersistentVolume) -> bool {
    annotation(volume, BOUND_BY_CONTROLLER).is_some()
}

/// Whether the volume goes with its claim.
#[must_use]
pub fn deletes(volume: &PersistentVolume) -> bool {
    volume.spec.as_ref().and_then(|s| s.persistent_volume_reclaim_policy.as_deref()) == Some("Delete")
}

/// The phase, empty if there is none yet.
#[must_use]
pub fn phase(volume: &PersistentVolume) -> &str {
    volume.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// An annotation of a volume.
#[must_use]
pub fn annotation<'a>(volume: &'a PersistentVolume, name: &str) -> Option<&'a str> {
    volume.metadata.annotations.as_ref()?.get(name).map(String::as_str)
}

/// The provisioner of a released volume takes it from there.
fn released(volume: &PersistentVolume) -> Step {
    let orphan = deletes(volume) && annotation(volume, PROVISIONED_BY).is_none();
    match phase(volume) {
        "Failed" => Step::Phase("Failed"),
        "Released" if orphan => {
            let name = volume.name();
            let message =
                format!("error getting deleter volume plugin for volume {name:?}: no deletable volume plugin matched");
            Step::Fail(Told::warning("VolumeFailedDelete", message))
        }
        _ => Step::Phase("Released"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::claim::tests::{claim, volume};
    use super::*;
    use serde_json::json;

    #[test]
    fn a_volume_follows_its_claim() {
        let bound = json!({"spec": {"claimRef": {"namespace": "n", "name": "data", "uid": "u"}}});
        let (plain, held) = (volume(&json!({})), volume(&bound));
        assert_eq!(plan(&plain, None), Step::Phase("Available"));
        assert_eq!(plan(&held, None), Step::Phase("Released"));
        assert_eq!(plan(&held, Some(&claim(&json!({})))), Step::Wake);
        assert_eq!(plan(&held, Some(&claim(&json!({"spec": {"volumeName": "v"}})))), Step::Phase("Bound"));
        assert_eq!(plan(&held, Some(&claim(&json!({"spec": {"volumeName": "w"}})))), Step::Free);
        assert_eq!(plan(&held, Some(&claim(&json!({"metadata": {"uid": "later"}})))), Step::Phase("Released"));
    }

    #[test]
    fn a_released_volume_that_nobody_can_delete_fails() {
        let more = json!({
            "spec": {"claimRef": {"namespace": "n", "name": "data", "uid": "u"}, "persistentVolumeReclaimPolicy": "Delete"},
            "status": {"phase": "Released"},
        });
        let mut volume = volume(&more);
        assert!(matches!(plan(&volume, None), Step::Fail(_)));
        volume.metadata.annotations = Some([(PROVISIONED_BY.to_owned(), "acme.example/disk".to_owned())].into());
        assert_eq!(plan(&volume, None), Step::Phase("Released"));
    }
}
