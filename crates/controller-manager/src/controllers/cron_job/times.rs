//! When a cron job's schedule fires: the last time that was not run yet, and the next one.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use nakhoda_api::cron::{Schedule, zone};
use nakhoda_api::kinds::batch::CronJob;

use crate::told::Told;


/// More missed times than this are told.
const MANY: i64 = 100;
/// A little later than a scheduled time, so that it has come for certain.
const SLACK: SignedDuration = SignedDuration::from_millis(100);

/// A schedule and the time zone that it is read in.
pub struct Clock {
    schedule: Schedule,
    zone: TimeZone,
}

/// What a look at the schedule finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The last time that has come.
    pub at: Option<Timestamp>,
    /// Since when times count.
    pub since: Timestamp,
    /// How many have come.
    pub missed: i64,
}

// === impl Clock ===

impl Clock {
    /// The clock of a cron job, or what to tell about it.
    pub fn of(cron: &CronJob) -> Result<Self, Told> {
        let name = cron.spec.time_zone.as_deref().unwrap_or_default();
        let zone = zone::load(name)
            .map_err(|e| Told::warning("UnknownTimeZone", format!("invalid timeZone: {name:?}: {e}")))?;
        let text = &cron.spec.schedule;
        let schedule = Schedule::parse(text)
            .map_err(|e| Told::warning("UnparseableSchedule", format!("unparseable schedule: {text:?} : {e}")))?;
        Ok(Self { schedule, zone })
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.next(after, &self.zone)
    }
}

// === impl Due ===

impl Due {
    /// What has come since the last run, or since the cron job was made. With `deadline`, times that are
    /// too long ago do not count.
    #[must_use]
    pub fn of(cron: &CronJob, clock: &Clock, now: Timestamp, deadline: bool) -> Self {
        let last = cron.status.as_ref().and_then(|s| s.last_schedule_time.as_ref());
        let made = cron.metadata.creation_timestamp.as_ref();
        let mut since = last.or(made).map_or(now, |t| t.0);
        if let Some(seconds) = cron.spec.starting_deadline_seconds.filter(|_| deadline) {
            since = since.max(now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(since));
        }
        let none = Self { at: None, since, missed: 0 };
        let Some(first) = clock.next(since).filter(|first| *first <= now) else { return none };
        let Some(second) = clock.next(first).filter(|second| *second <= now) else {
            return Self { at: Some(first), since, missed: 1 };
        };
        let period = second.duration_since(first).as_secs().max(1);
        let missed = now.duration_since(first).as_secs() / period + 1;
        Self { at: latest(clock, first, period, missed, now), since, missed }
    }

    /// Whether more times were missed than is likely.
    #[must_use]
    pub const fn has_missed_many(&self) -> bool {
        self.missed > MANY
    }
}

/// How long it is until the schedule fires next.
#[must_use]
pub fn until_next(cron: &CronJob, clock: &Clock, now: Timestamp) -> Option<SignedDuration> {
    let due = Due::of(cron, clock, now, false);
    let from = due.at.unwrap_or(if due.missed == 0 { due.since } else { now });
    Some(clock.next(from)?.duration_since(now) + SLACK)
}

/// The last time that has come. A jump by the first period comes near it, so that a long sleep costs no
/// walk over all times.
fn latest(clock: &Clock, first: Timestamp, period: i64, missed: i64, now: Timestamp) -> Option<Timestamp> {
    let jump = SignedDuration::from_secs(period.saturating_mul(missed - 2));
    let mut at = None;
    let mut next = clock.next(first.saturating_add(jump).unwrap_or(first));
    while let Some(time) = next.filter(|time| *time <= now) {
        at = Some(time);
        next = clock.next(time);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{at, cron};
    use super::*;

    #[test]
    fn the_last_time_that_has_come_is_found_however_many_were_missed() {
        let cron = cron("*/10 * * * *");
        let clock = Clock::of(&cron).expect("valid");
        let table = [("00:05", None, 0), ("00:10", Some("00:10"), 1), ("00:19", Some("00:10"), 1), ("00:31", Some("00:30"), 3)];
        for (now, expected, missed) in table {
            let due = Due::of(&cron, &clock, at(now), true);
            assert_eq!((due.at, due.missed), (expected.map(at), missed), "{now}");
        }
        let due = Due::of(&cron, &clock, at("23:59"), true);
        assert!(due.has_missed_many() && due.at == Some(at("23:50")));
    }

    #[test]
    fn a_starting_deadline_forgets_what_is_too_long_ago() {
        let mut cron = cron("0 * * * *");
        cron.spec.starting_deadline_seconds = Some(60);
        let clock = Clock::of(&cron).expect("valid");
        assert_eq!(Due::of(&cron, &clock, at("03:05"), true).at, None);
        assert_eq!(Due::of(&cron, &clock, at("03:00"), true).at, Some(at("03:00")));
        assert_eq!(until_next(&cron, &clock, at("03:05")), Some(SignedDuration::from_mins(55) + SLACK));
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let reason = |cron: &CronJob| Clock::of(cron).err().map(|told| told.reason);
        let mut cron = cron("* * *");
        assert_eq!(reason(&cron), Some("UnparseableSchedule"));
        cron.spec.time_zone = Some("Mars/Base".into());
        assert_eq!(reason(&cron), Some("UnknownTimeZone"));
    }
}
