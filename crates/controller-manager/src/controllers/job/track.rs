//! How pods that have ended come into the status: first their UIDs are told, then their finalizers go,
//! then they are numbers. So none is lost and none counts twice, whatever fails in between.

use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::batch::{Job, JobCondition, JobStatus};
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::Resource;

use super::census::{Census, Uids, has_place};
use super::condition::{self, COMPLETE, FAILURE_TARGET, end_of, is_success};
use super::pod::{has_failed, index};
use super::policy::Action;
use super::spec::is_indexed;
use crate::pods::phase;
use crate::share::nonzero;

/// The most UIDs that a status holds.
const MOST: usize = 500;

/// What a pass tells.
#[derive(Clone, Debug)]
pub struct Tracking {
    /// The status to write first, if it changed.
    pub status: JobStatus,
    /// Whether it did.
    pub changed: bool,
    /// Pods whose finalizer goes then.
    pub release: Vec<Arc<Pod>>,
    /// Pods that wait to be counted.
    pub waiting: Uids,
    /// How the job ends, once all is counted.
    pub end: Option<JobCondition>,
}

// === impl Tracking ===

impl Tracking {
    /// Tells the pods. `status` is what else was found.
    #[must_use]
    pub fn new(job: &Job, census: &Census, mut status: JobStatus, verdict: Option<JobCondition>, now: Timestamp) -> Self {
        let tracked = census.pods.iter().filter(|p| census.is_tracked(p));
        let waiting: Uids = tracked.map(|p| p.uid().to_owned()).collect();
        settle(&mut status, &waiting);
        let mut tracking = Self { status, changed: false, release: Vec::new(), waiting, end: None };
        let full = tracking.collect(job, census, verdict.as_ref());
        tracking.end = verdict.map(|v| tracking.announce(v, now)).filter(|_| !full);
        tracking.changed = job.status.as_ref() != Some(&tracking.status);
        tracking
    }

    /// Whether there are more pods than the status can tell at once.
    fn collect(&mut self, job: &Job, census: &Census, verdict: Option<&JobCondition>) -> bool {
        let mut pods: Vec<_> = census.pods.iter().filter(|p| census.is_tracked(p)).cloned().collect();
        if is_indexed(job) {
            pods.sort_by_key(|p| index(p));
        }
        let mut done = Vec::new();
        let mut full = false;
        for pod in pods.into_iter().filter(|p| is_countable(job, census, p, verdict)) {
            self.tell(job, census, &pod, verdict, &mut done);
            self.release.push(pod);
            let uncounted = self.status.uncounted_terminated_pods.get_or_insert_default();
            let told = [&uncounted.succeeded, &uncounted.failed].map(|u| u.as_ref().map_or(0, Vec::len));
            full = done.len() + told[0] + told[1] >= MOST;
            if full {
                break;
            }
        }
        if is_indexed(job) {
            let all = census.told.union(&done.into_iter().collect());
            self.status.succeeded = nonzero(all.total());
            self.status.completed_indexes = Some(all.to_string()).filter(|t| !t.is_empty());
            self.status.failed_indexes = census.lost.as_ref().map(ToString::to_string);
        }
        full
    }

    fn tell(&mut self, job: &Job, census: &Census, pod: &Pod, verdict: Option<&JobCondition>, done: &mut Vec<i32>) {
        let uncounted = self.status.uncounted_terminated_pods.get_or_insert_default();
        if phase(pod) == "Succeeded" && !census.is_told_failed(pod) {
            if is_indexed(job) {
                done.extend(index(pod).filter(|_| has_place(job, pod)));
            } else if !census.is_told_succeeded(pod) {
                uncounted.succeeded.get_or_insert_default().push(pod.uid().into());
            }
            return;
        }
        let failed = has_failed(job, pod) || verdict.is_some_and(|v| !is_success(v));
        let placed = !is_indexed(job) || has_place(job, pod);
        if failed && placed && !census.is_told_failed(pod) && Action::of(job, pod).counts() {
            uncounted.failed.get_or_insert_default().push(pod.uid().into());
        }
    }

    /// Tells what the job comes to, and gives how it ends.
    fn announce(&mut self, verdict: JobCondition, now: Timestamp) -> JobCondition {
        if ![FAILURE_TARGET, condition::SUCCESS_CRITERIA_MET].contains(&verdict.type_.as_str()) {
            return verdict;
        }
        let end = end_of(&verdict, now);
        let told = self.status.conditions.iter().flatten().any(|c| c.type_ == verdict.type_ && c.status == "True");
        if !told {
            condition::set(&mut self.status.conditions, verdict);
        }
        end
    }
}

/// UIDs whose pods wait no more become numbers. Whether there were any.
pub fn settle(status: &mut JobStatus, waiting: &Uids) -> bool {
    let uncounted = status.uncounted_terminated_pods.get_or_insert_default();
    let moved = |uids: &mut Option<Vec<String>>, count: &mut Option<i32>| {
        let before = uids.as_ref().map_or(0, Vec::len);
        *uids = uids.take().map(|u| u.into_iter().filter(|uid| waiting.contains(uid)).collect());
        *uids = uids.take().filter(|u: &Vec<String>| !u.is_empty());
        let gone = before - uids.as_ref().map_or(0, Vec::len);
        *count = nonzero(count.unwrap_or_default() + i32::try_from(gone).unwrap_or(i32::MAX));
        gone > 0
    };
    let succeeded = moved(&mut uncounted.succeeded, &mut status.succeeded);
    moved(&mut uncounted.failed, &mut status.failed) || succeeded
}

