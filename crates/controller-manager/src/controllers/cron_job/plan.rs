//! Whether a cron job starts a job now.

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::batch::CronJob;
use nakhoda_api::kinds::core::ObjectReference;

use super::job;
use super::times::{Clock, Due, until_next};
use crate::told::Told;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nothing.
    Rest,
    /// Start the job of a time; before it these are deleted.
    Start {
        /// The scheduled time.
        at: Timestamp,
        /// Active jobs that it takes the place of.
        replace: Vec<ObjectReference>,
    },
}

/// What to do, what to tell, and when to look again.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What to do.
    pub decision: Decision,
    /// What to tell.
    pub told: Vec<Told>,
    /// When the schedule fires next.
    pub again: Option<SignedDuration>,
}

/// Looks at the schedule.
#[must_use]
pub fn plan(cron: &CronJob, now: Timestamp) -> Plan {
    let rest = |told: Vec<Told>, again| Plan { decision: Decision::Rest, told, again };
    if cron.spec.suspend == Some(true) {
        return rest(Vec::new(), None);
    }
    let clock = match Clock::of(cron) {
        Ok(clock) => clock,
        Err(told) => return rest(vec![told], None),
    };
    let again = until_next(cron, &clock, now);
    let due = Due::of(cron, &clock, now, true);
    let Some(at) = due.at else { return rest(Vec::new(), again) };
    let mut told = Vec::new();
    if due.has_missed_many() {
        let message =
            "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        told.push(Told::warning("TooManyMissedTimes", message));
    }
    let decision = match start(cron, at, now) {
        Ok(decision) => decision,
        Err(reason) => {
            told.push(reason);
            Decision::Rest
        }
    };
    Plan { decision, told, again }
}

/// Starts the job of a time, unless something forbids it.
fn start(cron: &CronJob, at: Timestamp, now: Timestamp) -> Result<Decision, Told> {
    let late = now.duration_since(at);
    if cron.spec.starting_deadline_seconds.is_some_and(|most| late > SignedDuration::from_secs(most)) {
        let time = at.strftime("%a, %d %b %Y %H:%M:%S +0000");
        return Err(Told::warning("MissSchedule", format!("Missed scheduled time to start a job: {time}")));
    }
    let status = cron.status.clone().unwrap_or_default();
    let active = status.active.unwrap_or_default();
    let name = job::name(cron, at);
    let done = status.last_schedule_time.is_some_and(|last| last.0 == at);
    if done || active.iter().any(|a| a.name.as_ref() == Some(&name)) {
        return Ok(Decision::Rest);
    }
    match cron.spec.concurrency_policy.as_deref() {
        Some("Forbid") if !active.is_empty() => {
            let message = "Not starting job because prior execution is running and concurrency policy is Forbid";
            Err(Told::normal("JobAlreadyActive", message))
        }
        Some("Replace") => Ok(Decision::Start { at, replace: active }),
        _ => Ok(Decision::Start { at, replace: Vec::new() }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use nakhoda_api::kinds::meta::Time;

    /// A time of a day in 2026.
    pub(crate) fn at(time: &str) -> Timestamp {
        format!("2026-01-15T{time}:00Z").parse().expect("a time")
    }

    /// A cron job called `tick`, made at midnight.
    pub(crate) fn cron(schedule: &str) -> CronJob {
        let mut cron = CronJob::default();
        cron.metadata.name = Some("tick".into());
        cron.metadata.creation_timestamp = Some(Time(at("00:00")));
        cron.spec.schedule = schedule.into();
        cron
    }

    fn reasons(cron: &CronJob, now: &str) -> (bool, Vec<&'static str>) {
        let plan = plan(cron, at(now));
        (plan.decision != Decision::Rest, plan.told.iter().map(|t| t.reason).collect())
    }

    #[test]
    fn a_job_starts_once_at_its_time() {
        let mut cron = cron("30 * * * *");
        assert_eq!(reasons(&cron, "00:29"), (false, vec![]));
        assert_eq!(plan(&cron, at("00:30")).decision, Decision::Start { at: at("00:30"), replace: vec![] });
        cron.status.get_or_insert_default().last_schedule_time = Some(Time(at("00:30")));
        assert_eq!(reasons(&cron, "00:31"), (false, vec![]));
        cron.spec.suspend = Some(true);
        assert_eq!(reasons(&cron, "01:30"), (false, vec![]));
    }

    #[test]
    fn a_running_job_holds_up_or_gives_way_to_the_next_as_the_policy_says() {
        let mut cron = cron("*/5 * * * *");
        let running = ObjectReference { name: Some("tick-1".into()), ..ObjectReference::default() };
        cron.status.get_or_insert_default().active = Some(vec![running.clone()]);
        let table = [("Allow", true, vec![]), ("Forbid", false, vec!["JobAlreadyActive"]), ("Replace", true, vec![])];
        for (policy, starts, told) in table {
            cron.spec.concurrency_policy = Some(policy.into());
            assert_eq!(reasons(&cron, "00:05"), (starts, told), "{policy}");
        }
        assert_eq!(plan(&cron, at("00:05")).decision, Decision::Start { at: at("00:05"), replace: vec![running] });
    }

    #[test]
    fn the_last_of_many_missed_times_still_runs_and_is_told() {
        assert_eq!(reasons(&cron("* * * * *"), "05:00"), (true, vec!["TooManyMissedTimes"]));
    }
}
