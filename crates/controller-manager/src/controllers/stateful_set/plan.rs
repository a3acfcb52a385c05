//! What to do with the pods of a stateful set, in order: first those of the numbers it has, from the
//! lowest; then those beyond, from the highest; then, if all is well, old ones give way to new ones.
//!
//! An ordered set does one thing at a time and stops at the first pod that is not available, also if
//! its revision is broken: then a person deletes that pod, as with upstream's.

use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::apps::{StatefulSet, StatefulSetStatus};
use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod, PodTemplateSpec};
use nakhoda_client::{Key, Resource};

use super::identity::{build, claims, in_range, ordinal, repaired, start};
use super::spec::{is_rolling, min_ready, partition, replicas};
use super::{owners, status, update};
use crate::pods::{is_available, is_finished, is_ready, phase};
use crate::share::nonzero;

/// A revision as pods are made from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The revision's name.
    pub name: String,
    /// Its template.
    pub template: PodTemplateSpec,
}

/// What a plan is about.
pub struct View<'a> {
    /// The set.
    pub set: &'a StatefulSet,
    /// The revision before the update, or the only one.
    pub current: &'a Version,
    /// The revision of the template.
    pub update: &'a Version,
    /// The time.
    pub now: Timestamp,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Make a pod, and its claims first.
    Create(Box<Pod>),
    /// Delete a pod.
    Delete(Arc<Pod>),
    /// Make the claims that a pod waits for.
    Claim(Arc<Pod>),
    /// Give the pod's claims the owners that the policy asks for.
    Own(Arc<Pod>),
    /// Give a pod the labels and volumes of its number.
    Repair(Box<Pod>),
}

/// What to do now, and what to tell.
#[derive(Debug, PartialEq)]
pub struct Plan {
    /// In order; what follows a failure is not done.
    pub steps: Vec<Step>,
    /// The status.
    pub status: StatefulSetStatus,
}

/// Finds a claim by its key.
pub type Find<'a> = &'a dyn Fn(&Key) -> Option<Arc<PersistentVolumeClaim>>;

/// The pod of a number.
pub(super) enum Replica {
    There(Arc<Pod>),
    Missing(i64),
}

/// A plan in the making.
pub(super) struct Planner<'a> {
    pub(super) view: &'a View<'a>,
    find: Find<'a>,
    pub(super) steps: Vec<Step>,
}

// === impl Plan ===

impl Plan {
    /// What to do with these pods.
    #[must_use]
    pub fn new(view: &View<'_>, pods: &[Arc<Pod>], find: Find<'_>) -> Self {
        let mut status = status::observe(view, pods);
        let mut planner = Planner { view, find, steps: Vec::new() };
        if !view.set.is_terminating() {
            let replaced = planner.run(pods);
            status.current_replicas = status.current_replicas.and_then(|n| nonzero(n - replaced));
        }
        let steps = planner.steps;
        status::complete(view.set, &mut status);
        Self { steps, status }
    }
}

// === impl Planner ===

