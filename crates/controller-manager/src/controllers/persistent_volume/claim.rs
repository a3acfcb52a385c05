//! What becomes of a claim.

use std::sync::Arc;

use nakhoda_api::claims::{NO_PROVISIONER, Place, SELECTED_NODE, class_of_claim, is_bound_to, matching, waits_for_consumer};
use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim, Pod};
use nakhoda_api::kinds::storage::StorageClass;
use nakhoda_client::Resource;

use crate::told::Told;

/// Says that both sides have named each other.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";

const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// What to do about a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Bind it to this volume, or finish doing so.
    Bind(Arc<PersistentVolume>),
    /// It waits.
    Wait(Option<Told>),
    /// It waits for this provisioner to make a volume.
    Provision(String, Told),
    /// Its volume is gone, or is another's.
    Lose(Told),
}

/// What to do about a claim with these volumes. `users` are the pods that wait for it.
#[must_use]
pub fn plan(
    claim: &PersistentVolumeClaim,
    volumes: &[Arc<PersistentVolume>],
    class: Option<&StorageClass>,
    users: &[Arc<Pod>],
) -> Step {
    if has_annotation(claim, BIND_COMPLETED) {
        return bound(claim, volumes);
    }
    let Some(name) = volume_name(claim) else { return unbound(claim, volumes, class, users) };
    match volumes.iter().find(|v| v.name() == name) {
        None => Step::Wait(None),
        Some(volume) if is_free_for(volume, claim) => Step::Bind(volume.clone()),
        Some(_) => {
            let message = format!("volume {name:?} already bound to a different claim.");
            Step::Wait(Some(Told::warning("FailedBinding", message)))
        }
    }
}

/// The default class, for a claim that was made when there was none: of several the newest.
#[must_use]
pub fn late_class(claim: &PersistentVolumeClaim, classes: &[Arc<StorageClass>]) -> Option<String> {
    let unsaid = claim.spec.as_ref().is_none_or(|s| s.storage_class_name.is_none());
    if !unsaid || !class_of_claim(claim).is_empty() || volume_name(claim).is_some() {
        return None;
    }
    let marked = |c: &&Arc<StorageClass>| {
        c.metadata.annotations.as_ref().and_then(|a| a.get(DEFAULT_CLASS)).is_some_and(|v| v == "true")
    };
    let newest = |c: &&Arc<StorageClass>| c.metadata.creation_timestamp.as_ref().map(|t| t.0);
    classes.iter().filter(marked).max_by_key(newest).map(|c| c.name().to_owned())
}

/// The volume that a claim names.
#[must_use]
pub fn volume_name(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.volume_name.as_deref().filter(|name| !name.is_empty())
}

fn bound(claim: &PersistentVolumeClaim, volumes: &[Arc<PersistentVolume>]) -> Step {
    let lost = |text: &str| Step::Lose(Told::warning("ClaimLost", text));
    let Some(name) = volume_name(claim) else {
        return lost("Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
    };
    match volumes.iter().find(|v| v.name() == name) {
        None => lost("Bound claim has lost its PersistentVolume. Data on the volume is lost!"),
        Some(volume) if is_free_for(volume, claim) => Step::Bind(volume.clone()),
        Some(_) => {
            let message = "Two claims are bound to the same volume, this one is bound incorrectly";
            Step::Lose(Told::warning("ClaimMisbound", message))
        }
    }
}

fn unbound(
    claim: &PersistentVolumeClaim,
    volumes: &[Arc<PersistentVolume>],
    class: Option<&StorageClass>,
    users: &[Arc<Pod>],
) -> Step {
    let delayed = class.is_some_and(waits_for_consumer) && !has_annotation(claim, SELECTED_NODE);
    let found = matching(claim, volumes.iter().map(|v| &**v), Place::Anywhere { delayed });
    if let Some(volume) = found.and_then(|f| volumes.iter().find(|v| v.name() == f.name())) {
        return Step::Bind(volume.clone());
    }
    if delayed {
        return Step::Wait(Some(waiting(users)));
    }
    match class {
        _ if class_of_claim(claim).is_empty() => {
            let message = "no persistent volumes available for this claim and no storage class is set";
            Step::Wait(Some(Told::normal("FailedBinding", message)))
        }
        None => {
            let name = class_of_claim(claim);
            let message = format!("storageclass.storage.k8s.io {name:?} not found");
            Step::Wait(Some(Told::warning("ProvisioningFailed", message)))
        }
        Some(class) if class.provisioner == NO_PROVISIONER => {
            let message = "no volume plugin matched name: kubernetes.io/no-provisioner";
            Step::Wait(Some(Told::warning("ProvisioningFailed", message)))
        }
        Some(class) => Step::Provision(class.provisioner.clone(), external(&class.provisioner)),
    }
}

fn waiting(users: &[Arc<Pod>]) -> Told {
    match users {
        [] => Told::normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding"),
        [pod] => Told::normal("WaitForPodScheduled", format!("waiting for pod {} to be scheduled", pod.name())),
        pods => {
            let names: Vec<&str> = pods.iter().map(|p| p.name()).collect();
            Told::normal("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", names.join(",")))
        }
    }
}

fn external(provisioner: &str) -> Told {
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
    );
    Told::normal("ExternalProvisioning", message)
}

