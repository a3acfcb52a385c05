//! The pods that the API has given to this node, told to the manager as they come, change and go.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use nakhoda_client::{Change, Informer};
use nakhoda_daemon::Tasks;

use super::live::Live;
use super::statics::{self, Statics};
use crate::pod::manager::Manager;
use crate::pod::spec;

/// Follows the pods for ever. What runs here and was not in the first list is stopped.
pub fn follow(tasks: &Tasks, pods: Informer<Pod>, live: Arc<Live>, manager: Manager, statics: Statics) {
    let apply = move |live: &Live, manager: &Manager, change: Change<Pod>| match &change {
        Change::Added(pod) | Change::Updated { new: pod, .. } | Change::Deleted(pod) if statics::is_mirror(pod) => {
            statics.mirror(change);
        }
        _ => apply(live, manager, change),
    };
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
    let pod = from_api(pod);
    live.seen(&pod);
    manager.apply(pod);
}

/// Whatever its author wrote, it is no file of this node that asks for the pod.
fn from_api(pod: Arc<Pod>) -> Arc<Pod> {
    if !spec::is_static(&pod) {
        return pod;
    }
    let mut pod = Pod::clone(&pod);
    pod.metadata.annotations.get_or_insert_default().insert(spec::SOURCE.into(), "api".into());
    Arc::new(pod)
}

fn drop_pod(live: &Live, manager: &Manager, pod: &Arc<Pod>) {
    live.forget(pod);
    manager.gone(pod);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nobody_makes_a_static_pod_through_the_api() {
        let pod: Pod =
            serde_json::from_value(json!({"metadata": {"annotations": {spec::SOURCE: "file"}}})).expect("a pod");
        assert!(spec::is_static(&pod) && !spec::is_static(&from_api(Arc::new(pod))));
    }
}
