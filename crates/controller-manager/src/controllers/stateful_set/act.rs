//! What the stateful set controller writes besides its status.

use std::sync::Arc;

use nakhoda_api::kinds::apps::StatefulSet;
use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod};
use nakhoda_api::{Reason, Status};
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Client, Error, EventType, Informer, Key, Recorder, Resource, Result, reference};

use super::identity::{claims, ordinal};
use super::owners;
use super::plan::Step;
use crate::pod_control::{exactly, is_namespace_terminating};

/// Does the steps of plans.
pub struct Actor {
    client: Client,
    recorder: Recorder,
    ledger: Ledger,
    claims: Informer<PersistentVolumeClaim>,
}

// === impl Actor ===

impl Actor {
    /// Writes through this client.
    #[must_use]
    pub const fn new(
        client: Client,
        recorder: Recorder,
        ledger: Ledger,
        claims: Informer<PersistentVolumeClaim>,
    ) -> Self {
        Self { client, recorder, ledger, claims }
    }

    /// A claim as last seen.
    #[must_use]
    pub fn claim(&self, key: &Key) -> Option<Arc<PersistentVolumeClaim>> {
        self.claims.get(key)
    }

    /// Whether what the cache says about the set's claims may be believed; a set without any needs none.
    #[must_use]
    pub fn sees_claims(&self, set: &StatefulSet) -> bool {
        set.spec.volume_claim_templates.as_ref().is_none_or(Vec::is_empty) || self.claims.is_synced()
    }

    /// Does the steps in order, up to the first that fails.
    pub async fn execute(&self, key: &Key, set: &StatefulSet, steps: Vec<Step>) -> Result<()> {
        for step in steps {
            match step {
                Step::Create(pod) => self.create(key, set, &pod).await?,
                Step::Delete(pod) => self.delete(key, set, &pod).await?,
                Step::Claim(pod) => self.make_claims(set, &pod).await?,
                Step::Own(pod) => self.own(set, &pod).await?,
                Step::Repair(pod) => self.repair(set, &pod).await?,
            }
        }
        Ok(())
    }

    async fn create(&self, key: &Key, set: &StatefulSet, pod: &Pod) -> Result<()> {
        self.make_claims(set, pod).await.inspect_err(|e| self.tell(set, "Create", pod, Some(e)))?;
        self.ledger.expect_creations(key, 1);
        let made = self.client.namespaced::<Pod>(set.namespace()).create(pod).await;
        let made = made.inspect_err(|_| self.ledger.created(key));
        match made {
            Err(error) if error.is_already_exists() => return Err(error),
            Err(error) if is_namespace_terminating(&error) => return Ok(()),
            Err(error) => {
                self.tell(set, "Create", pod, Some(&error));
                return Err(error);
            }
            Ok(made) => self.own(set, &made).await?,
        }
        self.tell(set, "Create", pod, None);
        Ok(())
    }

    async fn delete(&self, key: &Key, set: &StatefulSet, pod: &Pod) -> Result<()> {
        self.ledger.expect_deletions(key, [pod.uid().to_owned()]);
        let outcome = self.client.namespaced::<Pod>(set.namespace()).delete(pod.name(), &exactly(pod)).await;
        match outcome {
            Err(error) if !error.is_not_found() && !error.is_conflict() => {
                self.ledger.deleted(key, pod.uid());
                self.tell(set, "Delete", pod, Some(&error));
                Err(error)
            }
            outcome => {
                if outcome.is_err() {
                    self.ledger.deleted(key, pod.uid());
                }
                self.tell(set, "Delete", pod, None);
                Ok(())
            }
        }
    }

    async fn make_claims(&self, set: &StatefulSet, pod: &Pod) -> Result<()> {
        for claim in ordinal(pod).map(|o| claims(set, o)).unwrap_or_default() {
            match self.claims.get(&Key::of(&claim)) {
                Some(there) if there.is_terminating() => return Err(going(&claim)),
                Some(_) => {}
                None => self.make_claim(set, pod, &claim).await?,
            }
        }
        Ok(())
    }

    async fn make_claim(&self, set: &StatefulSet, pod: &Pod, claim: &PersistentVolumeClaim) -> Result<()> {
        let (name, about) = (claim.name(), reference(set));
        let what = format!("Pod {} in StatefulSet {}", pod.name(), set.name());
        match self.client.namespaced::<PersistentVolumeClaim>(set.namespace()).create(claim).await {
            Ok(_) => {
                let message = format!("Create Claim {name} {what} success");
                self.recorder.event(&about, EventType::Normal, "SuccessfulCreate", message);
                Ok(())
            }
            Err(error) if error.is_already_exists() => Ok(()),
            Err(error) => {
                let message = format!("Create Claim {name} for {what} failed error: {error}");
                self.recorder.event(&about, EventType::Warning, "FailedCreate", message);
                Err(error)
            }
        }
    }

    async fn own(&self, set: &StatefulSet, pod: &Pod) -> Result<()> {
        let wanted = ordinal(pod).map(|o| claims(set, o)).unwrap_or_default();
        for claim in wanted.iter().filter_map(|c| self.claims.get(&Key::of(c))) {
            if owners::conflicts(&claim, set, pod) {
                let message = format!(
                    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim",
                    claim.name()
                );
                self.recorder.event(&reference(set), EventType::Warning, "ConflictingController", message);
            }
            let Some(owners) = owners::corrected(&claim, set, pod) else { continue };
            let mut next = (*claim).clone();
            next.metadata.owner_references = Some(owners).filter(|o| !o.is_empty());
            let written = self.client.namespaced::<PersistentVolumeClaim>(set.namespace()).update(&next).await;
            written.inspect_err(|e| self.tell(set, "Update", pod, Some(e)))?;
        }
        Ok(())
    }

    async fn repair(&self, set: &StatefulSet, pod: &Pod) -> Result<()> {
        self.make_claims(set, pod).await.inspect_err(|e| self.tell(set, "Update", pod, Some(e)))?;
        let written = self.client.namespaced::<Pod>(set.namespace()).update(pod).await.map(drop);
        self.tell(set, "Update", pod, written.as_ref().err());
        written
    }

    fn tell(&self, set: &StatefulSet, verb: &str, pod: &Pod, error: Option<&Error>) {
        let what = format!("{verb} Pod {} in StatefulSet {}", pod.name(), set.name());
        let (kind, reason, message) = match error {
            None => (EventType::Normal, format!("Successful{verb}"), format!("{what} successful")),
            Some(error) => (EventType::Warning, format!("Failed{verb}"), format!("{what} failed error: {error}")),
        };
        self.recorder.event(&reference(set), kind, &reason, message);
    }
}

fn going(claim: &PersistentVolumeClaim) -> Error {
    Status::failure(409, Reason::Conflict, format!("pvc {} is being deleted", claim.name())).into()
}
