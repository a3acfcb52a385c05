//! Deadlines of pods, Jobs and groups, taken into the queue's order; who misses one is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nakhoda_api::kinds::batch::Job;
use nakhoda_client::{Change, Client, Resource, clock};

use super::Engine;
use crate::deadlines::Wish;
use crate::pod::PodInfo;

// === impl Engine ===

impl Engine {
    /// Its pods may have another place in the queue.
    pub(super) fn on_job(&mut self, change: &Change<Job>) {
        match change {
            Change::Added(job) | Change::Updated { new: job, .. } => {
                if self.deadlines.set_job(job.uid(), job) {
                    let of_job = |pod: &PodInfo| pod.controller.as_deref() == Some(job.uid());
                    for pod in self.queue.find(of_job) {
                        self.enqueue(pod);
                    }
                }
            }
            Change::Deleted(job) => self.deadlines.remove_job(job.uid()),
        }
    }

    /// By when a pod has to have its turn. A deadline that is over is none.
    pub(super) fn due(&mut self, pod: &PodInfo) -> Option<Instant> {
        let group = pod.gang.as_ref().and_then(|key| self.gangs.get(key));
        let group = group.map(|group| Wish::read(&group.metadata)).and_then(Result::ok).unwrap_or_default();
        let end = pod.controller.as_deref().and_then(|uid| self.deadlines.end_of(uid));
        let latest = pod.wish.clone().unwrap_or_default().latest_start(group, end);
        self.deadlines.set(&pod.uid, latest);
        Some(clock::instant() + until(latest?, clock::now())?)
    }

    /// When a deadline will be over.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        // a moment later, so that it is over then
        let wait = until(self.deadlines.next()?, clock::now()).unwrap_or_default() + Duration::from_millis(1);
        Some(clock::instant() + wait)
    }

    /// Tells of pods whose deadline is over.
    pub(super) fn tell_missed(&mut self, client: &Client) {
        while let Some((uid, latest)) = self.deadlines.missed(clock::now()) {
            if let Some(pod) = self.queue.get(&uid).cloned() {
                let message = format!("it was to start by {latest:.0} and has no node yet");
                self.actions.tell_missed(client, &pod, &message);
            }
        }
    }

    /// Tells of a deadline that cannot be read, when the pod is new.
    pub(super) fn tell_malformed(&self, pod: &Arc<PodInfo>) {
        if let (Err(error), None) = (&pod.wish, self.queue.get(&pod.uid)) {
            self.actions.warn(pod, "InvalidDeadline", error.to_string());
        }
    }
}

fn until(then: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(then.duration_since(now)).ok()
}
