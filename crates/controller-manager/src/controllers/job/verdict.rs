//! Whether a job has come to its end, and why.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::batch::{Job, JobCondition};
use nakhoda_api::kinds::core::Pod;

use super::census::Census;
use super::condition::{FAILURE_TARGET, SUCCESS_CRITERIA_MET, end_of, holding, new};
use super::pod::has_failed;
use super::policy::{self, Action};
use super::spec::{self, backoff_limit, completions, is_indexed, is_suspended};
use crate::pods::phase;

/// The condition that a job comes to with these pods, if it does not go on.
#[must_use]
pub fn judge(job: &Job, census: &Census, now: Timestamp) -> Option<JobCondition> {
    if let Some(met) = holding(job, SUCCESS_CRITERIA_MET) {
        return Some(met.clone());
    }
    if let Some(target) = holding(job, FAILURE_TARGET) {
        return Some(end_of(target, now));
    }
    let failure = |reason: &str, message: &str| Some(new(FAILURE_TARGET, reason, message, now));
    if let Some(message) = census.pods.iter().find_map(|p| fatal(job, p)) {
        return failure("PodFailurePolicy", &message);
    }
    if census.failed > backoff_limit(job) || restarts_exceed(job, &census.pods) {
        return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
    }
    if until_deadline(job, now).is_some_and(|left| left <= SignedDuration::ZERO) {
        return failure("DeadlineExceeded", "Job was active longer than specified deadline");
    }
    by_index(job, census, now)
}

/// How long the job may still run, if that is limited.
#[must_use]
pub fn until_deadline(job: &Job, now: Timestamp) -> Option<SignedDuration> {
    if is_suspended(job) {
        return None;
    }
    let started = job.status.as_ref()?.start_time.as_ref()?.0;
    let limit = SignedDuration::from_secs(spec::of(job).active_deadline_seconds?);
    Some(limit - now.duration_since(started))
}

/// That enough pods have ended well.
#[must_use]
pub fn reached(now: Timestamp) -> JobCondition {
    new(SUCCESS_CRITERIA_MET, "CompletionsReached", "Reached expected number of succeeded pods", now)
}

fn by_index(job: &Job, census: &Census, now: Timestamp) -> Option<JobCondition> {
    if !is_indexed(job) {
        return None;
    }
    let failure = |reason: &str, message: &str| Some(new(FAILURE_TARGET, reason, message, now));
    let lost = census.lost.as_ref().map_or(0, super::indexes::Indexes::total);
    if spec::of(job).max_failed_indexes.is_some_and(|most| lost > most) {
        return failure("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
    }
    if lost > 0 && lost + census.done.total() >= completions(job) {
        return failure("FailedIndexes", "Job has failed indexes");
    }
    policy::success(job, &census.done).map(|message| new(SUCCESS_CRITERIA_MET, "SuccessPolicy", &message, now))
}

fn fatal(job: &Job, pod: &Arc<Pod>) -> Option<String> {
    match Action::of(job, pod) {
        Action::FailJob(message) if has_failed(job, pod) => Some(message),
        _ => None,
    }
}

/// Containers that restart in their pods count by their restarts.
fn restarts_exceed(job: &Job, pods: &[Arc<Pod>]) -> bool {
    let spec = spec::of(job).template.spec.as_ref();
    if spec.and_then(|s| s.restart_policy.as_deref()) != Some("OnFailure") {
        return false;
    }
    let running = pods.iter().filter(|p| matches!(phase(p), "Running" | "Pending"));
    let statuses = running.filter_map(|p| p.status.as_ref());
    let containers = statuses.flat_map(|s| {
        s.init_container_statuses.iter().flatten().chain(s.container_statuses.iter().flatten())
    });
    let restarts: i32 = containers.map(|c| c.restart_count).sum();
    restarts > 0 && restarts >= backoff_limit(job)
}

#[cfg(test)]
mod tests {
    use super::super::census::Uids;
    use super::super::fixtures::{edit, at, indexed, job, pod};
    use super::*;
    use nakhoda_api::kinds::batch::JobStatus;
    use nakhoda_api::kinds::core::{ContainerStatus, PodSpec};
    use nakhoda_api::kinds::meta::Time;

    fn reason(job: &Job, pods: Vec<Arc<Pod>>) -> Option<String> {
        judge(job, &Census::new(job, pods, Uids::new()), at(60)).and_then(|c| c.reason)
    }

    #[test]
    fn a_job_fails_by_failures_restarts_or_time() {
        let mut job = job(2, 2);
        edit(&mut job).backoff_limit = Some(1);
        assert_eq!(reason(&job, vec![pod("a", "Failed")]), None);
        let too_many = Some("BackoffLimitExceeded".to_owned());
        assert_eq!(reason(&job, vec![pod("a", "Failed"), pod("b", "Failed")]), too_many);
        edit(&mut job).template.spec = Some(PodSpec { restart_policy: Some("OnFailure".into()), ..PodSpec::default() });
        let mut restarted = (*pod("c", "Running")).clone();
        let container = ContainerStatus { restart_count: 1, ..ContainerStatus::default() };
        restarted.status.as_mut().expect("set").container_statuses = Some(vec![container]);
        assert_eq!(reason(&job, vec![Arc::new(restarted)]), too_many);
        job.status = Some(JobStatus { start_time: Some(Time(at(0))), ..JobStatus::default() });
        edit(&mut job).active_deadline_seconds = Some(60);
        assert_eq!(reason(&job, vec![pod("d", "Running")]).as_deref(), Some("DeadlineExceeded"));
        edit(&mut job).suspend = Some(true);
        assert_eq!(reason(&job, vec![pod("d", "Running")]), None);
    }

    #[test]
    fn a_job_with_lost_indexes_fails_when_all_have_ended_or_too_many_are_lost() {
        let mut job = job(3, 3);
        (edit(&mut job).completion_mode, edit(&mut job).backoff_limit_per_index) = (Some("Indexed".into()), Some(0));
        edit(&mut job).backoff_limit = Some(i32::MAX);
        let mut pods = vec![indexed("a", "Failed", 0, 0), indexed("b", "Succeeded", 1, 0)];
        assert_eq!(reason(&job, pods.clone()), None);
        pods.push(indexed("c", "Failed", 2, 0));
        assert_eq!(reason(&job, pods.clone()).as_deref(), Some("FailedIndexes"));
        edit(&mut job).max_failed_indexes = Some(1);
        assert_eq!(reason(&job, pods).as_deref(), Some("MaxFailedIndexesExceeded"));
    }

    #[test]
    fn what_was_told_first_stays() {
        let mut job = job(1, 1);
        let told = vec![new(FAILURE_TARGET, "DeadlineExceeded", "late", at(0))];
        job.status = Some(JobStatus { conditions: Some(told), ..JobStatus::default() });
        let end = judge(&job, &Census::default(), at(1)).expect("it ends");
        assert_eq!((end.type_.as_str(), end.reason.as_deref()), ("Failed", Some("DeadlineExceeded")));
    }
}
