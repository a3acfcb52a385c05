//! Takes the finalizer of pods that no job counts any more: their job has ended, is gone, or has let
//! them go.

use std::sync::Arc;

use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::{Change, Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use super::condition::is_finished;
use super::pod::{TRACKING, is_tracked};
use super::spec::is_foreign;
use crate::context::{Context, Watches};
use crate::finalizers;

const NAME: &str = "job_orphan_pod";
const BY_CONTROLLER: &str = "controller";

/// Starts the controller.
pub fn start(cx: &Context, jobs: Informer<Job>, pods: Informer<Pod>) {
    let mut watches = Watches::new(cx, NAME);
    watches.on_change(&pods, tracked);
    let all = pods.clone();
    watches.on_change(&jobs, move |change| left_behind(&all, change));
    watches.run(1, Orphans { client: cx.client.clone(), jobs, pods });
}

struct Orphans {
    client: Client,
    jobs: Informer<Job>,
    pods: Informer<Pod>,
}

// === impl Orphans ===

impl Reconcile for Orphans {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(pod) = self.pods.get(key).filter(|p| is_tracked(p)) else { return Ok(Outcome::Done) };
        if !self.is_counted(&pod).await? {
            finalizers::remove(&self.client, &*pod, TRACKING).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Orphans {
    /// Whether a job still counts the pod, or whether that is for another controller to say. A job that
    /// the cache does not show is looked for.
    async fn is_counted(&self, pod: &Pod) -> Result<bool> {
        let Some(owner) = pod.controller() else { return Ok(false) };
        if crate::dependents::owner_key::<Job>(pod).is_none() {
            return Ok(true);
        }
        let cached = self.jobs.get(&Key::new(pod.namespace(), &owner.name)).filter(|j| j.uid() == owner.uid);
        let job = match cached {
            Some(job) => Some(job),
            None => self.look_for(pod, &owner.name).await?.filter(|j| j.uid() == owner.uid),
        };
        Ok(job.is_some_and(|j| is_foreign(&j) || !is_finished(&j)))
    }

    async fn look_for(&self, pod: &Pod, name: &str) -> Result<Option<Arc<Job>>> {
        match self.client.namespaced::<Job>(pod.namespace()).get(name).await {
            Ok(job) => Ok(Some(Arc::new(job))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A pod that has the finalizer and nobody, or that is going: its job may be gone.
fn tracked(change: &Change<Pod>) -> Vec<Key> {
    let pod = change.object();
    let wanted = is_tracked(pod) && !matches!(change, Change::Deleted(_));
    let lost = pod.controller().is_none() || pod.is_terminating() || matches!(change, Change::Added(_));
    if wanted && lost { vec![Key::of(&**pod)] } else { Vec::new() }
}

/// The pods of a job that has ended or is gone.
fn left_behind(pods: &Informer<Pod>, change: &Change<Job>) -> Vec<Key> {
    let job = change.object();
    if !is_finished(job) && !matches!(change, Change::Deleted(_)) {
        return Vec::new();
    }
    let mut left = pods.by_index(BY_CONTROLLER, job.uid());
    left.retain(|pod| is_tracked(pod));
    left.iter().map(|pod| Key::of(&**pod)).collect()
}
