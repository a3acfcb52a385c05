//! Deployments: replica sets, one for each template, and the way from one template to the next.
//!
//! Each pass does one step (make the new set, resize sets, clear the history) and then tells the
//! status; the change it made wakes the next pass. Absent: the rollback annotation of extensions/v1beta1
//! (kubectl rolls back by patching the template).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nakhoda_api::kinds::apps::{Deployment, ReplicaSet};
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::{Change, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::claim::Claims;
use crate::context::{Context, Watches};
use crate::pods::is_finished;
use crate::replicator::by_controller;
use crate::selector::{is_empty, matches};

pub mod act;
pub mod progress;
pub mod proportion;
pub mod rolling;
pub mod rollout;
pub mod status;

use act::Actor;
use rollout::Rollout;

const NAME: &str = "deployment";
const WORKERS: usize = 5;
const BY_CONTROLLER: &str = "controller";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (deployments, sets) = (cx.informers.of::<Deployment>(), cx.informers.of::<ReplicaSet>());
    let pods = cx.informers.of::<Pod>();
    sets.add_index(BY_CONTROLLER, by_controller::<ReplicaSet>);
    pods.add_index(BY_CONTROLLER, by_controller::<Pod>);
    let mut watches = Watches::new(cx, NAME);
    watches.on(&deployments, |d: &Deployment| vec![Key::of(d)]);
    let owners = deployments.clone();
    watches.on(&sets, move |set: &ReplicaSet| managers(&owners, set));
    let owners = sets.clone();
    watches.on_change(&pods, move |change| ended(&owners, change));
    watches.run(WORKERS, Deployments { actor: Actor::new(cx), deployments, sets, pods });
}

struct Deployments {
    actor: Actor,
    deployments: Informer<Deployment>,
    sets: Informer<ReplicaSet>,
    pods: Informer<Pod>,
}

// === impl Deployments ===

impl Reconcile for Deployments {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(stored) = self.deployments.get(key) else { return Ok(Outcome::Done) };
        if is_empty(&stored.spec.selector) {
            self.actor.warn_selecting_all(&stored);
            return Ok(Outcome::Done);
        }
        let now = crate::clock::now();
        let sets = self.claim(&stored).await?;
        let mut rollout = Rollout::new((*stored).clone(), sets);
        let noted = progress::note_pause(&mut rollout.deployment, now);
        let rests = noted || rollout.is_resting();
        if !stored.is_terminating() {
            self.step(&mut rollout, now).await?;
        }
        let status = if rests { status::observe(&rollout, now) } else { progress::judge(&rollout, now) };
        let left = progress::until_deadline(&rollout.deployment, &status, now);
        self.actor.write_status(&stored, rollout.deployment, status).await?;
        Ok(left.map_or(Outcome::Done, Outcome::After))
    }
}

impl Deployments {
    async fn claim(&self, deployment: &Arc<Deployment>) -> Result<Vec<Arc<ReplicaSet>>> {
        let orphans = self.sets.by_index(BY_CONTROLLER, &format!("{}/", deployment.namespace()));
        let candidates = self.sets.by_index(BY_CONTROLLER, deployment.uid()).into_iter().chain(orphans);
        let claims = Claims::plan(&**deployment, candidates, |labels| matches(&deployment.spec.selector, labels));
        claims.execute(self.actor.client(), &**deployment).await
    }

    /// One step towards what was asked for.
    async fn step(&self, rollout: &mut Rollout, now: Timestamp) -> Result<()> {
        self.actor.sync_revision(rollout, now).await?;
        if rollout.is_paused() || rollout.was_rescaled() {
            self.actor.resize(rollout, proportion::plan(rollout), true).await?;
            return if rollout.is_paused() { self.actor.clean(rollout).await } else { Ok(()) };
        }
        if rollout.is_recreate() { self.recreate(rollout, now).await } else { self.roll(rollout, now).await }
    }

    async fn roll(&self, rollout: &mut Rollout, now: Timestamp) -> Result<()> {
        if rollout.new.is_none() {
            Box::pin(self.actor.create(rollout, now)).await?;
        }
        let resizes = rolling::plan(rollout);
        if resizes.is_empty() { self.clean(rollout).await } else { self.actor.resize(rollout, resizes, false).await }
    }

    async fn recreate(&self, rollout: &mut Rollout, now: Timestamp) -> Result<()> {
        let downs = rollout.all_old_to_zero();
        if !downs.is_empty() {
            return self.actor.resize(rollout, downs, false).await;
        }
        if self.are_old_pods_running(rollout) {
            return Ok(());
        }
        if rollout.new.is_none() {
            Box::pin(self.actor.create(rollout, now)).await?;
        }
        self.actor.resize(rollout, rollout.new_to_full(), false).await?;
        self.clean(rollout).await
    }

    async fn clean(&self, rollout: &Rollout) -> Result<()> {
        let told = rollout.deployment.status.clone().unwrap_or_default();
        if status::is_complete(&rollout.deployment, &told) { self.actor.clean(rollout).await } else { Ok(()) }
    }

    fn are_old_pods_running(&self, rollout: &Rollout) -> bool {
        let runs = |set: &Arc<ReplicaSet>| {
            let told = set.status.as_ref().is_some_and(|s| s.replicas > 0);
            told || self.pods.by_index(BY_CONTROLLER, set.uid()).iter().any(|p| !is_finished(p))
        };
        rollout.old.iter().any(runs)
    }
}

/// The deployments that manage a set, or could adopt it.
fn managers(deployments: &Informer<Deployment>, set: &ReplicaSet) -> Vec<Key> {
    if let Some(owner) = set.controller() {
        return if owner.kind == "Deployment" { vec![Key::new(set.namespace(), &owner.name)] } else { Vec::new() };
    }
    let labels = set.metadata.labels.as_ref();
    let selecting = |d: &Arc<Deployment>| !is_empty(&d.spec.selector) && matches(&d.spec.selector, labels);
    deployments.in_namespace(set.namespace()).into_iter().filter(selecting).map(|d| Key::of(&*d)).collect()
}

/// The deployment whose pod is gone: one that recreates may be waiting for it.
fn ended(sets: &Informer<ReplicaSet>, change: &Change<Pod>) -> Vec<Key> {
    let pod = change.object();
    if !matches!(change, Change::Deleted(_)) && !is_finished(pod) {
        return Vec::new();
    }
    let set = pod.controller().and_then(|o| sets.get(&Key::new(pod.namespace(), &o.name)));
    let owner = set.as_ref().and_then(|s| s.controller()).filter(|o| o.kind == "Deployment");
    owner.map(|o| Key::new(pod.namespace(), &o.name)).into_iter().collect()
}

/// A little later than a moment, so that it has passed for certain.
const SLACK: Duration = Duration::from_secs(1);