fn is_free_for(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    is_bound_to(volume, claim) || volume.spec.as_ref().is_none_or(|s| s.claim_ref.is_none())
}

fn has_annotation(claim: &PersistentVolumeClaim, name: &str) -> bool {
    claim.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(name))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// A claim `data` for 1Gi of class `slow`.
    pub(crate) fn claim(more: &Value) -> PersistentVolumeClaim {
        let mut value = json!({
            "metadata": {"name": "data", "namespace": "n", "uid": "u"},
            "spec": {"storageClassName": "slow", "accessModes": ["ReadWriteOnce"],
                     "resources": {"requests": {"storage": "1Gi"}}},
        });
        merge(&mut value, more);
        serde_json::from_value(value).expect("a claim")
    }

    /// A volume `v` of 1Gi of class `slow`.
    pub(crate) fn volume(more: &Value) -> PersistentVolume {
        let mut value = json!({
            "metadata": {"name": "v"},
            "spec": {"storageClassName": "slow", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}},
            "status": {"phase": "Available"},
        });
        merge(&mut value, more);
        serde_json::from_value(value).expect("a volume")
    }

    fn merge(into: &mut Value, more: &Value) {
        match more.as_object() {
            Some(fields) => fields.iter().for_each(|(key, value)| merge(&mut into[key], value)),
            None => *into = more.clone(),
        }
    }

    fn class(mode: &str, provisioner: &str) -> StorageClass {
        StorageClass {
            provisioner: provisioner.into(),
            volume_binding_mode: Some(mode.into()),
            ..StorageClass::default()
        }
    }

    fn run(claim: &PersistentVolumeClaim, volumes: &[PersistentVolume], class: Option<&StorageClass>) -> String {
        let volumes: Vec<_> = volumes.iter().cloned().map(Arc::new).collect();
        match plan(claim, &volumes, class, &[]) {
            Step::Bind(volume) => format!("bind {}", volume.name()),
            Step::Wait(told) => format!("wait {}", told.map(|t| t.reason).unwrap_or_default()),
            Step::Provision(provisioner, _) => format!("provision {provisioner}"),
            Step::Lose(told) => format!("lose {}", told.reason),
        }
    }

    #[test]
    fn a_claim_gets_what_fits_or_waits_for_its_provisioner() {
        let (plain, none) = (claim(&json!({})), json!({}));
        let made = class("Immediate", "acme.example/disk");
        assert_eq!(run(&plain, &[volume(&none)], Some(&made)), "bind v");
        assert_eq!(run(&plain, &[], Some(&made)), "provision acme.example/disk");
        assert_eq!(run(&plain, &[], None), "wait ProvisioningFailed");
        assert_eq!(run(&plain, &[], Some(&class("Immediate", NO_PROVISIONER))), "wait ProvisioningFailed");
        assert_eq!(run(&claim(&json!({"spec": {"storageClassName": ""}})), &[], None), "wait FailedBinding");
    }

    #[test]
    fn a_claim_whose_class_waits_is_bound_once_a_node_is_chosen() {
        let late = class("WaitForFirstConsumer", "acme.example/disk");
        assert_eq!(run(&claim(&json!({})), &[volume(&json!({}))], Some(&late)), "wait WaitForFirstConsumer");
        let placed = claim(&json!({"metadata": {"annotations": {SELECTED_NODE: "n1"}}}));
        assert_eq!(run(&placed, &[], Some(&late)), "provision acme.example/disk");
        let reserved = volume(&json!({"spec": {"claimRef": {"namespace": "n", "name": "data", "uid": "u"}}}));
        assert_eq!(run(&claim(&json!({})), &[reserved], Some(&late)), "bind v");
    }

    #[test]
    fn a_claim_without_a_class_gets_the_default_one_late() {
        let mut marked = class("Immediate", "acme.example/disk");
        marked.metadata.name = Some("usual".into());
        marked.metadata.annotations = Some([(DEFAULT_CLASS.to_owned(), "true".to_owned())].into());
        let classes = [Arc::new(marked)];
        let mut plain = claim(&json!({}));
        assert_eq!(late_class(&plain, &classes), None);
        plain.spec.as_mut().expect("set").storage_class_name = Some(String::new());
        assert_eq!(late_class(&plain, &classes), None);
        plain.spec.as_mut().expect("set").storage_class_name = None;
        assert_eq!(late_class(&plain, &classes).as_deref(), Some("usual"));
        assert_eq!(late_class(&plain, &[]), None);
    }

    #[test]
    fn a_claim_that_names_its_volume_gets_that_one_or_none() {
        let named = claim(&json!({"spec": {"volumeName": "v"}}));
        let taken = volume(&json!({"spec": {"claimRef": {"namespace": "n", "name": "other", "uid": "x"}}}));
        assert_eq!(run(&named, &[volume(&json!({}))], None), "bind v");
        assert_eq!(run(&named, std::slice::from_ref(&taken), None), "wait FailedBinding");
        assert_eq!(run(&named, &[], None), "wait ");
        let bound = claim(&json!({"metadata": {"annotations": {BIND_COMPLETED: "yes"}}, "spec": {"volumeName": "v"}}));
        assert_eq!(run(&bound, &[taken], None), "lose ClaimMisbound");
        assert_eq!(run(&bound, &[], None), "lose ClaimLost");
    }
}
