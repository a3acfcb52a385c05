//! What a cron job's jobs have come to, and which of them go.

use std::sync::Arc;

use nakhoda_api::kinds::batch::{CronJob, Job};
use nakhoda_api::kinds::meta::Time;
use nakhoda_client::Resource;

use crate::controllers::job::condition::{COMPLETE, FAILED, holding};
use crate::told::Told;

/// The jobs beyond the limits, of each kind of end the oldest.
#[must_use]
pub fn surplus(cron: &CronJob, jobs: &[Arc<Job>]) -> Vec<Arc<Job>> {
    let limits = [
        (COMPLETE, cron.spec.successful_jobs_history_limit),
        (FAILED, cron.spec.failed_jobs_history_limit),
    ];
    let mut surplus = Vec::new();
    for (end, limit) in limits {
        let Some(limit) = limit.and_then(|l| usize::try_from(l).ok()) else { continue };
        let mut ended: Vec<_> = jobs.iter().filter(|j| end_of(j) == Some(end)).cloned().collect();
        ended.sort_by(|a, b| started(a).cmp(&started(b)));
        ended.truncate(ended.len().saturating_sub(limit));
        surplus.extend(ended);
    }
    surplus
}

/// Takes jobs that have ended off the active list, and notes the last success.
pub fn observe(cron: &mut CronJob, jobs: &[Arc<Job>]) -> Vec<Told> {
    let mut told = Vec::new();
    for job in jobs {
        let active = is_active(cron, job.uid());
        match end_of(job) {
            None if !active => {
                let message = format!("Saw a job that the controller did not create or forgot: {}", job.name());
                told.push(Told::warning("UnexpectedJob", message));
            }
            Some(end) if active => {
                forget(cron, job.uid());
                let message = format!("Saw completed job: {}, condition: {end}", job.name());
                told.push(Told::normal("SawCompletedJob", message));
            }
            _ => {}
        }
        note_success(cron, job);
    }
    told
}

/// Whether a job is on the active list.
#[must_use]
pub fn is_active(cron: &CronJob, uid: &str) -> bool {
    let active = cron.status.as_ref().and_then(|s| s.active.as_ref());
    active.into_iter().flatten().any(|a| a.uid.as_deref() == Some(uid))
}

/// Takes a job off the active list.
pub fn forget(cron: &mut CronJob, uid: &str) {
    let Some(status) = &mut cron.status else { return };
    let active = status.active.take().into_iter().flatten().filter(|a| a.uid.as_deref() != Some(uid));
    status.active = Some(active.collect()).filter(|a: &Vec<_>| !a.is_empty());
}

/// How a job has ended, if it has.
fn end_of(job: &Job) -> Option<&'static str> {
    [COMPLETE, FAILED].into_iter().find(|end| holding(job, end).is_some())
}

fn note_success(cron: &mut CronJob, job: &Job) {
    if end_of(job) != Some(COMPLETE) {
        return;
    }
    let Some(completed) = job.status.as_ref().and_then(|s| s.completion_time.clone()) else { return };
    let last = &mut cron.status.get_or_insert_default().last_successful_time;
    if last.as_ref().is_none_or(|last: &Time| last.0 < completed.0) {
        *last = Some(completed);
    }
}

/// Jobs that have not started come last.
fn started(job: &Job) -> (bool, Option<jiff::Timestamp>, &str) {
    let start = job.status.as_ref().and_then(|s| s.start_time.as_ref()).map(|t| t.0);
    (start.is_none(), start, job.name())
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{at, cron};
    use super::*;
    use nakhoda_api::kinds::batch::{JobCondition, JobStatus};
    use nakhoda_api::kinds::core::ObjectReference;

    fn job(name: &str, end: Option<&str>, time: &str) -> Arc<Job> {
        let condition = end.map(|type_| JobCondition {
            type_: type_.into(),
            status: "True".into(),
            ..JobCondition::default()
        });
        let mut job = Job::default();
        (job.metadata.name, job.metadata.uid) = (Some(name.into()), Some(name.into()));
        job.status = Some(JobStatus {
            start_time: Some(Time(at(time))),
            completion_time: (end == Some(COMPLETE)).then(|| Time(at(time))),
            conditions: condition.map(|c| vec![c]),
            ..JobStatus::default()
        });
        Arc::new(job)
    }

    #[test]
    fn the_oldest_of_each_end_go_beyond_its_limit() {
        let mut cron = cron("* * * * *");
        (cron.spec.successful_jobs_history_limit, cron.spec.failed_jobs_history_limit) = (Some(1), Some(0));
        let jobs = [
            job("c", Some(COMPLETE), "00:03"),
            job("a", Some(COMPLETE), "00:01"),
            job("f", Some(FAILED), "00:02"),
            job("r", None, "00:04"),
        ];
        let names: Vec<_> = surplus(&cron, &jobs).iter().map(|j| j.name().to_owned()).collect();
        assert_eq!(names, ["a", "f"]);
    }

    #[test]
    fn ended_jobs_leave_the_active_list_and_successes_are_remembered() {
        let mut cron = cron("* * * * *");
        let active = ["a", "r"].map(|uid| ObjectReference { uid: Some(uid.into()), ..ObjectReference::default() });
        cron.status.get_or_insert_default().active = Some(active.to_vec());
        let jobs = [job("a", Some(COMPLETE), "00:05"), job("r", None, "00:06"), job("x", None, "00:07")];
        let reasons: Vec<_> = observe(&mut cron, &jobs).iter().map(|t| t.reason).collect();
        assert_eq!(reasons, ["SawCompletedJob", "UnexpectedJob"]);
        assert!(!is_active(&cron, "a") && is_active(&cron, "r"));
        assert_eq!(cron.status.expect("set").last_successful_time, Some(Time(at("00:05"))));
    }
}
