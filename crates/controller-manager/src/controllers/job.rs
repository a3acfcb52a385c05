//! Jobs: pods that run to their end, so many at once and so many in all, each counted exactly once.
//!
//! A pass deletes or makes pods, then tells the pods that have ended. It acts only when the cache shows
//! all that was asked for before. Absent: the Workload and PodGroup of a job's `scheduling` field.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::batch::{Job, JobCondition, JobStatus};
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::Time;
use nakhoda_client::expect::Ledger;
use nakhoda_client::{EventType, Informer, Key, Outcome, Reconcile, Resource, Result, reference};

use crate::claim::Claims;
use crate::context::{Context, Watches};
use crate::dependents::affected;
use crate::pod_control::PodControl;
use crate::replicator::by_controller;
use crate::selector::{Labels, matches};
use crate::share::nonzero;

pub mod act;
pub mod backoff;
pub mod census;
pub mod condition;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod indexes;
pub mod manage;
pub mod memory;
pub mod orphans;
pub mod pod;
pub mod policy;
pub mod spec;
pub mod track;
pub mod verdict;

use act::{Actor, Counts};
use backoff::Record;
use census::Census;
use memory::Memory;
use spec::is_suspended;
use track::Tracking;

const NAME: &str = "job";
const WORKERS: usize = 5;
const BY_CONTROLLER: &str = "controller";
/// When what is owed is written off: a little later than the ledger does.
const OVERDUE: Duration = Duration::from_secs(301);

/// Starts the controller.
pub fn start(cx: &Context) {
    let (jobs, pods) = (cx.informers.of::<Job>(), cx.informers.of::<Pod>());
    pods.add_index(BY_CONTROLLER, by_controller::<Pod>);
    let ledger = Ledger::default();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&jobs, |job: &Job| vec![Key::of(job)]);
    let (all, seen) = (jobs.clone(), ledger.clone());
    watches.on_change(&pods, move |change| affected(&all, &seen, change, selects));
    let recorder = cx.recorder("job-controller");
    let control = PodControl::new(cx.client.clone(), recorder.clone());
    let actor = Actor { client: cx.client.clone(), recorder, control, ledger, memory: Memory::default() };
    watches.run(WORKERS, Jobs { jobs: jobs.clone(), pods: pods.clone(), actor });
    orphans::start(cx, jobs, pods);
}

struct Jobs {
    jobs: Informer<Job>,
    pods: Informer<Pod>,
    actor: Actor,
}

/// What a pass knows.
struct Pass<'a> {
    key: &'a Key,
    job: &'a Job,
    census: Census,
    record: Record,
    now: Timestamp,
}

// === impl Jobs ===

impl Reconcile for Jobs {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(job) = self.jobs.get(key).filter(|job| !condition::is_finished(job)) else {
            self.actor.memory.forget(key);
            return Ok(Outcome::Done);
        };
        if spec::is_foreign(&job) {
            return Ok(Outcome::Done);
        }
        if !spec::has_known_mode(&job) {
            let message = "Skipped Job sync because completion mode is unknown";
            self.actor.recorder.event(&reference(&*job), EventType::Warning, "UnknownCompletionMode", message);
            return Ok(Outcome::Done);
        }
        if !self.actor.ledger.settled(key) {
            return Ok(Outcome::After(OVERDUE));
        }
        let pods = self.claim(&job).await?;
        let Some(notes) = self.actor.memory.recall(key, &job, &pods) else { return Ok(Outcome::Done) };
        let census = Census::new(&job, pods, notes.released);
        let record = notes.record.after(&census.new_succeeded, &census.new_failed);
        match self.sync(Pass { key, job: &job, census, record, now: crate::clock::now() }).await {
            Err(error) if error.is_not_found() => Ok(Outcome::Done),
            outcome => outcome,
        }
    }
}

impl Jobs {
    async fn claim(&self, job: &Arc<Job>) -> Result<Vec<Arc<Pod>>> {
        let orphans = self.pods.by_index(BY_CONTROLLER, &format!("{}/", job.namespace()));
        let candidates = self.pods.by_index(BY_CONTROLLER, job.uid()).into_iter().chain(orphans);
        let mut claims = Claims::plan(&**job, candidates, |labels| selects(job, labels));
        claims.finalizer = Some(pod::TRACKING);
        claims.execute(&self.actor.client, &**job).await
    }

    async fn sync(&self, pass: Pass<'_>) -> Result<Outcome> {
        let Pass { key, job, census, record, now } = &pass;
        let mut job_now = (*job).clone();
        let mut status = begin(job, *now);
        job_now.status = Some(status.clone());
        let mut counts = Counts::of(census);
        let deadline = verdict::until_deadline(&job_now, *now);
        let mut verdict = verdict::judge(&job_now, census, *now);
        let acted = if verdict.is_some() {
            let stopped = self.actor.stop(key, job, &census.active, &mut counts).await;
            verdict = verdict.filter(|_| stopped.is_ok());
            stopped.map(|()| None)
        } else {
            self.go_on(&pass, &mut status, &mut counts, &mut verdict).await
        };
        (status.active, status.ready) = (nonzero(counts.active), Some(counts.ready));
        status.terminating = Some(counts.terminating);
        let tracking = Tracking::new(job, census, status, verdict, *now);
        self.actor.track(key, job, tracking, *record, counts.terminating).await?;
        Ok(later(acted?.into_iter().chain(deadline).min()))
    }

    /// Brings a job that has not come to its end on its way.
    async fn go_on(
        &self,
        pass: &Pass<'_>,
        status: &mut JobStatus,
        counts: &mut Counts,
        verdict: &mut Option<JobCondition>,
    ) -> Result<Option<SignedDuration>> {
        let Pass { key, job, census, record, now } = pass;
        let step = if job.is_terminating() { manage::Step::Rest } else { manage::plan(job, census, *record, *now) };
        let acted = self.actor.manage(key, job, step, counts).await;
        let enough = spec::of(job).completions.map_or(census.succeeded > 0, |c| census.succeeded >= c);
        if enough && counts.active == 0 {
            *verdict = Some(verdict::reached(*now));
        } else if !job.is_terminating() && condition::set(&mut status.conditions, suspension(job, *now)) {
            let (reason, start) =
                if is_suspended(job) { ("Suspended", None) } else { ("Resumed", Some(Time(*now))) };
            status.start_time = start;
            let message = format!("Job {}", reason.to_lowercase());
            self.actor.recorder.event(&reference(*job), EventType::Normal, reason, message);
        }
        acted
    }
}

/// Whether the labels are of a pod of the job.
#[must_use]
pub fn selects(job: &Job, labels: Option<&Labels>) -> bool {
    spec::of(job).selector.as_ref().is_some_and(|s| matches(s, labels))
}

fn suspension(job: &Job, now: Timestamp) -> JobCondition {
    condition::suspension(is_suspended(job), now)
}

/// The status of a job that has started, if it may.
fn begin(job: &Job, now: Timestamp) -> JobStatus {
    let mut status = job.status.clone().unwrap_or_default();
    if status.start_time.is_none() && !is_suspended(job) {
        status.start_time = Some(Time(now));
    }
    status
}

fn later(wait: Option<SignedDuration>) -> Outcome {
    let wait = wait.map(|w| Duration::try_from(w).unwrap_or_default() + Duration::from_millis(10));
    wait.map_or(Outcome::Done, Outcome::After)
}
