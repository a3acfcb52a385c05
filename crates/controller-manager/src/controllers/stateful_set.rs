//! Stateful sets: pods with lasting names and claims, made and replaced in the order of their numbers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nakhoda_api::kinds::apps::{ControllerRevision, StatefulSet, StatefulSetStatus};
use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod, PodTemplateSpec};
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Change, EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};

use crate::claim::Claims;
use crate::context::{Context, Watches};
use crate::dependents::affected;
use crate::history::{self, Revisioned, Store, mark};
use crate::pods;
use crate::replicator::by_controller;
use crate::selector::{Labels, is_empty, matches};

pub mod act;
pub mod identity;
pub mod owners;
pub mod plan;
pub mod spec;
pub mod status;
pub mod update;

use act::Actor;
use plan::{Plan, Version, View};

const NAME: &str = "statefulset";
const WORKERS: usize = 5;
const BY_CONTROLLER: &str = "controller";
/// When to look again at a set that nothing wakes.
const LATER: Duration = Duration::from_secs(30);

/// Starts the controller.
pub fn start(cx: &Context) {
    let (sets, pods) = (cx.informers.of::<StatefulSet>(), cx.informers.of::<Pod>());
    let claims = cx.informers.of::<PersistentVolumeClaim>();
    pods.add_index(BY_CONTROLLER, by_controller::<Pod>);
    let ledger = Ledger::default();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&sets, |s: &StatefulSet| vec![Key::of(s)]);
    let (all, seen) = (sets.clone(), ledger.clone());
    watches.on_change(&pods, move |change| affected(&all, &seen, change, StatefulSet::selects));
    let all = sets.clone();
    watches.hears(&claims, move |change| waiting(&all, change));
    let history = Store::new(cx, &mut watches);
    let recorder = cx.recorder("statefulset-controller");
    let actor = Actor::new(cx.client.clone(), recorder.clone(), ledger.clone(), claims);
    watches.run(WORKERS, Sets { cx: cx.clone(), sets, pods, history, ledger, recorder, actor });
}

struct Sets {
    cx: Context,
    sets: Informer<StatefulSet>,
    pods: Informer<Pod>,
    history: Store,
    ledger: Ledger,
    recorder: Recorder,
    actor: Actor,
}

// === impl Sets ===

impl Reconcile for Sets {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(set) = self.sets.get(key) else {
            self.ledger.forget(key);
            return Ok(Outcome::Done);
        };
        if is_empty(&set.spec.selector) {
            let message = "This stateful set is selecting all pods. A non-empty selector is required.";
            self.recorder.event(&reference(&*set), EventType::Warning, "SelectingAll", message);
            return Ok(Outcome::Done);
        }
        let settled = self.ledger.settled(key) && self.actor.sees_claims(&set);
        let pods = self.claim(&set).await?;
        let revisions = self.history.of(&*set).await?;
        let update = self.history.current(&*set, &revisions).await?;
        let current = current(&set, &revisions).unwrap_or_else(|| update.clone());
        if !settled {
            return Ok(Outcome::After(LATER));
        }
        let now = crate::clock::now();
        let versions = (Version::of(&set, &current), Version::of(&set, &update));
        let view = View { set: &set, current: &versions.0, update: &versions.1, now };
        let Plan { steps, status } = Plan::new(&view, &pods, &|claim| self.actor.claim(claim));
        let acted = self.actor.execute(key, &set, steps).await;
        self.write(&set, status).await?;
        acted?;
        let used: HashSet<&str> = pods.iter().map(|p| mark(p.metadata.labels.as_ref())).collect();
        let live = |r: &ControllerRevision| [current.name(), update.name()].contains(&r.name()) || used.contains(r.name());
        self.history.clear(&*set, revisions, live).await?;
        Ok(next(&set, &pods, now))
    }
}

impl Sets {
    /// The set's pods; an orphan is adopted only if it has one of the set's names.
    async fn claim(&self, set: &Arc<StatefulSet>) -> Result<Vec<Arc<Pod>>> {
        let mut orphans = self.pods.by_index(BY_CONTROLLER, &format!("{}/", set.namespace()));
        orphans.retain(|pod| identity::ordinal_in(set.name(), pod.name()).is_some());
        let candidates = self.pods.by_index(BY_CONTROLLER, set.uid()).into_iter().chain(orphans);
        let claims = Claims::plan(&**set, candidates, |labels| set.selects(labels));
        claims.execute(&self.cx.client, &**set).await
    }

    async fn write(&self, set: &StatefulSet, status: StatefulSetStatus) -> Result<()> {
        if set.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let next = StatefulSet { status: Some(status), ..set.clone() };
        match self.cx.client.namespaced::<StatefulSet>(set.namespace()).update_status(&next).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

impl Revisioned for StatefulSet {
    fn template(&self) -> &PodTemplateSpec {
        &self.spec.template
    }

    /// Never none: the first status tells 0, and the name of a revision must not change with that.
    fn collisions(&self) -> Option<i32> {
        Some(self.status.as_ref().and_then(|s| s.collision_count).unwrap_or_default())
    }

    fn with_collisions(&self, count: i32) -> Self {
        let status = StatefulSetStatus { collision_count: Some(count), ..self.status.clone().unwrap_or_default() };
        Self { status: Some(status), ..self.clone() }
    }

    fn limit(&self) -> Option<i32> {
        self.spec.revision_history_limit
    }

    fn selects(&self, labels: Option<&Labels>) -> bool {
        !is_empty(&self.spec.selector) && matches(&self.spec.selector, labels)
    }
}

// === impl Version ===

impl Version {
    /// A revision as pods are made from it.
    #[must_use]
    pub fn of(set: &StatefulSet, revision: &ControllerRevision) -> Self {
        let template = history::template(revision).unwrap_or_else(|| set.spec.template.clone());
        Self { name: revision.name().into(), template }
    }
}

/// The revision that the set's status calls the current one.
fn current(set: &StatefulSet, revisions: &[Arc<ControllerRevision>]) -> Option<Arc<ControllerRevision>> {
    let name = set.status.as_ref()?.current_revision.as_deref()?;
    revisions.iter().find(|r| r.name() == name).cloned()
}

/// A ready pod becomes available by time alone.
fn next(set: &StatefulSet, pods: &[Arc<Pod>], now: Timestamp) -> Outcome {
    let waits = pods.iter().filter_map(|p| pods::until_available(p, spec::min_ready(set), now));
    let wait = waits.filter(|w| w.is_positive()).min().and_then(|w| Duration::try_from(w).ok());
    wait.map_or(Outcome::Done, |w| Outcome::After(w + Duration::from_millis(10)))
}

/// The sets whose claim is gone: a pod may be waiting to have it anew.
fn waiting(sets: &Informer<StatefulSet>, change: &Change<PersistentVolumeClaim>) -> Vec<Key> {
    let Change::Deleted(claim) = change else { return Vec::new() };
    let mut sets = sets.in_namespace(claim.namespace());
    sets.retain(|set| identity::owns_claim(set, claim.name()));
    sets.iter().map(|s| Key::of(&**s)).collect()
}
