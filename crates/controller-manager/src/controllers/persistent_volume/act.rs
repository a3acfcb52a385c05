//! What the binder writes.

use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::claims::BOUND_BY_CONTROLLER;
use nakhoda_api::kinds::core::{
    ObjectReference, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus, PersistentVolumeStatus,
};
use nakhoda_api::kinds::meta::Time;
use nakhoda_client::{Client, Key, Recorder, Resource, Result, reference};

use super::claim::{self, BIND_COMPLETED};
use super::volume::{self, was_chosen};
use crate::context::Context;
use crate::seen::Seen;

/// Who is to make the volume of a claim.
pub const PROVISIONER: [&str; 2] =
    ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];

/// Writes claims and volumes. Cheap to clone.
#[derive(Clone)]
pub struct Actor {
    client: Client,
    recorder: Recorder,
    seen: Arc<Seen>,
}

// === impl Actor ===

impl Actor {
    /// Notes in `seen` what it writes.
    #[must_use]
    pub fn new(cx: &Context, seen: Arc<Seen>) -> Self {
        Self { client: cx.client.clone(), recorder: cx.recorder("persistentvolume-controller"), seen }
    }

    /// Does the step of a claim.
    pub async fn claim(&self, claim: &PersistentVolumeClaim, step: claim::Step) -> Result<()> {
        match step {
            claim::Step::Bind(volume) => self.bind(&volume, claim).await,
            claim::Step::Wait(told) => {
                told.into_iter().for_each(|t| t.about(claim, &self.recorder));
                self.set_phase(claim, "Pending").await
            }
            claim::Step::Provision(provisioner, told) => {
                told.about(claim, &self.recorder);
                let mut next = claim.clone();
                let annotations = next.metadata.annotations.get_or_insert_default();
                annotations.extend(PROVISIONER.map(|name| (name.to_owned(), provisioner.clone())));
                let claim = self.update_claim(claim, next).await?;
                self.set_phase(&claim, "Pending").await
            }
            claim::Step::Lose(told) => {
                if phase(claim) != "Lost" {
                    told.about(claim, &self.recorder);
                }
                self.set_phase(claim, "Lost").await
            }
        }
    }

    /// Gives a claim its class.
    pub async fn assign(&self, claim: &PersistentVolumeClaim, class: String) -> Result<()> {
        let mut next = claim.clone();
        next.spec.get_or_insert_default().storage_class_name = Some(class);
        self.update_claim(claim, next).await.map(drop)
    }

    /// Does the step of a volume.
    pub async fn volume(&self, volume: &PersistentVolume, step: volume::Step, now: Timestamp) -> Result<()> {
        match step {
            volume::Step::Wake => Ok(()),
            volume::Step::Phase(phase) => self.set_volume_phase(volume, phase, None, now).await.map(drop),
            volume::Step::Free => self.free(volume, now).await,
            volume::Step::Fail(told) => {
                let message = told.message.clone();
                told.about(volume, &self.recorder);
                self.set_volume_phase(volume, "Failed", Some(message), now).await.map(drop)
            }
        }
    }

