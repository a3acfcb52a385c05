//! The status that pods give their stateful set.

use std::sync::Arc;

use nakhoda_api::kinds::apps::{StatefulSet, StatefulSetStatus};
use nakhoda_api::kinds::core::Pod;
use nakhoda_client::Resource;

use super::plan::{View, is_running_and_ready};
use super::spec::{is_rolling, min_ready, replicas};
use crate::history::mark;
use crate::pods::is_available;
use crate::share::nonzero;

/// Counts the pods.
#[must_use]
pub fn observe(view: &View<'_>, pods: &[Arc<Pod>]) -> StatefulSetStatus {
    let before = view.set.status.clone().unwrap_or_default();
    let count = |which: &dyn Fn(&Pod) -> bool| i32::try_from(pods.iter().filter(|p| which(p)).count()).unwrap_or(i32::MAX);
    let of = |pod: &Pod, revision: &str| !pod.is_terminating() && mark(pod.metadata.labels.as_ref()) == revision;
    let min_ready = min_ready(view.set);
    StatefulSetStatus {
        replicas: count(&|_| true),
        ready_replicas: nonzero(count(&is_running_and_ready)),
        available_replicas: Some(count(&|p| is_running_and_ready(p) && is_available(p, min_ready, view.now))),
        current_replicas: nonzero(count(&|p| of(p, &view.current.name))),
        updated_replicas: nonzero(count(&|p| of(p, &view.update.name))),
        current_revision: Some(view.current.name.clone()),
        update_revision: Some(view.update.name.clone()),
        observed_generation: view.set.metadata.generation,
        collision_count: Some(before.collision_count.unwrap_or_default()),
        conditions: before.conditions,
    }
}

/// Once all pods are of the new revision and ready, it is the current one.
pub fn complete(set: &StatefulSet, status: &mut StatefulSetStatus) {
    let all = replicas(set);
    let done = [status.updated_replicas, status.ready_replicas, nonzero(status.replicas)].iter().all(|n| *n == nonzero(all));
    if is_rolling(set) && done {
        status.current_replicas = status.updated_replicas;
        status.current_revision.clone_from(&status.update_revision);
    }
}
