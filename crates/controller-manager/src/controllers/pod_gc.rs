//! Pods that nobody else clears away: those of nodes that are gone, those that end without ever having
//! had a node, and finished ones beyond a number.

use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::kinds::core::{Node, Pod};
use nakhoda_api::kinds::meta::DeleteOptions;
use nakhoda_client::{Change, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::eviction::{Cause, evict};
use crate::nodes::{BY_NODE, by_node};
use crate::pod_control::exactly;
use crate::pods;

const NAME: &str = "pod-garbage-collector";
/// How long a node must be missing before its pods go.
const QUARANTINE: Duration = Duration::from_secs(40);
const CAUSE: Cause = Cause { reason: "DeletionByPodGC", message: "PodGC: node no longer exists", failed: true };

/// Starts the controller.
pub fn start(cx: &Context) {
    let (nodes, pods) = (cx.informers.of::<Node>(), cx.informers.of::<Pod>());
    pods.add_index(BY_NODE, by_node);
    let mut watches = Watches::new(cx, NAME);
    let (all, queue) = (nodes.clone(), watches.queue().clone());
    watches.on_change(&pods, move |change| {
        if is_orphan(change.object(), &all) && !matches!(change, Change::Deleted(_)) {
            queue.add_after(change.key(), QUARANTINE);
        }
        on_pod(change)
    });
    let (all, queue) = (pods.clone(), watches.queue().clone());
    watches.on_change(&nodes, move |change| {
        if matches!(change, Change::Deleted(_)) {
            let orphans = all.by_index(BY_NODE, change.object().name());
            orphans.iter().for_each(|p| queue.add_after(Key::of(&**p), QUARANTINE));
        }
        Vec::new()
    });
    watches.run(2, Collector { cx: cx.clone(), nodes, pods });
}

struct Collector {
    cx: Context,
    nodes: Informer<Node>,
    pods: Informer<Pod>,
}

// === impl Collector ===

impl Reconcile for Collector {
    fn name(&self) -> &'static str {
        NAME
    }

    /// A key without a name means the finished pods of the whole cluster.
    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        if key.name.is_empty() {
            return self.clear_finished().await;
        }
        let Some(pod) = self.pods.get(key) else { return Ok(Outcome::Done) };
        if is_unbound_and_going(&pod) {
            self.delete(&pod).await?;
        } else if is_orphan(&pod, &self.nodes) && !self.exists(pods::node(&pod).unwrap_or_default()).await? {
            evict(&self.cx.client, &pod, CAUSE, &at_once(&pod), crate::clock::now()).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Collector {
    async fn clear_finished(&self) -> Result<Outcome> {
        for pod in surplus(self.pods.list(), self.cx.options.terminated_pod_gc_threshold) {
            self.delete(&pod).await?;
        }
        Ok(Outcome::Done)
    }

    async fn delete(&self, pod: &Pod) -> Result<()> {
        match self.cx.client.namespaced::<Pod>(pod.namespace()).delete(pod.name(), &at_once(pod)).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }

    /// A cache may lag: before its pods go, the node is looked for live.
    async fn exists(&self, node: &str) -> Result<bool> {
        match self.cx.client.all::<Node>().get(node).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The oldest finished pods beyond a number.
fn surplus(pods: Vec<Arc<Pod>>, limit: usize) -> Vec<Arc<Pod>> {
    let mut finished: Vec<_> = pods.into_iter().filter(|p| pods::is_finished(p) && !p.is_terminating()).collect();
    let surplus = finished.len().saturating_sub(limit);
    finished.sort_by_key(|p| p.metadata.creation_timestamp.as_ref().map(|t| t.0));
    finished.truncate(surplus);
    finished
}

fn on_pod(change: &Change<Pod>) -> Vec<Key> {
    let pod = change.object();
    let was_finished = matches!(change, Change::Updated { old, .. } if pods::is_finished(old));
    let mut keys = Vec::new();
    if pods::is_finished(pod) && !was_finished {
        keys.push(Key::default());
    }
    if is_unbound_and_going(pod) {
        keys.push(change.key());
    }
    keys
}

fn is_unbound_and_going(pod: &Pod) -> bool {
    pod.is_terminating() && pods::node(pod).is_none()
}

fn is_orphan(pod: &Pod, nodes: &Informer<Node>) -> bool {
    pods::node(pod).is_some_and(|n| nodes.get(&Key::new("", n)).is_none())
}

fn at_once(pod: &Pod) -> DeleteOptions {
    DeleteOptions { grace_period_seconds: Some(0), ..exactly(pod) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use nakhoda_api::kinds::core::PodStatus;
    use nakhoda_api::kinds::meta::Time;

    fn pod(made: i64, phase: &str) -> Arc<Pod> {
        let mut pod = Pod::default();
        pod.metadata.name = Some(made.to_string());
        pod.metadata.creation_timestamp = Some(Time(Timestamp::from_second(made).expect("in range")));
        pod.status = Some(PodStatus { phase: Some(phase.into()), ..PodStatus::default() });
        Arc::new(pod)
    }

    #[test]
    fn the_oldest_finished_pods_beyond_the_limit_go() {
        let pods = vec![pod(3, "Failed"), pod(1, "Succeeded"), pod(0, "Running"), pod(2, "Failed")];
        let names: Vec<_> = surplus(pods.clone(), 1).iter().map(|p| p.name().to_owned()).collect();
        assert_eq!(names, ["1", "2"]);
        assert!(surplus(pods, 3).is_empty());
    }
}
