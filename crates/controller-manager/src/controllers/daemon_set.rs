//! Daemon sets: one pod on every node that fits, put there by the scheduler, replaced node by node when
//! the template changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::apps::{ControllerRevision, DaemonSet, DaemonSetStatus};
use nakhoda_api::kinds::core::{Node, Pod, PodTemplateSpec};
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Change, EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};
use parking_lot::Mutex;

use crate::claim::Claims;
use crate::context::{Context, Watches};
use crate::dependents::affected;
use crate::history::{self, Revisioned, Store, mark};
use crate::pod_control::PodControl;
use crate::replicator::by_controller;
use crate::selector::{Labels, is_empty, matches};
use crate::{pods, taints};

pub mod act;
pub mod plan;
pub mod pod;
pub mod status;

use plan::Plan;

const NAME: &str = "daemonset";
const WORKERS: usize = 2;
const BY_CONTROLLER: &str = "controller";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (sets, pods) = (cx.informers.of::<DaemonSet>(), cx.informers.of::<Pod>());
    let nodes = cx.informers.of::<Node>();
    pods.add_index(BY_CONTROLLER, by_controller::<Pod>);
    let ledger = Ledger::default();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&sets, |s: &DaemonSet| vec![Key::of(s)]);
    let (all, seen) = (sets.clone(), ledger.clone());
    watches.on_change(&pods, move |change| affected(&all, &seen, change, DaemonSet::selects));
    let all = sets.clone();
    watches.on_change(&nodes, move |change| moved(&all, change));
    let history = Store::new(cx, &mut watches);
    let recorder = cx.recorder("daemonset-controller");
    let control = PodControl::new(cx.client.clone(), recorder.clone());
    let failures = Mutex::default();
    watches.run(WORKERS, Daemons { cx: cx.clone(), recorder, control, ledger, sets, pods, nodes, history, failures });
}

struct Daemons {
    cx: Context,
    recorder: Recorder,
    control: PodControl,
    ledger: Ledger,
    sets: Informer<DaemonSet>,
    pods: Informer<Pod>,
    nodes: Informer<Node>,
    history: Store,
    /// How often a set's pod has failed on a node, and when last.
    failures: Mutex<HashMap<(Key, String), (u32, Timestamp)>>,
}

// === impl Daemons ===

impl Reconcile for Daemons {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(set) = self.sets.get(key) else {
            self.ledger.forget(key);
            self.failures.lock().retain(|(k, _), _| k != key);
            return Ok(Outcome::Done);
        };
        if is_empty(&set.spec.selector) {
            let message = "This daemon set is selecting all pods. A non-empty selector is required.";
            self.recorder.event(&reference(&*set), EventType::Warning, "SelectingAll", message);
            return Ok(Outcome::Done);
        }
        if set.is_terminating() {
            return Ok(Outcome::Done);
        }
        let now = crate::clock::now();
        let revisions = self.history.of(&*set).await?;
        let current = self.history.current(&*set, &revisions).await?;
        let hash = history::hash(&current).to_owned();
        let claimed = self.claim(&set).await?;
        let (sites, strays) = plan::sites(&set, &self.nodes.list(), &claimed);
        let mut again = None;
        if self.ledger.settled(key) {
            let plan = Plan::new(&set, &sites, strays, &hash, now);
            again = self.execute(key, &set, plan, &hash, now).await?;
        }
        let used: HashSet<&str> = claimed.iter().map(|p| mark(p.metadata.labels.as_ref())).collect();
        let live = |r: &ControllerRevision| r.name() == current.name() || used.contains(history::hash(r));
        self.history.clear(&*set, revisions, live).await?;
        self.write(&set, status::observe(&set, &sites, &hash, now)).await?;
        let waits = claimed.iter().filter_map(|p| pods::until_available(p, status::min_ready(&set), now));
        let wait = waits.filter(|w| w.is_positive()).chain(again).min();
        Ok(wait.and_then(|w| Duration::try_from(w).ok()).map_or(Outcome::Done, Outcome::After))
    }
}

