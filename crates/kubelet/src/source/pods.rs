//! The pods that the API has given to this node, told to the manager as they come, change and go.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use nakhoda_client::{Change, Informer};
use nakhoda_daemon::Tasks;

use super::live::Live;
use crate::pod::manager::Manager;
use crate::pod::spec;

/// Follows the pods for ever. What runs here and was not in the first list is stopped.
pub fn follow(tasks: &Tasks, pods: Informer<Pod>, live: Arc<Live>, manager: Manager) {
    tasks.spawn("pods", async move {
        pods.synced().await;
        let mut changes = pods.subscribe();
        while let Ok(change) = changes.try_recv() {
            apply(&live, &manager, change);
        }
        while let Err(error) = manager.adopt().await {
            tracing::warn!(%error, "the runtime does not answer");
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        while let Some(change) = changes.recv().await {
            apply(&live, &manager, change);
        }
    });
}

fn apply(live: &Live, manager: &Manager, change: Change<Pod>) {
    match change {
        Change::Added(pod) => take(live, manager, pod),
        Change::Updated { old, new } => {
            // A watch that was interrupted may show another pod of the same name.
            if spec::uid(&old) != spec::uid(&new) {
                drop_pod(live, manager, &old);
            }
            take(live, manager, new);
        }
        Change::Deleted(pod) => drop_pod(live, manager, &pod),
    }
}

fn take(live: &Live, manager: &Manager, pod: Arc<Pod>) {
    live.seen(&pod);
    manager.apply(pod);
}

fn drop_pod(live: &Live, manager: &Manager, pod: &Arc<Pod>) {
    live.forget(pod);
    manager.gone(pod);
}
