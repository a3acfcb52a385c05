//! What a job's pods are, counted: those counted before, those that wait for it, and those that run.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use nakhoda_api::kinds::batch::{Job, UncountedTerminatedPods};
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::Resource;

use super::indexes::Indexes;
use super::pod::{failures, finished_at, has_failed, index, is_tracked};
use super::policy::Action;
use super::spec::{self, completions, is_indexed};
use crate::pods::{is_active, is_finished, phase};

/// The UIDs of pods.
pub type Uids = HashSet<String>;

/// The pods of a job at one moment.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// All of them.
    pub pods: Vec<Arc<Pod>>,
    /// Those that run or will.
    pub active: Vec<Arc<Pod>>,
    /// How many are going and have not ended.
    pub terminating: i32,
    /// Pods that have ended well and were not told in a status yet.
    pub new_succeeded: Vec<Arc<Pod>>,
    /// Pods that have failed and were not told in a status yet.
    pub new_failed: Vec<Arc<Pod>>,
    /// How many have ended well; for a job with indexes, how many indexes.
    pub succeeded: i32,
    /// How many have failed, without those that do not count.
    pub failed: i32,
    /// Indexes that the status tells as done.
    pub told: Indexes,
    /// Indexes that are done.
    pub done: Indexes,
    /// Indexes that have failed, if the job counts by index.
    pub lost: Option<Indexes>,
    /// The failed pod that each index keeps until it is replaced, if the job counts by index.
    pub kept: BTreeMap<i32, Arc<Pod>>,
    uncounted: UncountedTerminatedPods,
    released: Uids,
}

// === impl Census ===

impl Census {
    /// Counts the pods. Of `released` ones the finalizer is gone, though the cache may still show it.
    #[must_use]
    pub fn new(job: &Job, pods: Vec<Arc<Pod>>, released: Uids) -> Self {
        let status = job.status.clone().unwrap_or_default();
        let uncounted = status.uncounted_terminated_pods.unwrap_or_default();
        let active = pods.iter().filter(|p| is_active(p)).cloned().collect();
        let going = pods.iter().filter(|p| p.is_terminating() && !is_finished(p)).count();
        let mut census = Self { pods, active, terminating: number(going), uncounted, released, ..Self::default() };
        census.count_new(job);
        let failures = census.new_failed.iter().filter(|p| Action::of(job, p).counts()).count();
        let waiting = |uids: &Option<Vec<String>>| number(uids.as_ref().map_or(0, Vec::len));
        census.failed = status.failed.unwrap_or_default() + number(failures) + waiting(&census.uncounted.failed);
        census.succeeded = status.succeeded.unwrap_or_default()
            + number(census.new_succeeded.len())
            + waiting(&census.uncounted.succeeded);
        if is_indexed(job) {
            census.count_indexes(job, status.completed_indexes.as_deref(), status.failed_indexes.as_deref());
        }
        census
    }

    /// Whether the pod is not counted for good yet.
    #[must_use]
    pub fn is_tracked(&self, pod: &Pod) -> bool {
        is_tracked(pod) && !self.released.contains(pod.uid())
    }

    /// Whether the status already tells the pod as failed.
    #[must_use]
    pub fn is_told_failed(&self, pod: &Pod) -> bool {
        self.uncounted.failed.iter().flatten().any(|uid| uid == pod.uid())
    }

    /// Whether the status already tells the pod as succeeded.
    #[must_use]
    pub fn is_told_succeeded(&self, pod: &Pod) -> bool {
        self.uncounted.succeeded.iter().flatten().any(|uid| uid == pod.uid())
    }

