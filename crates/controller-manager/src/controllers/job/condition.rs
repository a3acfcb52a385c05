//! The conditions of a job. It ends in two steps: first what will become of it, then, once its pods
//! have gone and are counted, that it has.

use jiff::Timestamp;
use nakhoda_api::kinds::batch::{Job, JobCondition};
use nakhoda_api::kinds::meta::Time;

/// It will have failed.
pub const FAILURE_TARGET: &str = "FailureTarget";
/// It will be complete.
pub const SUCCESS_CRITERIA_MET: &str = "SuccessCriteriaMet";
/// It has failed.
pub const FAILED: &str = "Failed";
/// It is complete.
pub const COMPLETE: &str = "Complete";
/// It does not run now.
pub const SUSPENDED: &str = "Suspended";

/// A condition that is true.
#[must_use]
pub fn new(type_: &str, reason: &str, message: &str, now: Timestamp) -> JobCondition {
    with_status(type_, "True", reason, message, now)
}

/// The condition of a type.
#[must_use]
pub fn find<'a>(job: &'a Job, type_: &str) -> Option<&'a JobCondition> {
    job.status.as_ref()?.conditions.iter().flatten().find(|c| c.type_ == type_)
}

/// The condition of a type, if it is true.
#[must_use]
pub fn holding<'a>(job: &'a Job, type_: &str) -> Option<&'a JobCondition> {
    find(job, type_).filter(|c| c.status == "True")
}

/// Whether the job has ended.
#[must_use]
pub fn is_finished(job: &Job) -> bool {
    holding(job, COMPLETE).or_else(|| holding(job, FAILED)).is_some()
}

/// Whether the job succeeds, or has.
#[must_use]
pub fn is_success(condition: &JobCondition) -> bool {
    [SUCCESS_CRITERIA_MET, COMPLETE].contains(&condition.type_.as_str())
}

/// What a first step leads to.
#[must_use]
pub fn end_of(target: &JobCondition, now: Timestamp) -> JobCondition {
    let type_ = if is_success(target) { COMPLETE } else { FAILED };
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    new(type_, &text(&target.reason), &text(&target.message), now)
}

/// Sets a condition; one that is not there and would be false is left out. Whether anything changed.
pub fn set(all: &mut Option<Vec<JobCondition>>, next: JobCondition) -> bool {
    let all = all.get_or_insert_default();
    match all.iter_mut().find(|c| c.type_ == next.type_) {
        Some(old) if (&old.status, &old.reason, &old.message) == (&next.status, &next.reason, &next.message) => false,
        Some(old) => {
            *old = next;
            true
        }
        None if next.status == "False" => false,
        None => {
            all.push(next);
            true
        }
    }
}

/// Whether the job runs, as a condition.
#[must_use]
pub fn suspension(suspended: bool, now: Timestamp) -> JobCondition {
    if suspended {
        with_status(SUSPENDED, "True", "JobSuspended", "Job suspended", now)
    } else {
        with_status(SUSPENDED, "False", "JobResumed", "Job resumed", now)
    }
}

fn with_status(type_: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> JobCondition {
    JobCondition {
        type_: type_.into(),
        status: status.into(),
        reason: Some(reason.into()),
        message: Some(message.into()),
        last_probe_time: Some(Time(now)),
        last_transition_time: Some(Time(now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_changes_only_if_it_says_something_else() {
        let (mut all, now) = (None, Timestamp::UNIX_EPOCH);
        assert!(!set(&mut all, suspension(false, now)));
        assert!(set(&mut all, suspension(true, now)) && !set(&mut all, suspension(true, Timestamp::MAX)));
        assert!(set(&mut all, suspension(false, now)));
        let end = end_of(&new(FAILURE_TARGET, "DeadlineExceeded", "late", now), now);
        assert_eq!((end.type_.as_str(), end.reason.as_deref()), (FAILED, Some("DeadlineExceeded")));
        assert_eq!(end_of(&new(SUCCESS_CRITERIA_MET, "SuccessPolicy", "", now), now).type_, COMPLETE);
    }
}