    /// A claim that the cache does not show.
    pub async fn look_for(&self, key: &Key) -> Result<Option<Arc<PersistentVolumeClaim>>> {
        match self.client.namespaced::<PersistentVolumeClaim>(&key.namespace).get(&key.name).await {
            Ok(claim) => Ok(Some(Arc::new(claim))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The four writes of a binding, each left out if it was done before.
    async fn bind(&self, volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Result<()> {
        let volume = self.reserve(volume, claim).await?;
        let volume = self.set_volume_phase(&volume, "Bound", None, crate::clock::now()).await?;
        let mut next = claim.clone();
        let annotations = next.metadata.annotations.get_or_insert_default();
        if claim::volume_name(claim).is_none() {
            annotations.insert(BOUND_BY_CONTROLLER.into(), "yes".into());
        }
        annotations.insert(BIND_COMPLETED.into(), "yes".into());
        next.spec.get_or_insert_default().volume_name = Some(volume.name().into());
        let claim = self.update_claim(claim, next).await?;
        let spec = volume.spec.unwrap_or_default();
        let status = PersistentVolumeClaimStatus {
            phase: Some("Bound".into()),
            access_modes: spec.access_modes,
            capacity: spec.capacity,
            current_volume_attributes_class_name: spec.volume_attributes_class_name.filter(|class| !class.is_empty()),
            ..claim.status.clone().unwrap_or_default()
        };
        self.write_status(&claim, status).await
    }

    async fn reserve(&self, volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Result<PersistentVolume> {
        let held = volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref());
        if held.is_some_and(|r| r.uid.as_deref() == Some(claim.uid())) {
            return Ok(volume.clone());
        }
        let mut next = volume.clone();
        if held.is_none() {
            next.metadata.annotations.get_or_insert_default().insert(BOUND_BY_CONTROLLER.into(), "yes".into());
        }
        next.spec.get_or_insert_default().claim_ref = Some(reference(claim));
        self.update_volume(&next).await
    }

    /// Takes the claim off a volume; one that a person reserved stays reserved for a claim of that name.
    async fn free(&self, volume: &PersistentVolume, now: Timestamp) -> Result<()> {
        let mut next = volume.clone();
        let spec = next.spec.get_or_insert_default();
        if was_chosen(volume) {
            spec.claim_ref = None;
            next.metadata.annotations.get_or_insert_default().remove(BOUND_BY_CONTROLLER);
        } else {
            let kept = spec.claim_ref.take();
            spec.claim_ref = kept.map(|r| ObjectReference { uid: None, resource_version: None, ..r });
        }
        let next = self.update_volume(&next).await?;
        self.set_volume_phase(&next, "Available", None, now).await.map(drop)
    }

    async fn set_volume_phase(
        &self,
        volume: &PersistentVolume,
        phase: &str,
        message: Option<String>,
        now: Timestamp,
    ) -> Result<PersistentVolume> {
        if volume::phase(volume) == phase {
            return Ok(volume.clone());
        }
        let status = PersistentVolumeStatus {
            phase: Some(phase.into()),
            message,
            reason: None,
            last_phase_transition_time: Some(Time(now)),
        };
        let next = PersistentVolume { status: Some(status), ..volume.clone() };
        let written = self.client.all::<PersistentVolume>().update_status(&next).await;
        written.inspect(|volume| self.seen.wrote(volume))
    }

    async fn set_phase(&self, claim: &PersistentVolumeClaim, phase: &str) -> Result<()> {
        let mut status = claim.status.clone().unwrap_or_default();
        status.phase = Some(phase.into());
        if phase == "Pending" {
            (status.access_modes, status.capacity) = (None, None);
        }
        self.write_status(claim, status).await
    }

    async fn write_status(&self, claim: &PersistentVolumeClaim, status: PersistentVolumeClaimStatus) -> Result<()> {
        if claim.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let next = PersistentVolumeClaim { status: Some(status), ..claim.clone() };
        let written = self.client.namespaced::<PersistentVolumeClaim>(claim.namespace()).update_status(&next).await;
        written.map(|claim| self.seen.wrote(&claim))
    }

    async fn update_claim(
        &self,
        claim: &PersistentVolumeClaim,
        next: PersistentVolumeClaim,
    ) -> Result<PersistentVolumeClaim> {
        if *claim == next {
            return Ok(next);
        }
        let written = self.client.namespaced::<PersistentVolumeClaim>(claim.namespace()).update(&next).await;
        written.inspect(|claim| self.seen.wrote(claim))
    }

    async fn update_volume(&self, volume: &PersistentVolume) -> Result<PersistentVolume> {
        let written = self.client.all::<PersistentVolume>().update(volume).await;
        written.inspect(|volume| self.seen.wrote(volume))
    }
}

fn phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}