impl Planner<'_> {
    /// How many pods give way to the new revision.
    fn run(&mut self, pods: &[Arc<Pod>]) -> i32 {
        let set = self.view.set;
        let (replicas, condemned) = sort(set, pods);
        let ordered = set.spec.pod_management_policy.as_deref() != Some("Parallel");
        for replica in &replicas {
            if !self.keep(replica, ordered) && ordered {
                return 0;
            }
        }
        for pod in &condemned {
            self.own(pod);
        }
        let sick = self.first_unavailable(&replicas, &condemned);
        for pod in &condemned {
            if !self.condemn(pod, ordered, sick.as_ref()) && ordered {
                return 0;
            }
        }
        if is_rolling(set) { update::replace(self, &replicas) } else { 0 }
    }

    /// Brings one number to its pod. Whether an ordered set goes on to the next.
    fn keep(&mut self, replica: &Replica, ordered: bool) -> bool {
        let pod = match replica {
            Replica::Missing(ordinal) => return self.create(*ordinal) && !ordered,
            Replica::There(pod) => pod,
        };
        if is_finished(pod) {
            self.steps.extend((!pod.is_terminating()).then(|| Step::Delete(pod.clone())));
            return false;
        }
        if phase(pod) == "Pending" && self.lacks_claim(pod) {
            self.steps.push(Step::Claim(pod.clone()));
        }
        if ordered && self.is_unavailable(pod) {
            return false;
        }
        self.own(pod);
        self.steps.extend(repaired(self.view.set, pod).map(|pod| Step::Repair(Box::new(pod))));
        true
    }

    /// A claim that still goes with the pod before must go first.
    fn create(&mut self, ordinal: i64) -> bool {
        let view = self.view;
        let pod = build(view.set, self.version(ordinal), ordinal);
        let stale = |c: &PersistentVolumeClaim| owners::goes_with_earlier(c, view.set, pod.name());
        if self.claims(ordinal).iter().any(|c| stale(c)) {
            return false;
        }
        self.steps.push(Step::Create(Box::new(pod)));
        true
    }

    /// Numbers below the partition stay at the revision before the update.
    fn version(&self, ordinal: i64) -> &Version {
        let View { set, current, update, .. } = self.view;
        if !is_rolling(set) {
            return update;
        }
        let told = set.status.as_ref().and_then(|s| s.current_replicas).unwrap_or_default();
        let kept = partition(set).unwrap_or(told);
        if ordinal < start(set) + i64::from(kept) { current } else { update }
    }

    /// Deletes a pod beyond the set's size. An ordered set waits until each is well before it takes the
    /// next, except for the first that is not.
    fn condemn(&mut self, pod: &Arc<Pod>, ordered: bool, sick: Option<&Arc<Pod>>) -> bool {
        if pod.is_terminating() {
            return !ordered;
        }
        let waits = !is_running_and_ready(pod) || !is_available(pod, min_ready(self.view.set), self.view.now);
        if ordered && waits && sick.is_none_or(|s| !Arc::ptr_eq(s, pod)) {
            return false;
        }
        self.steps.push(Step::Delete(pod.clone()));
        false
    }

    fn first_unavailable(&self, replicas: &[Replica], condemned: &[Arc<Pod>]) -> Option<Arc<Pod>> {
        let kept = replicas.iter().filter_map(|r| match r {
            Replica::There(pod) => Some(pod),
            Replica::Missing(_) => None,
        });
        kept.chain(condemned.iter().rev()).find(|p| self.is_unavailable(p)).cloned()
    }

    fn own(&mut self, pod: &Arc<Pod>) {
        let set = self.view.set;
        let claims = ordinal(pod).map(|o| self.claims(o)).unwrap_or_default();
        if claims.iter().any(|c| owners::corrected(c, set, pod).is_some()) {
            self.steps.push(Step::Own(pod.clone()));
        }
    }

    fn lacks_claim(&self, pod: &Pod) -> bool {
        let wanted = ordinal(pod).map(|o| claims(self.view.set, o)).unwrap_or_default();
        wanted.iter().any(|c| (self.find)(&Key::of(c)).is_none_or(|c| c.is_terminating()))
    }

    fn claims(&self, ordinal: i64) -> Vec<Arc<PersistentVolumeClaim>> {
        claims(self.view.set, ordinal).iter().filter_map(|c| (self.find)(&Key::of(c))).collect()
    }

    /// Whether the number has no available pod.
    pub(super) fn lacks(&self, replica: &Replica) -> bool {
        match replica {
            Replica::There(pod) => self.is_unavailable(pod),
            Replica::Missing(_) => true,
        }
    }

    fn is_unavailable(&self, pod: &Pod) -> bool {
        pod.is_terminating()
            || !is_running_and_ready(pod)
            || !is_available(pod, min_ready(self.view.set), self.view.now)
    }
}

/// Whether the pod runs and is ready.
#[must_use]
pub fn is_running_and_ready(pod: &Pod) -> bool {
    phase(pod) == "Running" && is_ready(pod)
}

/// The numbers the set has, from the lowest, and the pods beyond, from the highest.
fn sort(set: &StatefulSet, pods: &[Arc<Pod>]) -> (Vec<Replica>, Vec<Arc<Pod>>) {
    let first = start(set);
    let mut kept: Vec<Replica> = (first..first + i64::from(replicas(set))).map(Replica::Missing).collect();
    let mut condemned = Vec::new();
    for pod in pods {
        let Some(ordinal) = ordinal(pod) else { continue };
        match usize::try_from(ordinal - first).ok().and_then(|at| kept.get_mut(at)).filter(|_| in_range(set, ordinal)) {
            Some(place) => *place = Replica::There(pod.clone()),
            None => condemned.push(pod.clone()),
        }
    }
    condemned.sort_by_key(|p| std::cmp::Reverse(ordinal(p)));
    (kept, condemned)
}

#[cfg(test)]
pub(crate) mod tests;
