//! Daemon sets: one pod on every node that fits, put there by the scheduler, replaced node by node when
//! the template changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::apps::{ControllerRevision, DaemonSet, DaemonSetStatus};
use nakhoda_api::kinds::core::{Node, Pod};
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Change, EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};
use parking_lot::Mutex;

use crate::claim::Claims;
use crate::context::{Context, Watches};
use crate::pod_control::PodControl;
use crate::replicator::by_controller;
use crate::selector::{is_empty, matches};
use crate::{pods, taints};

pub mod act;
pub mod history;
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
    let (nodes, revisions) = (cx.informers.of::<Node>(), cx.informers.of::<ControllerRevision>());
    pods.add_index(BY_CONTROLLER, by_controller::<Pod>);
    revisions.add_index(BY_CONTROLLER, by_controller::<ControllerRevision>);
    let ledger = Ledger::default();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&sets, |s: &DaemonSet| vec![Key::of(s)]);
    let (all, seen) = (sets.clone(), ledger.clone());
    watches.on_change(&pods, move |change| affected(&all, &seen, change));
    let all = sets.clone();
    watches.on_change(&nodes, move |change| moved(&all, change));
    watches.reads(&revisions);
    let recorder = cx.recorder("daemonset-controller");
    let control = PodControl::new(cx.client.clone(), recorder.clone());
    let failures = Mutex::default();
    watches.run(WORKERS, Daemons { cx: cx.clone(), recorder, control, ledger, sets, pods, nodes, revisions, failures });
}

struct Daemons {
    cx: Context,
    recorder: Recorder,
    control: PodControl,
    ledger: Ledger,
    sets: Informer<DaemonSet>,
    pods: Informer<Pod>,
    nodes: Informer<Node>,
    revisions: Informer<ControllerRevision>,
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
        let now = Timestamp::now();
        let current = act::current_revision(&self.cx.client, &self.revisions, &set).await?;
        let hash = history::hash(&current).to_owned();
        let claimed = self.claim(&set).await?;
        let (sites, strays) = plan::sites(&set, &self.nodes.list(), &claimed);
        let mut again = None;
        if self.ledger.settled(key) {
            let plan = Plan::new(&set, &sites, strays, &hash, now);
            again = self.execute(key, &set, plan, &hash, now).await?;
        }
        act::clear_history(&self.cx.client, &self.revisions, &set, &current, &claimed).await?;
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
        for pod in &delete {
            self.ledger.expect_deletions(key, [pod.uid().to_owned()]);
            self.control.delete(set, pod).await.inspect_err(|_| self.ledger.deleted(key, pod.uid()))?;
        }
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

/// The sets that a change of a pod concerns; what it fulfils is noted on the way.
fn affected(sets: &Informer<DaemonSet>, ledger: &Ledger, change: &Change<Pod>) -> Vec<Key> {
    let owner = |pod: &Pod| {
        let owner = pod.controller().filter(|o| o.kind == "DaemonSet")?;
        Some(Key::new(pod.namespace(), &owner.name))
    };
    let pod = change.object();
    let mut keys: Vec<Key> = owner(pod).into_iter().collect();
    match change {
        Change::Added(_) => keys.iter().for_each(|k| ledger.created(k)),
        Change::Updated { old, .. } => keys.extend(owner(old)),
        Change::Deleted(_) => {}
    }
    if pod.is_terminating() || matches!(change, Change::Deleted(_)) {
        keys.iter().for_each(|k| ledger.deleted(k, pod.uid()));
    } else if pod.controller().is_none() {
        let selects = |s: &Arc<DaemonSet>| {
            !is_empty(&s.spec.selector) && matches(&s.spec.selector, pod.metadata.labels.as_ref())
        };
        keys.extend(sets.in_namespace(pod.namespace()).into_iter().filter(selects).map(|s| Key::of(&*s)));
    }
    keys
}

/// All sets, if a node has come or gone, or fits other pods than before.
fn moved(sets: &Informer<DaemonSet>, change: &Change<Node>) -> Vec<Key> {
    let same = |old: &Node, new: &Node| old.metadata.labels == new.metadata.labels && taints::of(old) == taints::of(new);
    if matches!(change, Change::Updated { old, new } if same(old, new)) {
        return Vec::new();
    }
    sets.list().iter().map(|s| Key::of(&**s)).collect()
}
