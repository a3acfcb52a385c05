//! Cron jobs: a job at each scheduled minute, and how many of the old ones stay.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::batch::{CronJob, CronJobStatus, Job};
use nakhoda_api::kinds::core::ObjectReference;
use nakhoda_api::kinds::meta::DeleteOptions;
use nakhoda_client::{Change, Informer, Key, Outcome, Queue, Reconcile, Recorder, Resource, Result, reference};

use crate::context::{Context, Watches};
use crate::pod_control::is_namespace_terminating;
use crate::replicator::by_controller;
use crate::seen::Seen;
use crate::told::Told;

pub mod history;
pub mod job;
pub mod plan;
pub mod times;

use plan::Decision;

const NAME: &str = "cronjob";
const WORKERS: usize = 5;
const BY_CONTROLLER: &str = "controller";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (crons, jobs) = (cx.informers.of::<CronJob>(), cx.informers.of::<Job>());
    jobs.add_index(BY_CONTROLLER, by_controller::<Job>);
    let mut watches = Watches::new(cx, NAME);
    let queue = watches.queue().clone();
    watches.on_change(&crons, move |change| changed(&queue, change, crate::clock::now()));
    watches.on(&jobs, |job: &Job| owner(job).into_iter().collect());
    let recorder = cx.recorder("cronjob-controller");
    watches.run(WORKERS, CronJobs { cx: cx.clone(), crons, jobs, recorder, seen: Seen::default() });
}

struct CronJobs {
    cx: Context,
    crons: Informer<CronJob>,
    jobs: Informer<Job>,
    recorder: Recorder,
    seen: Seen,
}

// === impl CronJobs ===

impl Reconcile for CronJobs {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(stored) = self.crons.get(key) else {
            self.seen.forget(key);
            return Ok(Outcome::Done);
        };
        if !self.seen.shows(&*stored) {
            return Ok(Outcome::Done);
        }
        let mut jobs = self.jobs.by_index(BY_CONTROLLER, stored.uid());
        let mut cron = (*stored).clone();
        for old in history::surplus(&cron, &jobs) {
            self.delete(&mut cron, &old).await?;
            jobs.retain(|job| job.uid() != old.uid());
        }
        let told = history::observe(&mut cron, &jobs);
        self.tell(&cron, told);
        self.look_for_missing(&mut cron, &jobs).await?;
        let outcome = self.run(&mut cron).await;
        self.write(&stored, &cron).await?;
        outcome
    }
}

impl CronJobs {
    /// Starts a job if its time has come.
    async fn run(&self, cron: &mut CronJob) -> Result<Outcome> {
        if cron.is_terminating() {
            return Ok(Outcome::Done);
        }
        let plan = plan::plan(cron, crate::clock::now());
        self.tell(cron, plan.told);
        match plan.decision {
            Decision::Rest => {}
            Decision::Start { at, replace } => {
                for active in replace {
                    self.replace(cron, &active).await?;
                }
                self.start(cron, at).await?;
            }
        }
        Ok(plan.again.map_or(Outcome::Done, after))
    }

    async fn start(&self, cron: &mut CronJob, at: Timestamp) -> Result<()> {
        let wanted = job::build(cron, at);
        let api = self.cx.client.namespaced::<Job>(cron.namespace());
        let made = match api.create(&wanted).await {
            Ok(made) => {
                let message = format!("Created job {}", made.name());
                self.tell(cron, vec![Told::normal("SuccessfulCreate", message)]);
                made
            }
            Err(error) if error.is_already_exists() => {
                let there = api.get(wanted.name()).await?;
                if there.controller().is_none_or(|o| o.uid != cron.uid()) || history::is_active(cron, there.uid()) {
                    return Ok(());
                }
                there
            }
            Err(error) => {
                if !is_namespace_terminating(&error) {
                    self.tell(cron, vec![Told::warning("FailedCreate", format!("Error creating job: {error}"))]);
                }
                return Err(error);
            }
        };
        let status = cron.status.get_or_insert_default();
        status.active.get_or_insert_default().push(reference(&made));
        status.last_schedule_time = Some(nakhoda_api::kinds::meta::Time(at));
        Ok(())
    }

