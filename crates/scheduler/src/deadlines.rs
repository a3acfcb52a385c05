//! [`Deadlines`]: by when pods have to start.
//!
//! A pod, or the PodGroup it belongs to, says so by annotations (RFC 3339 times, durations like `90s` or `2h30m`):
//!
//! - `nakhoda.dev/start-before`: it must have started by then.
//! - `nakhoda.dev/finish-before`: it must have ended by then, which takes it `nakhoda.dev/expected-duration` (0 if
//!   nothing is said).
//!
//! The pods of a Job with `activeDeadlineSeconds` must end before that is over. What counts is the latest moment at
//! which the pod can start: of pods of one priority the one whose moment comes first goes first. That is earliest
//! deadline first, and least laxity where durations are told. A gang has the moment of its most urgent member.
//!
//! Who has no deadline is treated as if it had to start [`PATIENCE`] after it was queued, and who can no longer meet
//! its own likewise. So whoever waits is overtaken only by pods that came before its own moment: nobody starves.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::meta::ObjectMeta;

/// Must have started by then.
pub const START: &str = "nakhoda.dev/start-before";
/// Must have ended by then.
pub const FINISH: &str = "nakhoda.dev/finish-before";
/// How long it runs.
pub const DURATION: &str = "nakhoda.dev/expected-duration";
/// The time that a pod without a deadline has.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// An annotation that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("annotation {annotation}: {value:?} is not {wanted}")]
pub struct Malformed {
    annotation: &'static str,
    value: String,
    wanted: &'static str,
}

/// What an object says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    start: Option<Timestamp>,
    finish: Option<Timestamp>,
    duration: SignedDuration,
}

/// When Jobs end, and which pods that wait have to start when.
#[derive(Debug, Default)]
pub struct Deadlines {
    jobs: HashMap<String, Timestamp>,
    of: HashMap<String, Timestamp>,
    order: BTreeSet<(Timestamp, String)>,
}

// === impl Wish ===

impl Wish {
    /// Reads annotations.
    pub fn read(metadata: &ObjectMeta) -> Result<Self, Malformed> {
        let Some(annotations) = &metadata.annotations else { return Ok(Self::default()) };
        Ok(Self {
            start: parse(annotations, START, "an RFC 3339 time")?,
            finish: parse(annotations, FINISH, "an RFC 3339 time")?,
            duration: parse(annotations, DURATION, "a duration")?.unwrap_or_default(),
        })
    }

    /// The latest moment to start, with another wish about the same pod, and the end of its Job.
    #[must_use]
    pub fn latest_start(self, other: Self, end: Option<Timestamp>) -> Option<Timestamp> {
        let duration = self.duration.max(other.duration);
        let early = |end: Timestamp| end.checked_sub(duration).unwrap_or(Timestamp::MIN);
        let starts = [self.start, other.start];
        let ends = [self.finish, other.finish, end].map(|end| end.map(early));
        starts.into_iter().chain(ends).flatten().min()
    }
}

// === impl Deadlines ===

impl Deadlines {
    /// A Job is new or has changed. Says whether that moves its end.
    pub fn set_job(&mut self, uid: &str, job: &Job) -> bool {
        match end(job) {
            Some(end) => self.jobs.insert(uid.into(), end) != Some(end),
            None => self.jobs.remove(uid).is_some(),
        }
    }

    /// A Job is gone.
    pub fn remove_job(&mut self, uid: &str) {
        self.jobs.remove(uid);
    }

    /// When the Job of this UID must be over.
    #[must_use]
    pub fn end_of(&self, uid: &str) -> Option<Timestamp> {
        self.jobs.get(uid).copied()
    }

    /// A pod waits, and has to start by then.
    pub fn set(&mut self, uid: &str, latest: Option<Timestamp>) {
        self.remove(uid);
        if let Some(latest) = latest {
            self.of.insert(uid.into(), latest);
            self.order.insert((latest, uid.into()));
        }
    }

    /// A pod waits no longer.
    pub fn remove(&mut self, uid: &str) {
        if let Some(latest) = self.of.remove(uid) {
            self.order.remove(&(latest, uid.to_owned()));
        }
    }

    /// When the next pod will have waited too long.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.order.first().map(|(latest, _)| *latest)
    }

    /// A pod that has waited too long, each told once.
    pub fn missed(&mut self, now: Timestamp) -> Option<(String, Timestamp)> {
        let (latest, uid) = self.order.first().filter(|(latest, _)| *latest < now).cloned()?;
        self.order.remove(&(latest, uid.clone()));
        Some((uid, latest))
    }
}

fn parse<T: std::str::FromStr>(
    annotations: &BTreeMap<String, String>,
    annotation: &'static str,
    wanted: &'static str,
) -> Result<Option<T>, Malformed> {
    let Some(value) = annotations.get(annotation) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| Malformed { annotation, value: value.clone(), wanted })
}

fn end(job: &Job) -> Option<Timestamp> {
    let seconds = job.spec.as_ref()?.active_deadline_seconds?;
    let started = job.status.as_ref()?.start_time.as_ref()?;
    started.0.checked_add(SignedDuration::from_secs(seconds)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn wish(annotations: &serde_json::Value) -> Result<Wish, Malformed> {
        let metadata = json!({"annotations": annotations});
        Wish::read(&serde_json::from_value(metadata).expect("metadata"))
    }

    #[test]
    fn what_counts_is_the_latest_moment_to_start() {
        let own = wish(&json!({FINISH: "2026-01-01T10:00:00Z", DURATION: "2h30m"})).expect("valid");
        let group = wish(&json!({START: "2026-01-01T09:00:00Z"})).expect("valid");
        assert_eq!(own.latest_start(Wish::default(), None), Some(time("2026-01-01T07:30:00Z")));
        assert_eq!(group.latest_start(Wish::default(), None), Some(time("2026-01-01T09:00:00Z")));
        let end = Some(time("2026-01-01T08:00:00Z"));
        assert_eq!(own.latest_start(group, end), Some(time("2026-01-01T05:30:00Z")));
        assert_eq!(Wish::default().latest_start(Wish::default(), None), None);
        let told = wish(&json!({START: "soon"})).expect_err("malformed").to_string();
        assert_eq!(told, "annotation nakhoda.dev/start-before: \"soon\" is not an RFC 3339 time");
    }

    #[test]
    fn a_job_ends_so_many_seconds_after_its_start() {
        let job = |start: Option<&str>| {
            let job = json!({"spec": {"activeDeadlineSeconds": 60, "template": {}}, "status": {"startTime": start}});
            serde_json::from_value::<Job>(job).expect("a job")
        };
        let mut deadlines = Deadlines::default();
        assert!(!deadlines.set_job("j", &job(None)));
        assert!(deadlines.set_job("j", &job(Some("2026-01-01T00:00:00Z"))));
        assert!(!deadlines.set_job("j", &job(Some("2026-01-01T00:00:00Z"))));
        assert_eq!(deadlines.end_of("j"), Some(time("2026-01-01T00:01:00Z")));
    }

    #[test]
    fn a_missed_deadline_is_told_once() {
        let mut deadlines = Deadlines::default();
        let (early, late) = (time("2026-01-01T00:00:00Z"), time("2026-01-01T00:00:09Z"));
        deadlines.set("a", Some(early));
        deadlines.set("b", Some(late));
        assert_eq!((deadlines.next(), deadlines.missed(early)), (Some(early), None));
        assert_eq!(deadlines.missed(late), Some(("a".to_owned(), early)));
        assert_eq!((deadlines.missed(late), deadlines.next()), (None, Some(late)));
    }
}
