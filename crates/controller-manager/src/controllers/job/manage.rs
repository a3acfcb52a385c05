//! How many pods a job makes or deletes.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::Resource;

use super::backoff::{self, Record};
use super::census::Census;
use super::indexes::Indexes;
use super::pod::{Failures, failures, index};
use super::policy::Action;
use super::spec::{self, completions, is_indexed, is_suspended, parallelism, replaces_failed_only};
use crate::pods::{is_finished, rank_for_deletion};

/// The most pods that one pass makes or deletes.
const BURST: usize = 500;

/// A pod to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Its index, if the job has indexes.
    pub index: Option<i32>,
    /// The failures of the index, if the job counts them.
    pub failures: Option<Failures>,
}

/// What a pass does.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// There are as many as there should be.
    Rest,
    /// Pods are missing, but failed ones are replaced only after a while.
    Wait(SignedDuration),
    /// These are too many.
    Delete(Vec<Arc<Pod>>),
    /// These are missing.
    Create(Vec<Slot>),
}

/// What to do about a job that goes on.
#[must_use]
pub fn plan(job: &Job, census: &Census, record: Record, now: Timestamp) -> Step {
    let active = census.active.len();
    let wanted = if is_suspended(job) { 0 } else { wanted(job, census) };
    let mut surplus = surplus(job, census, active.saturating_sub(wanted), now);
    if !surplus.is_empty() {
        surplus.truncate(if is_suspended(job) { usize::MAX } else { BURST });
        return Step::Delete(surplus);
    }
    let going = if replaces_failed_only(job) { size(census.terminating) } else { 0 };
    let missing = wanted.saturating_sub(active + going).min(BURST);
    if missing == 0 { Step::Rest } else { create(job, census, missing, record, now) }
}

/// How many pods should run now.
fn wanted(job: &Job, census: &Census) -> usize {
    let most = size(parallelism(job));
    match spec::of(job).completions {
        Some(completions) => size(completions - census.succeeded).min(most),
        None if census.succeeded > 0 => census.active.len(),
        None => most,
    }
}

fn create(job: &Job, census: &Census, missing: usize, record: Record, now: Timestamp) -> Step {
    let by_index = spec::of(job).backoff_limit_per_index.is_some();
    let wait = if by_index { SignedDuration::ZERO } else { record.wait(now) };
    if wait.is_positive() {
        return Step::Wait(wait);
    }
    if !is_indexed(job) {
        return Step::Create(vec![Slot { index: None, failures: None }; missing]);
    }
    let indexes = pending(job, census, missing);
    let wait = |i: &i32| census.kept.get(i).map_or(SignedDuration::ZERO, |p| backoff::of_index(p, now));
    let due: Vec<i32> = indexes.iter().copied().filter(|i| !by_index || wait(i).is_zero()).collect();
    if due.is_empty() {
        return indexes.iter().map(wait).min().map_or(Step::Rest, Step::Wait);
    }
    let failures = |i: i32| by_index.then(|| census.kept.get(&i).map_or_else(Failures::default, |p| after(job, p)));
    Step::Create(due.into_iter().map(|i| Slot { index: Some(i), failures: failures(i) }).collect())
}

/// The first indexes that neither run nor have ended.
fn pending(job: &Job, census: &Census, count: usize) -> Vec<i32> {
    let mut taken = census.done.union(&Census::indexes(&census.active));
    if replaces_failed_only(job) {
        let going = census.pods.iter().filter(|p| p.is_terminating() && !is_finished(p));
        taken = taken.union(&Census::indexes(going));
    }
    taken = taken.union(census.lost.as_ref().unwrap_or(&Indexes::default()));
    taken.missing(count, completions(job))
}

/// The failures of an index after this pod's.
fn after(job: &Job, pod: &Pod) -> Failures {
    let before = failures(pod);
    if Action::of(job, pod).counts() {
        Failures { counted: before.counted.saturating_add(1), ..before }
    } else {
        Failures { ignored: before.ignored.saturating_add(1), ..before }
    }
}

