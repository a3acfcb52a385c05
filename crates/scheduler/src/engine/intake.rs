//! What the API and the bindings tell, taken into the cluster and the queue.

use std::sync::Arc;

use nakhoda_api::kinds::core::{Namespace, Node, Pod};
use nakhoda_api::kinds::policy::PodDisruptionBudget;
use nakhoda_api::kinds::pressure::NodePressure;
use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_api::status::chain;
use nakhoda_client::{Change, Key, Resource, clock};

use super::Engine;
use crate::act::Bound;
use crate::cluster::Cluster;
use crate::cycle::Checks;
use crate::framework::{Changes, Cycle, Framework};
use crate::news::News;
use crate::plugin::interference;
use crate::pod::PodInfo;
use crate::report;

/// A node that is worse by less was not avoided.
const WORSE: i64 = 10;

// === impl Engine ===

impl Engine {
    pub(super) fn take_in(&mut self, news: News) {
        match news {
            News::Node(change) => self.on_node(&change),
            News::Namespace(change) => self.on_namespace(&change),
            News::Pod(change) => self.on_pod(&change),
            News::Budget(change) => self.on_budget(&change),
            News::Volume(change) => self.on_volume(change),
            News::Claim(change) => self.on_claim(change),
            News::Class(change) => self.on_class(change),
            News::Limits(change) => self.on_limits(&change),
            News::Group(change) => self.on_group(change),
            News::Job(change) => self.on_job(&change),
            News::DeviceClaim(change) => self.on_device_claim(change),
            News::Slice(change) => self.on_slice(change),
            News::DeviceClass(change) => self.on_device_class(change),
            News::TaintRule(change) => self.on_taint_rule(change),
            News::Pressure(change) => self.on_pressure(&change),
            News::Bound(bound) => self.on_bound(bound),
        }
    }

    /// A budget matters to preemption alone, which asks for it when it runs.
    fn on_budget(&mut self, change: &Change<PodDisruptionBudget>) {
        match change {
            Change::Added(budget) | Change::Updated { new: budget, .. } => self.cluster.budgets_mut().set(budget),
            Change::Deleted(budget) => self.cluster.budgets_mut().remove(&Key::of(&**budget)),
        }
    }

    /// Where a pod would fare better is no reason to try one that fits nowhere.
    fn on_pressure(&mut self, change: &Change<NodePressure>) {
        match change {
            Change::Added(report) | Change::Updated { new: report, .. } => self.cluster.set_pressure(report),
            Change::Deleted(report) => self.cluster.pressures_mut().remove(report.name()),
        }
    }

    fn on_node(&mut self, change: &Change<Node>) {
        match change {
            Change::Added(node) | Change::Updated { new: node, .. } => {
                let (slot, changes) = self.cluster.set_node(node);
                self.news(slot, changes);
            }
            Change::Deleted(node) => self.cluster.remove_node(node.name()),
        }
    }

    fn on_namespace(&mut self, change: &Change<Namespace>) {
        match change {
            Change::Added(namespace) | Change::Updated { new: namespace, .. } => {
                if self.cluster.set_namespace(namespace) {
                    self.stir(Changes::POD_ADDED);
                }
            }
            Change::Deleted(namespace) => self.cluster.remove_namespace(namespace.name()),
        }
    }

    fn on_pod(&mut self, change: &Change<Pod>) {
        match change {
            Change::Added(pod) => self.on_present(pod),
            Change::Updated { old, new } => {
                // A pod deleted and made again between two looks.
                if old.uid() != new.uid() {
                    self.on_absent(old.uid());
                }
                self.on_present(new);
                if old.metadata.labels != new.metadata.labels && self.cluster.holds(new.uid()) {
                    self.stir(Changes::POD_ADDED);
                }
            }
            Change::Deleted(pod) => self.on_absent(pod.uid()),
        }
    }

    fn on_present(&mut self, object: &Arc<Pod>) {
        let pod = Arc::new(PodInfo::new(object.clone()));
        if pod.is_finished() || (pod.node_name().is_empty() && pod.is_terminating()) {
            self.on_absent(&pod.uid);
            // It had its place: those of its gang that have still to be bound need not wait for another.
            if pod.has_succeeded() {
                self.gangs.place(&pod);
            }
            return;
        }
        if !pod.node_name().is_empty() {
            self.queue.remove(&pod.uid);
            self.deadlines.remove(&pod.uid);
            let new = !self.cluster.holds(&pod.uid);
            self.gangs.place(&pod);
            self.cluster.place(pod.clone());
            if new && let Some(node) = self.cluster.node(pod.node_name()) {
                self.news(node.slot, Changes::POD_ADDED);
            }
        } else if self.cluster.is_assumed(&pod.uid) && self.queue.get(&pod.uid).is_none() {
            // An older state of a pod that is bound already: news of the binding is on its way.
        } else if self.profiles.of(&pod).is_some() {
            if !pod.nominated_node().is_empty() {
                self.cluster.nominations_mut().set(pod.clone(), pod.nominated_node());
            }
            self.tell_malformed(&pod);
            self.gangs.wait(&pod);
            match pod.gang.clone() {
                Some(key) => self.muster(&key),
                None => self.enqueue(pod),
            }
        }
    }