impl Daemons {
    async fn claim(&self, set: &Arc<DaemonSet>) -> Result<Vec<Arc<Pod>>> {
        let orphans = self.pods.by_index(BY_CONTROLLER, &format!("{}/", set.namespace()));
        let candidates = self.pods.by_index(BY_CONTROLLER, set.uid()).into_iter().chain(orphans);
        let claims = Claims::plan(&**set, candidates, |labels| matches(&set.spec.selector, labels));
        claims.execute(&self.cx.client, &**set).await
    }

    /// Deletes and makes pods. When to look again for failed pods that are not replaced yet.
    async fn execute(
        &self,
        key: &Key,
        set: &DaemonSet,
        plan: Plan,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>> {
        let mut delete = plan.delete;
        let mut wait: Option<SignedDuration> = None;
        for ended in plan.ended {
            match self.patience(key, set, &ended, now) {
                Some(left) => wait = Some(wait.map_or(left, |w| w.min(left))),
                None => delete.push(ended.pod),
            }
        }
        self.control.delete_all(&self.ledger, key, set, &delete).await?;
        act::create(&self.control, &self.ledger, key, set, &plan.create, hash).await?;
        Ok(wait)
    }

    /// How long a failed pod must still wait for its replacement: twice as long each time, from 1 s to
    /// 15 min. Nothing if it is replaced now, which is then told.
    fn patience(&self, key: &Key, set: &DaemonSet, ended: &plan::Ended, now: Timestamp) -> Option<SignedDuration> {
        let (kind, reason, verb) = if ended.failed {
            (EventType::Warning, "FailedDaemonPod", "kill")
        } else {
            (EventType::Normal, "SucceededDaemonPod", "delete")
        };
        if ended.failed {
            let mut failures = self.failures.lock();
            let entry = failures.entry((key.clone(), ended.node.clone())).or_insert((0, Timestamp::UNIX_EPOCH));
            let left = plan::backoff(entry.0) - now.duration_since(entry.1);
            if left.is_positive() {
                return Some(left);
            }
            *entry = (entry.0 + 1, now);
        }
        let word = if ended.failed { "failed" } else { "succeeded" };
        let pod = Key::of(&*ended.pod);
        let message = format!("Found {word} daemon pod {pod} on node {}, will try to {verb} it", ended.node);
        self.recorder.event(&reference(set), kind, reason, message);
        None
    }

    async fn write(&self, set: &DaemonSet, status: DaemonSetStatus) -> Result<()> {
        if set.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let next = DaemonSet { status: Some(status), ..set.clone() };
        match self.cx.client.namespaced::<DaemonSet>(set.namespace()).update_status(&next).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}

impl Revisioned for DaemonSet {
    fn template(&self) -> &PodTemplateSpec {
        &self.spec.template
    }

    fn collisions(&self) -> Option<i32> {
        self.status.as_ref()?.collision_count
    }

    fn with_collisions(&self, count: i32) -> Self {
        let status = DaemonSetStatus { collision_count: Some(count), ..self.status.clone().unwrap_or_default() };
        Self { status: Some(status), ..self.clone() }
    }

    fn limit(&self) -> Option<i32> {
        self.spec.revision_history_limit
    }

    fn selects(&self, labels: Option<&Labels>) -> bool {
        !is_empty(&self.spec.selector) && matches(&self.spec.selector, labels)
    }
}

/// All sets, if a node has come or gone, or fits other pods than before.
fn moved(sets: &Informer<DaemonSet>, change: &Change<Node>) -> Vec<Key> {
    let same = |old: &Node, new: &Node| old.metadata.labels == new.metadata.labels && taints::of(old) == taints::of(new);
    if matches!(change, Change::Updated { old, new } if same(old, new)) {
        return Vec::new();
    }
    sets.list().iter().map(|s| Key::of(&**s)).collect()
}
