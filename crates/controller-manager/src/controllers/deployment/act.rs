//! What the deployment controller writes.

use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::apps::{Deployment, DeploymentStatus, ReplicaSet};
use nakhoda_client::{Api, Client, Error, EventType, Recorder, Resource, Result, reference};

use super::progress::deadline;
use super::rollout::{Resize, Rollout, desired, max_surge, size};
use super::status::{PROGRESSING, condition, find, set};
use super::{rolling, rollout};
use crate::context::Context;
use crate::pod_control::{exactly, is_namespace_terminating};
use crate::revision::{self, Annotations, REVISION, same_template};

pub mod set;

/// Writes on behalf of deployments.
pub struct Actor {
    client: Client,
    recorder: Recorder,
}

// === impl Actor ===

impl Actor {
    /// Writes through the context's client.
    #[must_use]
    pub fn new(cx: &Context) -> Self {
        Self { client: cx.client.clone(), recorder: cx.recorder("deployment-controller") }
    }

    /// The client it writes through.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Tells that the selector is empty.
    pub fn warn_selecting_all(&self, deployment: &Deployment) {
        let message = "This deployment is selecting all pods. A non-empty selector is required.";
        self.tell(deployment, EventType::Warning, "SelectingAll", message);
    }

    /// Keeps the revision and the copied annotations of the new set, and the deployment's own revision.
    pub async fn sync_revision(&self, rollout: &mut Rollout, now: Timestamp) -> Result<()> {
        let Some(new) = rollout.new.clone() else { return Ok(()) };
        let next = set::next_revision(rollout);
        let mut copy = (*new).clone();
        let mut changed = set::annotate(&rollout.deployment, copy.metadata.annotations.get_or_insert_default(), next);
        if number(copy.spec.min_ready_seconds) != number(rollout.deployment.spec.min_ready_seconds) {
            copy.spec.min_ready_seconds = rollout.deployment.spec.min_ready_seconds;
            changed = true;
        }
        let new = if changed { Arc::new(self.sets(&rollout.deployment).update(&copy).await?) } else { new };
        adopt_revision(&mut rollout.deployment, revision::of(new.metadata.annotations.as_ref()));
        let found = format!("Found new replica set \"{}\"", new.name());
        note(&mut rollout.deployment, "FoundNewReplicaSet", &found, now, false);
        rollout.new = Some(new);
        Ok(())
    }

    /// Makes the set of the template.
    pub async fn create(&self, rollout: &mut Rollout, now: Timestamp) -> Result<()> {
        let deployment = &rollout.deployment;
        let replicas = if rollout.is_recreate() {
            desired(deployment)
        } else {
            rolling::new_size(deployment, rolling::total(rollout.all()), 0)
        };
        let next = set::next_revision(rollout);
        let wanted = set::build(deployment, replicas, next);
        let made = match self.sets(deployment).create(&wanted).await {
            Ok(made) => made,
            Err(error) if error.is_already_exists() => return self.take(rollout, &wanted, error).await,
            Err(error) => return Err(self.not_created(deployment, &wanted, error, now).await),
        };
        if replicas > 0 {
            let message = format!("Scaled up replica set {} from 0 to {replicas}", made.name());
            self.tell(deployment, EventType::Normal, "ScalingReplicaSet", &message);
        }
        adopt_revision(&mut rollout.deployment, next);
        let message = format!("Created new replica set \"{}\"", made.name());
        note(&mut rollout.deployment, "NewReplicaSetCreated", &message, now, true);
        rollout.new = Some(Arc::new(made));
        Ok(())
    }

    /// Gives sets their sizes; with `annotate` also those whose size stays, for the sake of the
    /// numbers written on them.
    pub async fn resize(&self, rollout: &mut Rollout, resizes: Vec<Resize>, annotate: bool) -> Result<()> {
        let limits = (desired(&rollout.deployment), rollout.max_replicas());
        for Resize { set: old, to } in resizes {
            let mut copy = (*old).clone();
            let marked = set::mark(copy.metadata.annotations.get_or_insert_default(), limits);
            if size(&old) == to && !(annotate && marked) {
                continue;
            }
            copy.spec.replicas = Some(to);
            let written = Arc::new(self.sets(&rollout.deployment).update(&copy).await?);
            if size(&old) != to {
                let way = if size(&old) < to { "up" } else { "down" };
                let message = format!("Scaled {way} replica set {} from {} to {to}", old.name(), size(&old));
                self.tell(&rollout.deployment, EventType::Normal, "ScalingReplicaSet", &message);
            }
            replace(rollout, written);
        }
        Ok(())
    }