    async fn replace(&self, cron: &mut CronJob, active: &ObjectReference) -> Result<()> {
        let name = active.name.as_deref().unwrap_or_default();
        match self.cx.client.namespaced::<Job>(cron.namespace()).get(name).await {
            Ok(job) => self.delete(cron, &job).await,
            Err(error) => {
                self.tell(cron, vec![Told::warning("FailedGet", format!("Get job: {error}"))]);
                Err(error)
            }
        }
    }

    async fn delete(&self, cron: &mut CronJob, job: &Job) -> Result<()> {
        let options =
            DeleteOptions { propagation_policy: Some("Background".into()), ..crate::pod_control::exactly(job) };
        match self.cx.client.namespaced::<Job>(job.namespace()).delete(job.name(), &options).await {
            Err(error) if !error.is_not_found() && !error.is_conflict() => {
                self.tell(cron, vec![Told::warning("FailedDelete", format!("Deleted job: {error}"))]);
                Err(error)
            }
            _ => {
                history::forget(cron, job.uid());
                self.tell(cron, vec![Told::normal("SuccessfulDelete", format!("Deleted job {}", job.name()))]);
                Ok(())
            }
        }
    }

    /// Active jobs that neither the cache nor the server has are no more.
    async fn look_for_missing(&self, cron: &mut CronJob, jobs: &[Arc<Job>]) -> Result<()> {
        let known: HashSet<&str> = jobs.iter().map(|j| j.uid()).collect();
        let active = cron.status.as_ref().and_then(|s| s.active.clone()).unwrap_or_default();
        for lost in active.iter().filter(|a| !known.contains(a.uid.as_deref().unwrap_or_default())) {
            let name = lost.name.as_deref().unwrap_or_default();
            match self.cx.client.namespaced::<Job>(cron.namespace()).get(name).await {
                Err(error) if error.is_not_found() => {
                    self.tell(cron, vec![Told::normal("MissingJob", format!("Active job went missing: {name}"))]);
                    history::forget(cron, lost.uid.as_deref().unwrap_or_default());
                }
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        Ok(())
    }

    async fn write(&self, stored: &CronJob, cron: &CronJob) -> Result<()> {
        let same = |a: &Option<CronJobStatus>, b: &Option<CronJobStatus>| {
            a.clone().unwrap_or_default() == b.clone().unwrap_or_default()
        };
        if same(&stored.status, &cron.status) {
            return Ok(());
        }
        match self.cx.client.namespaced::<CronJob>(cron.namespace()).update_status(cron).await {
            Err(error) if error.is_not_found() => Ok(()),
            outcome => outcome.map(|written| self.seen.wrote(&written)),
        }
    }

    fn tell(&self, cron: &CronJob, told: Vec<Told>) {
        told.into_iter().for_each(|told| told.about(cron, &self.recorder));
    }
}

/// A cron job with another schedule waits for its next time: what the new one would have missed does not
/// run.
fn changed(queue: &Queue<Key>, change: &Change<CronJob>, now: Timestamp) -> Vec<Key> {
    if let Change::Updated { old, new } = change
        && (&old.spec.schedule, &old.spec.time_zone) != (&new.spec.schedule, &new.spec.time_zone)
    {
        let wait = times::Clock::of(new).ok().and_then(|clock| times::until_next(new, &clock, now));
        if let Some(wait) = wait {
            queue.add_after(change.key(), Duration::try_from(wait).unwrap_or_default());
            return Vec::new();
        }
    }
    vec![change.key()]
}

fn owner(job: &Job) -> Option<Key> {
    let owner = job.controller().filter(|o| o.kind == "CronJob")?;
    Some(Key::new(job.namespace(), &owner.name))
}

fn after(wait: SignedDuration) -> Outcome {
    Outcome::After(Duration::try_from(wait).unwrap_or_default())
}