    pub(super) fn enqueue(&mut self, pod: Arc<PodInfo>) {
        let framework = self.profiles.own(&pod);
        let open = framework.closed(&pod).is_none() && self.gangs.closed(&pod).is_none();
        let (rank, due) = (framework.rank(&pod), self.due(&pod));
        self.queue.put(pod, rank, due, open, clock::instant());
    }

    /// A group or its membership has changed: its members may have become enough.
    fn muster(&mut self, key: &Key) {
        for pod in self.gangs.waiting(key) {
            self.enqueue(pod);
        }
    }

    fn on_group(&mut self, change: Change<PodGroup>) {
        match change {
            Change::Added(group) | Change::Updated { new: group, .. } => {
                let key = Key::of(&*group);
                self.gangs.set(group);
                self.muster(&key);
            }
            Change::Deleted(group) => self.gangs.remove(&Key::of(&*group)),
        }
    }

    fn on_absent(&mut self, uid: &str) {
        self.queue.remove(uid);
        self.deadlines.remove(uid);
        self.cluster.nominations_mut().remove(uid);
        self.gangs.leave(uid);
        if let Some(slot) = self.cluster.remove(uid) {
            self.news(slot, Changes::POD_REMOVED);
        }
    }

    fn on_bound(&mut self, bound: Bound) {
        let Bound { pod, node, steps, outcome } = bound;
        match outcome {
            Ok(()) => {
                self.counts.attempt("scheduled");
                self.queue.remove(&pod.uid);
                self.deadlines.remove(&pod.uid);
                self.tell_avoided(&pod, &node);
            }
            Err(error) => {
                self.counts.attempt("error");
                tracing::warn!(pod = %pod.key, node, error = chain(&error), "not bound");
                self.cluster.forget_steps(&steps);
                if let Some(slot) = self.cluster.forget(&pod.uid) {
                    self.news(slot, Changes::POD_REMOVED);
                }
                if error.is_not_found() {
                    self.queue.remove(&pod.uid);
                } else {
                    self.gangs.wait(&pod);
                    self.queue.fail(&pod.uid, clock::instant());
                }
            }
        }
    }

    /// Says on a pod which nodes it was kept from because tasks are stalled there.
    fn tell_avoided(&self, pod: &Arc<PodInfo>, node: &str) {
        let worse = self.cluster.pressures().worse_than(pod, node, WORSE);
        if let (Some(client), false) = (&self.leading, worse.is_empty()) {
            let weighs = self.profiles.own(pod).scores().any(|(name, ..)| name == interference::NAME);
            if weighs {
                self.actions.tell_avoided(client, pod, &report::avoided(&worse));
            }
        }
    }

    /// Tries again those pods that did not fit and now might.
    pub(super) fn news(&mut self, slot: usize, changes: Changes) {
        if changes.is_empty() {
            return;
        }
        let Self { profiles, cluster, queue, .. } = self;
        queue.news(clock::instant(), |pod, by| helps(&profiles.own(pod), cluster, pod, by, slot, changes));
    }

    /// The same for what happened at no node in particular: only plugins that look around care.
    pub(super) fn stir(&mut self, changes: Changes) {
        let Self { profiles, queue, .. } = self;
        queue.news(clock::instant(), |pod, by| {
            let framework = profiles.own(pod);
            let plugins = by.iter().filter_map(|name| framework.plugin(name));
            plugins.into_iter().any(|plugin| plugin.looks_around && plugin.helped_by.meets(changes))
        });
    }
}

/// Whether what happened at a node can make a pod fit that these plugins refused: one of them must care
/// for such news, and the node must do now, unless that plugin looks at more than one node.
fn helps(
    framework: &Framework,
    cluster: &Cluster,
    pod: &PodInfo,
    by: &[&'static str],
    slot: usize,
    changes: Changes,
) -> bool {
    if by.is_empty() {
        return changes.meets(Changes::NODE_ADDED);
    }
    let caring: Vec<_> =
        by.iter().filter_map(|name| framework.plugin(name)).filter(|p| p.helped_by.meets(changes)).collect();
    if caring.is_empty() || caring.iter().any(|p| p.looks_around) {
        return !caring.is_empty();
    }
    Checks::prepare(framework, Cycle { pod, cluster }).is_ok_and(|checks| checks.pass(cluster.at(slot)))
}
