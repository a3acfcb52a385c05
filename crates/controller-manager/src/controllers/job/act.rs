//! What the job controller writes.

use std::sync::Arc;

use futures::future::join_all;
use jiff::SignedDuration;
use nakhoda_api::kinds::batch::{Job, JobCondition, JobStatus};
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::expect::Ledger;
use nakhoda_client::{Client, EventType, Key, Recorder, Resource, Result, reference};

use super::backoff::Record;
use super::census::Census;
use super::condition::{COMPLETE, is_finished};
use super::manage::{Slot, Step};
use super::memory::Memory;
use super::pod::{TRACKING, build, is_tracked};
use super::spec;
use super::track::{Tracking, finish, settle};
use crate::finalizers;
use crate::pod_control::PodControl;
use crate::pods::is_ready;

/// Writes on behalf of jobs.
pub struct Actor {
    /// Where to.
    pub client: Client,
    /// Tells people.
    pub recorder: Recorder,
    /// Makes and deletes pods.
    pub control: PodControl,
    /// What was asked for and not seen yet.
    pub ledger: Ledger,
    /// What to remember.
    pub memory: Memory,
}

/// The pods that run, as the status counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Those that run or will.
    pub active: i32,
    /// Those of them that are ready.
    pub ready: i32,
    /// Those that are going.
    pub terminating: i32,
}

// === impl Counts ===

impl Counts {
    /// The counts of a census.
    #[must_use]
    pub fn of(census: &Census) -> Self {
        let ready = census.active.iter().filter(|p| is_ready(p)).count();
        Self { active: number(census.active.len()), ready: number(ready), terminating: census.terminating }
    }

    fn delete(&mut self, pods: &[Arc<Pod>]) {
        let (all, ready) = (number(pods.len()), number(pods.iter().filter(|p| is_ready(p)).count()));
        self.active -= all;
        self.ready -= ready;
        self.terminating += all;
    }
}

// === impl Actor ===

impl Actor {
    /// Deletes the pods of a job that ends; they are counted when they are released.
    pub async fn stop(&self, key: &Key, job: &Job, pods: &[Arc<Pod>], counts: &mut Counts) -> Result<()> {
        self.control.delete_all(&self.ledger, key, job, pods).await?;
        counts.delete(pods);
        Ok(())
    }

    /// Makes or deletes pods. When to come back, if there is something to wait for.
    pub async fn manage(
        &self,
        key: &Key,
        job: &Job,
        step: Step,
        counts: &mut Counts,
    ) -> Result<Option<SignedDuration>> {
        match step {
            Step::Rest => Ok(None),
            Step::Wait(wait) => Ok(Some(wait)),
            Step::Delete(pods) => {
                self.release(key, &pods).await?;
                self.control.delete_all(&self.ledger, key, job, &pods).await?;
                counts.delete(&pods);
                Ok(None)
            }
            Step::Create(slots) => {
                let pods: Vec<Pod> = slots.iter().map(|Slot { index, failures }| build(job, *index, *failures)).collect();
                let pods: Vec<&Pod> = pods.iter().collect();
                let (made, outcome) = self.control.create_all(&self.ledger, key, job, &pods).await;
                counts.active += number(made);
                outcome.map(|()| None)
            }
        }
    }

    /// Writes what a pass tells; takes finalizers in between.
    pub async fn track(
        &self,
        key: &Key,
        job: &Job,
        tracking: Tracking,
        record: Record,
        terminating: i32,
    ) -> Result<()> {
        let Tracking { status, changed, release, mut waiting, end } = tracking;
        let written = if changed { self.write(key, job, status, record).await? } else { job.clone() };
        let released = self.release(key, &release).await;
        if released.is_ok() {
            waiting.retain(|uid| !release.iter().any(|p| p.uid() == uid));
        }
        let mut status = written.status.clone().unwrap_or_default();
        let settled = settle(&mut status, &waiting);
        let end = end.filter(|end| released.is_ok() && finish(&mut status, end, terminating));
        if settled || end.is_some() {
            let job = self.write(key, &written, status, record).await?;
            end.iter().for_each(|end| self.tell_end(&job, end));
        }
        released
    }

    /// Takes the finalizers of pods; the first failure.
    async fn release(&self, key: &Key, pods: &[Arc<Pod>]) -> Result<()> {
        let tracked = pods.iter().filter(|p| is_tracked(p));
        let outcomes = join_all(tracked.map(|pod| async {
            finalizers::remove(&self.client, &**pod, TRACKING).await.inspect(|()| self.memory.released(key, pod.uid()))
        }));
        outcomes.await.into_iter().collect()
    }

    async fn write(&self, key: &Key, job: &Job, status: JobStatus, record: Record) -> Result<Job> {
        let next = Job { status: Some(status), ..job.clone() };
        let written = self.client.namespaced::<Job>(job.namespace()).update_status(&next).await?;
        self.memory.wrote(key, &written, record);
        Ok(written)
    }

    fn tell_end(&self, job: &Job, end: &JobCondition) {
        debug_assert!(is_finished(job), "told only once it was written");
        let about = reference(job);
        if end.type_ != COMPLETE {
            let text = |t: &Option<String>| t.clone().unwrap_or_default();
            self.recorder.event(&about, EventType::Warning, &text(&end.reason), text(&end.message));
            return;
        }
        let succeeded = job.status.as_ref().and_then(|s| s.succeeded).unwrap_or_default();
        if spec::of(job).completions.is_some_and(|c| succeeded > c) {
            let message = "Too many succeeded pods running after completion count reached";
            self.recorder.event(&about, EventType::Warning, "TooManySucceededPods", message);
        }
        self.recorder.event(&about, EventType::Normal, "Completed", "Job completed");
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
