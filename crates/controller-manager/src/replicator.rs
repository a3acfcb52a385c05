//! The engine of replica sets and replication controllers: so many pods of one template, no more, no
//! fewer. It counts no pod that has finished or is going.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nakhoda_api::kinds::core::{Pod, PodTemplateSpec};
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::claim::Claims;
use crate::context::{Context, Watches};
use crate::dependents::affected;
use crate::pod_control::{self, PodControl};
use crate::selector::Labels;

pub mod plan;
pub mod status;

pub use status::{Condition, Status};

/// Workers of each engine.
const WORKERS: usize = 5;
/// The index of objects by the UID of their controller; `NS/` lists those of a namespace without one.
const BY_CONTROLLER: &str = "controller";

/// A kind that keeps a number of pods.
pub trait Replicator: Resource {
    /// The controller's name, as in the logs.
    const NAME: &'static str;
    /// Who its events come from.
    const COMPONENT: &'static str;

    /// How many pods there should be.
    fn replicas(&self) -> i32;
    /// How long a pod must be ready before it counts as available.
    fn min_ready(&self) -> i32;
    /// What the pods are made from.
    fn template(&self) -> Option<&PodTemplateSpec>;
    /// Whether a pod of these labels is one of them.
    fn selects(&self, labels: Option<&Labels>) -> bool;
    /// The status as it is.
    fn status(&self) -> Status;
    /// The object with another status.
    fn with_status(&self, status: Status) -> Self;
}

/// Keeps the pods of one kind of workload.
pub struct Engine<K> {
    cx: Context,
    sets: Informer<K>,
    pods: Informer<Pod>,
    control: PodControl,
    ledger: Ledger,
}

/// Starts the engine of a kind.
pub fn start<K: Replicator>(cx: &Context) {
    let (sets, pods) = (cx.informers.of::<K>(), cx.informers.of::<Pod>());
    pods.add_index(BY_CONTROLLER, by_controller::<Pod>);
    sets.add_index(BY_CONTROLLER, by_controller::<K>);
    let ledger = Ledger::default();
    let mut watches = Watches::new(cx, K::NAME);
    watches.on(&sets, |set: &K| vec![Key::of(set)]);
    let (owners, seen) = (sets.clone(), ledger.clone());
    watches.on_change(&pods, move |change| affected(&owners, &seen, change, K::selects));
    let control = PodControl::new(cx.client.clone(), cx.recorder(K::COMPONENT));
    watches.run(WORKERS, Engine { cx: cx.clone(), sets, pods, control, ledger });
}

// === impl Engine ===

impl<K: Replicator> Reconcile for Engine<K> {
    fn name(&self) -> &'static str {
        K::NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(set) = self.sets.get(key) else {
            self.ledger.forget(key);
            return Ok(Outcome::Done);
        };
        let now = crate::clock::now();
        let settled = self.ledger.settled(key);
        let claimed = self.claim(&set).await?;
        let active: Vec<_> = claimed.iter().filter(|p| crate::pods::is_active(p)).cloned().collect();
        let managed =
            if settled && !set.is_terminating() { self.manage(key, &set, &active, now).await } else { Ok(()) };
        let terminating = claimed.iter().filter(|p| p.is_terminating() && !crate::pods::is_finished(p)).count();
        let status = status::observe(&*set, &active, terminating, managed.as_ref().err(), now);
        self.write(&set, status).await?;
        managed?;
        Ok(self.next(&set, &active, now))
    }
}

impl<K: Replicator> Engine<K> {
    async fn claim(&self, set: &Arc<K>) -> Result<Vec<Arc<Pod>>> {
        let orphans = self.pods.by_index(BY_CONTROLLER, &format!("{}/", set.namespace()));
        let candidates = self.pods.by_index(BY_CONTROLLER, set.uid()).into_iter().chain(orphans);
        let claims = Claims::plan(&**set, candidates, |labels| set.selects(labels));
        claims.execute(&self.cx.client, &**set).await
    }

    async fn manage(&self, key: &Key, set: &Arc<K>, active: &[Arc<Pod>], now: Timestamp) -> Result<()> {
        let wanted = usize::try_from(set.replicas()).unwrap_or_default();
        match plan::plan(wanted, active, || self.related(set), now) {
            plan::Step::Rest => Ok(()),
            plan::Step::Create(count) => self.create(key, set, count).await,
            plan::Step::Delete(pods) => self.control.delete_all(&self.ledger, key, &**set, &pods).await,
        }
    }

    /// The pods of all workloads that have the same owner, for example the replica sets of a deployment.
    fn related(&self, set: &Arc<K>) -> Vec<Arc<Pod>> {
        let siblings = match set.controller() {
            Some(owner) => self.sets.by_index(BY_CONTROLLER, &owner.uid),
            None => vec![set.clone()],
        };
        siblings.iter().flat_map(|s| self.pods.by_index(BY_CONTROLLER, s.uid())).collect()
    }

    async fn create(&self, key: &Key, set: &Arc<K>, count: usize) -> Result<()> {
        let Some(template) = set.template() else { return Ok(()) };
        let pod = pod_control::from_template(template, &**set);
        self.control.create_all(&self.ledger, key, &**set, &vec![&pod; count]).await.1
    }

    async fn write(&self, set: &K, status: Status) -> Result<()> {
        if set.status() == status {
            return Ok(());
        }
        match self.cx.client.namespaced::<K>(set.namespace()).update_status(&set.with_status(status)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// A ready pod becomes available by time alone.
    fn next(&self, set: &K, active: &[Arc<Pod>], now: Timestamp) -> Outcome {
        let waits = active.iter().filter_map(|p| crate::pods::until_available(p, set.min_ready(), now));
        match waits.filter(|w| w.is_positive()).min() {
            Some(wait) => Outcome::After(Duration::try_from(wait).unwrap_or_default() + Duration::from_millis(10)),
            None => Outcome::Done,
        }
    }
}

/// The controller's UID; for an unowned object its namespace and a slash.
pub fn by_controller<K: Resource>(object: &K) -> Vec<String> {
    vec![object.controller().map_or_else(|| format!("{}/", object.namespace()), |o| o.uid.clone())]
}