/// Ends the job if all its pods have gone and are counted. Whether it did.
pub fn finish(status: &mut JobStatus, end: &JobCondition, terminating: i32) -> bool {
    let uncounted = status.uncounted_terminated_pods.as_ref();
    let waits = uncounted.is_some_and(|u| u.succeeded.is_some() || u.failed.is_some());
    if waits || terminating > 0 {
        return false;
    }
    condition::set(&mut status.conditions, end.clone());
    if end.type_ == COMPLETE {
        status.completion_time.clone_from(&end.last_transition_time);
    }
    true
}

/// Whether the pod may be counted now. An index keeps its failed pod until that is replaced.
fn is_countable(job: &Job, census: &Census, pod: &Pod, verdict: Option<&JobCondition>) -> bool {
    if job.is_terminating() || verdict.is_some() || phase(pod) == "Succeeded" {
        return true;
    }
    let kept = index(pod).and_then(|i| census.kept.get(&i)).is_some_and(|k| k.uid() == pod.uid());
    has_failed(job, pod) && !kept
}

#[cfg(test)]
mod tests {
    use super::super::condition::new;
    use super::super::fixtures::{edit, at, indexed, job, pod};
    use super::super::verdict;
    use super::*;
    use nakhoda_api::kinds::batch::UncountedTerminatedPods;

    fn track(job: &Job, pods: Vec<Arc<Pod>>, verdict: Option<JobCondition>) -> Tracking {
        let census = Census::new(job, pods, Uids::new());
        Tracking::new(job, &census, job.status.clone().unwrap_or_default(), verdict, at(0))
    }

    #[test]
    fn a_pod_is_told_then_released_then_counted() {
        let mut job = job(2, 3);
        let tracking = track(&job, vec![pod("a", "Succeeded"), pod("b", "Failed"), pod("c", "Running")], None);
        let told = UncountedTerminatedPods { succeeded: Some(vec!["a".into()]), failed: Some(vec!["b".into()]) };
        assert_eq!(tracking.status.uncounted_terminated_pods, Some(told));
        assert_eq!((tracking.changed, tracking.release.len(), tracking.status.succeeded), (true, 2, None));
        let mut status = tracking.status.clone();
        assert!(!settle(&mut status, &tracking.waiting));
        assert!(settle(&mut status, &Uids::from(["c".to_owned()])));
        assert_eq!((status.succeeded, status.failed), (Some(1), Some(1)));
        job.status = Some(tracking.status);
        let again = track(&job, vec![pod("a", "Succeeded"), pod("b", "Failed"), pod("c", "Running")], None);
        assert_eq!((again.changed, again.release.len()), (false, 2), "the finalizers are still there");
    }

    #[test]
    fn a_job_is_complete_only_once_all_is_counted_and_gone() {
        let job = job(1, 1);
        let tracking = track(&job, vec![pod("a", "Succeeded")], Some(verdict::reached(at(0))));
        let (mut status, end) = (tracking.status, tracking.end.expect("it ends"));
        assert!(!finish(&mut status, &end, 0));
        settle(&mut status, &Uids::new());
        assert!(!finish(&mut status, &end, 1));
        assert!(finish(&mut status, &end, 0) && status.completion_time.is_some());
        let types: Vec<_> = status.conditions.iter().flatten().map(|c| c.type_.as_str()).collect();
        assert_eq!(types, ["SuccessCriteriaMet", "Complete"]);
    }

    #[test]
    fn pods_of_a_failed_job_count_as_failed_and_those_of_a_done_one_do_not() {
        let job = job(2, 2);
        let failed = new(FAILURE_TARGET, "DeadlineExceeded", "late", at(0));
        let told = |t: Tracking| t.status.uncounted_terminated_pods.and_then(|u| u.failed).unwrap_or_default().len();
        assert_eq!(told(track(&job, vec![pod("a", "Running")], Some(failed))), 1);
        assert_eq!(told(track(&job, vec![pod("a", "Running")], Some(verdict::reached(at(0))))), 0);
    }

    #[test]
    fn an_index_keeps_its_failed_pod_until_it_is_replaced() {
        let mut job = job(2, 2);
        (edit(&mut job).completion_mode, edit(&mut job).backoff_limit_per_index) = (Some("Indexed".into()), Some(3));
        let pods = vec![indexed("a", "Failed", 0, 0), indexed("b", "Succeeded", 1, 0)];
        let tracking = track(&job, pods.clone(), None);
        assert_eq!(tracking.release.len(), 1);
        assert_eq!(tracking.status.completed_indexes.as_deref(), Some("1"));
        assert_eq!(tracking.status.failed_indexes.as_deref(), Some(""));
        let replaced = pods.into_iter().chain([indexed("c", "Running", 0, 1)]).collect();
        assert_eq!(track(&job, replaced, None).release.len(), 2);
    }
}