    /// Deletes old sets beyond the history that is kept.
    pub async fn clean(&self, rollout: &Rollout) -> Result<()> {
        for old in set::surplus_history(rollout) {
            match self.sets(&rollout.deployment).delete(old.name(), &exactly(&*old)).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the status and the revision, if they changed.
    pub async fn write_status(&self, stored: &Deployment, new: Deployment, status: DeploymentStatus) -> Result<()> {
        let new = Deployment { status: Some(status), ..new };
        if new.status == stored.status && new.metadata.annotations == stored.metadata.annotations {
            return Ok(());
        }
        self.client.namespaced::<Deployment>(stored.namespace()).update_status(&new).await.map(drop)
    }

    /// The name is taken: by our own set that a cache has not shown yet, or by another template of the
    /// same hash, which then counts as a collision.
    async fn take(&self, rollout: &mut Rollout, wanted: &ReplicaSet, error: Error) -> Result<()> {
        let there = self.sets(&rollout.deployment).get(wanted.name()).await?;
        let ours = there.controller().is_some_and(|o| o.uid == rollout.deployment.uid());
        let template = there.spec.template.as_ref();
        if ours && template.is_some_and(|t| same_template(t, &rollout.deployment.spec.template)) {
            rollout.new = Some(Arc::new(there));
            return Ok(());
        }
        let mut deployment = rollout.deployment.clone();
        let status = deployment.status.get_or_insert_default();
        status.collision_count = Some(status.collision_count.unwrap_or_default() + 1);
        self.client.namespaced::<Deployment>(deployment.namespace()).update_status(&deployment).await?;
        Err(error)
    }

    async fn not_created(&self, deployment: &Deployment, wanted: &ReplicaSet, error: Error, now: Timestamp) -> Error {
        if is_namespace_terminating(&error) {
            return error;
        }
        let message = format!("Failed to create new replica set \"{}\": {error}", wanted.name());
        if deadline(deployment).is_some() {
            let mut told = deployment.clone();
            let failed = condition(PROGRESSING, "False", "ReplicaSetCreateError", &message, now);
            set(told.status.get_or_insert_default(), failed);
            if let Err(error) = self.write_status(deployment, told.clone(), told.status.unwrap_or_default()).await {
                tracing::debug!(%error, "the failure could not be told in the status");
            }
        }
        self.tell(deployment, EventType::Warning, "ReplicaSetCreateError", &message);
        error
    }

    fn sets(&self, deployment: &Deployment) -> Api<ReplicaSet> {
        self.client.namespaced::<ReplicaSet>(deployment.namespace())
    }

    fn tell(&self, deployment: &Deployment, type_: EventType, reason: &str, message: &str) {
        self.recorder.event(&reference(deployment), type_, reason, message);
    }
}

/// Notes where the rollout stands; without `news` only if nothing was noted before.
fn note(deployment: &mut Deployment, reason: &str, message: &str, now: Timestamp, news: bool) {
    if deadline(deployment).is_none() {
        return;
    }
    let status = deployment.status.get_or_insert_default();
    if news || find(status, PROGRESSING).is_none() {
        set(status, condition(PROGRESSING, "True", reason, message, now));
    }
}

fn adopt_revision(deployment: &mut Deployment, revision: i64) {
    let annotations: &mut Annotations = deployment.metadata.annotations.get_or_insert_default();
    annotations.insert(REVISION.into(), revision.to_string());
}

fn replace(rollout: &mut Rollout, written: Arc<ReplicaSet>) {
    let same = |set: &Arc<ReplicaSet>| set.uid() == written.uid();
    if rollout.new.as_ref().is_some_and(same) {
        rollout.new = Some(written);
    } else if let Some(old) = rollout.old.iter_mut().find(|s| same(s)) {
        *old = written;
    }
}

fn number(count: Option<i32>) -> i32 {
    count.unwrap_or_default()
}

/// How many pods a deployment may have at most.
#[must_use]
pub fn most(deployment: &Deployment) -> i32 {
    rollout::desired(deployment).saturating_add(max_surge(deployment))
}