    /// The indexes of pods.
    #[must_use]
    pub fn indexes<'a>(pods: impl IntoIterator<Item = &'a Arc<Pod>>) -> Indexes {
        pods.into_iter().filter_map(|p| index(p)).collect()
    }

    fn count_new(&mut self, job: &Job) {
        let counts = |p: &&Arc<Pod>| self.is_tracked(p) && (!is_indexed(job) || has_place(job, p));
        let succeeded = |p: &&Arc<Pod>| phase(p) == "Succeeded" && !self.is_told_succeeded(p);
        let failed = |p: &&Arc<Pod>| has_failed(job, p) && !self.is_told_failed(p);
        let new_succeeded = self.pods.iter().filter(counts).filter(succeeded).cloned().collect();
        self.new_failed = self.pods.iter().filter(counts).filter(failed).cloned().collect();
        self.new_succeeded = new_succeeded;
    }

    fn count_indexes(&mut self, job: &Job, done: Option<&str>, lost: Option<&str>) {
        let all = completions(job);
        let ended = |which: &dyn Fn(&Pod) -> bool| {
            Self::indexes(self.pods.iter().filter(|p| has_place(job, p) && is_tracked(p) && which(p)))
        };
        let succeeded = ended(&|p| phase(p) == "Succeeded");
        self.told = Indexes::parse(done.unwrap_or_default(), all);
        self.done = self.told.union(&succeeded);
        self.succeeded = self.done.total();
        if let Some(limit) = spec::of(job).backoff_limit_per_index {
            let failed = ended(&|p| has_lost_index(job, p, limit));
            self.lost = Some(Indexes::parse(lost.unwrap_or_default(), all).union(&failed));
            self.kept = self.find_kept(job);
        }
    }

    /// Of each index that is still to be done and has no pod, the pod that failed last.
    fn find_kept(&self, job: &Job) -> BTreeMap<i32, Arc<Pod>> {
        let running = Self::indexes(&self.active);
        let settled = self.done.union(&running).union(self.lost.as_ref().unwrap_or(&Indexes::default()));
        let mut kept: BTreeMap<i32, Arc<Pod>> = BTreeMap::new();
        let rank = |pod: &Pod| (failures(pod).counted + failures(pod).ignored, finished_at(pod));
        for pod in self.pods.iter().filter(|p| self.is_tracked(p) && has_failed(job, p) && has_place(job, p)) {
            let Some(index) = index(pod).filter(|i| !settled.has(*i)) else { continue };
            match kept.get(&index) {
                Some(other) if rank(other) > rank(pod) => {}
                _ => drop(kept.insert(index, pod.clone())),
            }
        }
        kept
    }
}

/// Whether the pod has an index that the job has.
#[must_use]
pub fn has_place(job: &Job, pod: &Pod) -> bool {
    index(pod).is_some_and(|i| i < completions(job))
}

/// Whether this pod's failure is the one too many of its index.
fn has_lost_index(job: &Job, pod: &Pod, limit: i32) -> bool {
    if !has_failed(job, pod) {
        return false;
    }
    let action = Action::of(job, pod);
    action == Action::FailIndex || (action.counts() && failures(pod).counted >= limit)
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{edit, indexed, job, pod};
    use super::*;
    use nakhoda_api::kinds::batch::JobStatus;

    #[test]
    fn a_pod_counts_once_on_its_way_through_the_status() {
        let mut job = job(3, 5);
        let uncounted = UncountedTerminatedPods { succeeded: Some(vec!["b".into()]), failed: None };
        job.status =
            Some(JobStatus { succeeded: Some(1), uncounted_terminated_pods: Some(uncounted), ..JobStatus::default() });
        let pods =
            vec![pod("a", "Succeeded"), pod("b", "Succeeded"), pod("c", "Failed"), pod("d", "Running"), pod("e", "Succeeded")];
        let census = Census::new(&job, pods, Uids::from(["e".to_owned()]));
        assert_eq!((census.succeeded, census.failed, census.active.len()), (3, 1, 1));
        assert_eq!(census.new_succeeded.len(), 1);
    }

    #[test]
    fn indexes_are_done_once_and_lost_after_their_limit() {
        let mut job = job(3, 4);
        edit(&mut job).completion_mode = Some("Indexed".into());
        edit(&mut job).backoff_limit_per_index = Some(1);
        let pods = vec![
            indexed("a", "Succeeded", 0, 0),
            indexed("b", "Succeeded", 0, 0),
            indexed("c", "Failed", 1, 1),
            indexed("d", "Failed", 2, 0),
            indexed("e", "Succeeded", 9, 0),
        ];
        let census = Census::new(&job, pods, Uids::new());
        assert_eq!((census.done.to_string().as_str(), census.succeeded), ("0", 1));
        assert_eq!(census.lost.as_ref().map(ToString::to_string).as_deref(), Some("1"));
        assert_eq!(census.kept.keys().collect::<Vec<_>>(), [&2]);
    }
}