/// Pods without a place of their own, and at least so many.
fn surplus(job: &Job, census: &Census, at_least: usize, now: Timestamp) -> Vec<Arc<Pod>> {
    let mut left = census.active.clone();
    rank_for_deletion(&mut left, &[], now);
    let mut gone = Vec::new();
    if is_indexed(job) {
        let mut seen = std::collections::HashSet::new();
        left.reverse();
        let has_place = |pod: &Arc<Pod>| index(pod).is_some_and(|i| i < completions(job) && seen.insert(i));
        (left, gone) = left.into_iter().partition(has_place);
        left.reverse();
    }
    let more = at_least.saturating_sub(gone.len());
    gone.extend(left.into_iter().take(more));
    gone
}

fn size(count: i32) -> usize {
    usize::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::census::Uids;
    use super::super::fixtures::{edit, at, indexed, job, pod};
    use super::*;

    fn run(job: &Job, pods: Vec<Arc<Pod>>) -> String {
        match plan(job, &Census::new(job, pods, Uids::new()), Record::default(), at(0)) {
            Step::Rest => "rest".into(),
            Step::Wait(wait) => format!("wait {}", wait.as_secs()),
            Step::Delete(pods) => pods.iter().map(|p| format!("-{}", p.name())).collect::<Vec<_>>().join(" "),
            Step::Create(slots) => {
                let name = |s: &Slot| s.index.map_or_else(|| "+".to_owned(), |i| format!("+{i}"));
                slots.iter().map(name).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn a_job_runs_as_many_pods_as_are_still_to_be_done_and_no_more_than_its_parallelism() {
        let mut job = job(2, 3);
        assert_eq!(run(&job, vec![]), "+ +");
        assert_eq!(run(&job, vec![pod("a", "Running"), pod("b", "Succeeded")]), "+");
        assert_eq!(run(&job, vec![pod("a", "Succeeded"), pod("b", "Succeeded"), pod("c", "Running")]), "rest");
        edit(&mut job).parallelism = Some(0);
        assert_eq!(run(&job, vec![pod("a", "Running")]), "-a");
        (edit(&mut job).parallelism, edit(&mut job).completions) = (Some(3), None);
        assert_eq!(run(&job, vec![pod("a", "Succeeded"), pod("b", "Running")]), "rest");
        edit(&mut job).suspend = Some(true);
        assert_eq!(run(&job, vec![pod("b", "Running")]), "-b");
    }

    #[test]
    fn each_index_runs_once() {
        let mut job = job(3, 4);
        edit(&mut job).completion_mode = Some("Indexed".into());
        assert_eq!(run(&job, vec![indexed("a", "Succeeded", 1, 0), indexed("b", "Running", 2, 0)]), "+0 +3");
        let doubled = vec![indexed("a", "Pending", 1, 0), indexed("b", "Running", 1, 0), indexed("c", "Running", 7, 0)];
        assert_eq!(run(&job, doubled), "-c -a");
    }

    #[test]
    fn a_failed_pod_is_replaced_after_a_wait_of_its_own_and_if_asked_only_once_it_has_gone() {
        let record = Record { failures: 1, last: Some(at(0)) };
        let mut job = job(1, 1);
        let census = Census::new(&job, vec![pod("a", "Failed")], Uids::new());
        assert_eq!(plan(&job, &census, record, at(3)), Step::Wait(SignedDuration::from_secs(7)));
        let mut going = (*pod("b", "Running")).clone();
        going.metadata.deletion_timestamp = Some(nakhoda_api::kinds::meta::Time(at(0)));
        assert_eq!(run(&job, vec![Arc::new(going.clone())]), "+");
        edit(&mut job).pod_replacement_policy = Some("Failed".into());
        assert_eq!(run(&job, vec![Arc::new(going)]), "rest");
    }

    #[test]
    fn an_index_that_failed_comes_back_with_its_count() {
        let mut job = job(2, 2);
        (edit(&mut job).completion_mode, edit(&mut job).backoff_limit_per_index) = (Some("Indexed".into()), Some(3));
        let mut failed = (*indexed("a", "Failed", 0, 1)).clone();
        failed.metadata.creation_timestamp = Some(nakhoda_api::kinds::meta::Time(at(0)));
        let census = Census::new(&job, vec![Arc::new(failed), indexed("b", "Running", 1, 0)], Uids::new());
        assert_eq!(plan(&job, &census, Record::default(), at(5)), Step::Wait(SignedDuration::from_secs(15)));
        let slot = Slot { index: Some(0), failures: Some(Failures { counted: 2, ignored: 0 }) };
        assert_eq!(plan(&job, &census, Record::default(), at(20)), Step::Create(vec![slot]));
    }
}
