//! The only writer of pods' statuses: keeps the newest of each pod and patches what has changed. A pod
//! that is over is deleted from the API after its last status was written.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{DeleteOptions, Preconditions};
use nakhoda_client::{Client, Error, Key, Patch, Queue};
use nakhoda_daemon::Tasks;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::patch;
use crate::pod::spec;

/// What a pod tells while it is being started waits this long: more follows, and mostly overtakes it.
const SOON: Duration = Duration::from_millis(500);
/// How many patches are under way at once.
const WRITERS: usize = 4;

/// Writes statuses. Cheap to clone.
#[derive(Clone)]
pub struct Statuses {
    client: Client,
    queue: Queue<String>,
    entries: Arc<Mutex<HashMap<String, Entry>>>,
}

#[derive(Clone)]
struct Entry {
    key: Key,
    status: Arc<PodStatus>,
    /// What the API has, as far as is known.
    written: Value,
    is_over: bool,
    /// The uid of the API's object: of a static pod its mirror's, once there is one.
    in_api: Option<String>,
}

// === impl Statuses ===

impl Statuses {
    /// Begins to write.
    #[must_use]
    pub fn new(client: Client, tasks: &Tasks) -> Self {
        let statuses = Self { client, queue: Queue::new(), entries: Arc::default() };
        for _ in 0..WRITERS {
            let writer = statuses.clone();
            tasks.spawn("pod statuses", async move {
                while let Some(uid) = writer.queue.take().await {
                    writer.write(&uid).await;
                    writer.queue.done(&uid);
                }
            });
        }
        statuses
    }

    /// Takes a pod as the API has it, so that the first patch holds only what differs.
    pub fn seen(&self, pod: &Pod) {
        self.enter(pod, Some(spec::uid(pod).into()));
    }

    /// Takes a static pod. Nothing is written before its mirror is there.
    pub fn found(&self, pod: &Pod) {
        self.enter(pod, None);
    }

    /// Takes the mirror of a static pod: what is told of the pod goes there.
    pub fn mirrored(&self, pod: &Pod, mirror: &Pod) {
        let in_api = Some(spec::uid(mirror).to_owned());
        self.change(pod, None, |entry| {
            let is_new = entry.in_api != in_api;
            if is_new {
                entry.written = serde_json::to_value(&mirror.status).unwrap_or_default();
                entry.in_api = in_api;
            }
            is_new
        });
    }

    fn enter(&self, pod: &Pod, in_api: Option<String>) {
        let written = || serde_json::to_value(&pod.status).unwrap_or_default();
        self.entries.lock().entry(spec::uid(pod).into()).or_insert_with(|| Entry {
            key: Key::of(pod),
            status: Arc::new(pod.status.clone().unwrap_or_default()),
            written: written(),
            is_over: false,
            in_api,
        });
    }

    /// The pod is gone from the API.
    pub fn forget(&self, uid: &str) {
        self.entries.lock().remove(uid);
    }

    /// Takes the newest status of a pod.
    pub fn set(&self, pod: &Pod, status: PodStatus) {
        let delay = is_being_started(&status).then_some(SOON);
        self.change(pod, delay, |entry| {
            let changed = *entry.status != status;
            entry.status = Arc::new(status);
            changed
        });
    }

    /// The pod is over: it may go.
    pub fn finish(&self, pod: &Pod) {
        self.change(pod, None, |entry| !std::mem::replace(&mut entry.is_over, true));
    }

    fn change(&self, pod: &Pod, delay: Option<Duration>, change: impl FnOnce(&mut Entry) -> bool) {
        let uid = spec::uid(pod);
        let changed = self.entries.lock().get_mut(uid).is_some_and(change);
        match delay {
            _ if !changed => {}
            Some(delay) => self.queue.add_after(uid.to_owned(), delay),
            None => self.queue.add(uid.to_owned()),
        }
    }

    async fn write(&self, uid: &str) {
        let Some(entry) = self.entries.lock().get(uid).cloned() else { return };
        match self.bring(uid, &entry).await {
            Ok(()) => self.queue.forget(&uid.to_owned()),
            Err(error) if error.is_not_found() || error.is_conflict() => {
                tracing::debug!(pod = %entry.key, %error, "the pod is not there any more");
                self.queue.forget(&uid.to_owned());
            }
            Err(error) => {
                tracing::warn!(pod = %entry.key, %error, "status not written; trying again");
                self.queue.add_backoff(uid.to_owned());
            }
        }
    }

    async fn bring(&self, uid: &str, entry: &Entry) -> Result<(), Error> {
        let Some(in_api) = &entry.in_api else { return Ok(()) };
        let api = self.client.namespaced::<Pod>(&entry.key.namespace);
        let wanted = serde_json::to_value(&*entry.status).unwrap_or_default();
        if let Some(change) = patch::status(&entry.written, &wanted) {
            let body = json!({"metadata": {"uid": in_api}, "status": change});
            api.patch_sub::<Pod>(&entry.key.name, "status", &Patch::strategic(&body)).await?;
            if let Some(known) = self.entries.lock().get_mut(uid).filter(|known| known.in_api == entry.in_api) {
                known.written = wanted;
            }
        }
        if entry.is_over {
            let preconditions = Preconditions { uid: Some(uid.into()), ..Preconditions::default() };
            let options = DeleteOptions {
                grace_period_seconds: Some(0),
                preconditions: Some(preconditions),
                ..DeleteOptions::default()
            };
            api.delete(&entry.key.name, &options).await?;
        }
        Ok(())
    }
}

/// Whether all of a pod's containers are yet to come, and nothing went wrong.
fn is_being_started(status: &PodStatus) -> bool {
    let all = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let waiting = |c: &ContainerStatus| {
        let reason = c.state.as_ref().and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.as_deref());
        c.restart_count == 0 && matches!(reason, Some("ContainerCreating" | "PodInitializing"))
    };
    status.phase.as_deref() == Some("Pending") && all.into_iter().all(waiting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_on_its_way_waits() {
        let container = |reason: &str| json!({"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": reason}}});
        let status = |phase: &str, reason: &str| -> PodStatus {
            let value = json!({"phase": phase, "containerStatuses": [container(reason)]});
            serde_json::from_value(value).expect("a status")
        };
        assert!(is_being_started(&status("Pending", "ContainerCreating")));
        assert!(!is_being_started(&status("Pending", "ErrImagePull")));
        assert!(!is_being_started(&status("Running", "ContainerCreating")));
    }
}
