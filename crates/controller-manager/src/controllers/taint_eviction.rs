//! Pods that do not tolerate a NoExecute taint of their node, or not for longer: they are deleted.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::{Node, ObjectReference, Pod, Taint, Toleration};
use nakhoda_client::{Change, EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result};
use parking_lot::Mutex;

use crate::context::{Context, Watches};
use crate::eviction::{Cause, evict};
use crate::nodes::{BY_NODE, by_node};
use crate::pod_control::exactly;
use crate::pods;
use crate::taints::{self, NO_EXECUTE, is_same, tolerates};

const NAME: &str = "taint-eviction";
const WORKERS: usize = 4;
const CAUSE: Cause = Cause {
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
    failed: false,
};

/// Starts the controller.
pub fn start(cx: &Context) {
    let (nodes, pods) = (cx.informers.of::<Node>(), cx.informers.of::<Pod>());
    pods.add_index(BY_NODE, by_node);
    let mut watches = Watches::new(cx, NAME);
    let all = nodes.clone();
    watches.on_change(&pods, move |change| on_pod(&all, change));
    let all = pods.clone();
    watches.on_change(&nodes, move |change| on_node(&all, change));
    let recorder = cx.recorder("taint-eviction-controller");
    watches.run(WORKERS, Eviction { cx: cx.clone(), recorder, nodes, pods, waiting: Mutex::default() });
}

/// When a pod must go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Stays,
    GoesNow,
    GoesAfter(SignedDuration),
}

struct Eviction {
    cx: Context,
    recorder: Recorder,
    nodes: Informer<Node>,
    pods: Informer<Pod>,
    /// Which pod, by its UID, has been under the taints of its node since when.
    waiting: Mutex<HashMap<Key, (String, Timestamp)>>,
}

// === impl Eviction ===

impl Reconcile for Eviction {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(pod) = self.pods.get(key).filter(|p| !p.is_terminating()) else {
            self.waiting.lock().remove(key);
            return Ok(Outcome::Done);
        };
        let node = pods::node(&pod).and_then(|n| self.nodes.get(&Key::new("", n)));
        let found = node.as_ref().map(|n| no_execute(n)).unwrap_or_default();
        let tolerations = pod.spec.as_ref().and_then(|s| s.tolerations.as_deref()).unwrap_or_default();
        let now = crate::clock::now();
        match judge(&found, tolerations) {
            Verdict::Stays => {
                if self.waiting.lock().remove(key).is_some() {
                    self.tell(key, format!("Cancelling deletion of Pod {key}"));
                }
                Ok(Outcome::Done)
            }
            Verdict::GoesNow => self.evict(key, &pod, now).await,
            Verdict::GoesAfter(patience) => {
                let since = self.since(key, pod.uid(), now);
                let left = patience - now.duration_since(since);
                match Duration::try_from(left) {
                    Ok(left) if !left.is_zero() => Ok(Outcome::After(left)),
                    _ => self.evict(key, &pod, now).await,
                }
            }
        }
    }
}

impl Eviction {
    fn since(&self, key: &Key, uid: &str, now: Timestamp) -> Timestamp {
        let mut waiting = self.waiting.lock();
        let entry = waiting.entry(key.clone()).or_insert_with(|| (uid.to_owned(), now));
        if entry.0 != uid {
            *entry = (uid.to_owned(), now);
        }
        entry.1
    }

    async fn evict(&self, key: &Key, pod: &Pod, now: Timestamp) -> Result<Outcome> {
        self.tell(key, format!("Marking for deletion Pod {key}"));
        evict(&self.cx.client, pod, CAUSE, &exactly(pod), now).await?;
        self.waiting.lock().remove(key);
        Ok(Outcome::Done)
    }

    fn tell(&self, key: &Key, message: String) {
        let about = ObjectReference {
            api_version: Some("v1".into()),
            kind: Some("Pod".into()),
            namespace: Some(key.namespace.clone()),
            name: Some(key.name.clone()),
            ..ObjectReference::default()
        };
        self.recorder.event(&about, EventType::Normal, "TaintManagerEviction", message);
    }
}

/// A taint without a toleration ends the pod now; else the shortest patience counts.
fn judge(taints: &[Taint], tolerations: &[Toleration]) -> Verdict {
    let mut shortest: Option<i64> = None;
    for taint in taints {
        let Some(toleration) = tolerations.iter().find(|t| tolerates(t, taint)) else { return Verdict::GoesNow };
        let seconds = toleration.toleration_seconds.map(|s| s.max(0));
        shortest = shortest.into_iter().chain(seconds).min();
    }
    match shortest {
        None => Verdict::Stays,
        Some(0) => Verdict::GoesNow,
        Some(seconds) => Verdict::GoesAfter(SignedDuration::from_secs(seconds)),
    }
}

fn no_execute(node: &Node) -> Vec<Taint> {
    taints::of(node).iter().filter(|t| t.effect == NO_EXECUTE).cloned().collect()
}

/// A pod on a tainted node.
fn on_pod(nodes: &Informer<Node>, change: &Change<Pod>) -> Vec<Key> {
    let node = pods::node(change.object()).and_then(|n| nodes.get(&Key::new("", n)));
    if node.is_some_and(|n| !no_execute(&n).is_empty()) { vec![change.key()] } else { Vec::new() }
}

/// The pods of a node whose NoExecute taints have changed.
fn on_node(pods: &Informer<Pod>, change: &Change<Node>) -> Vec<Key> {
    let changed = match change {
        Change::Added(node) => !no_execute(node).is_empty(),
        Change::Updated { old, new } => {
            let (old, new) = (no_execute(old), no_execute(new));
            old.len() != new.len() || !old.iter().all(|o| new.iter().any(|n| is_same(o, n)))
        }
        Change::Deleted(_) => false,
    };
    let pods = if changed { pods.by_index(BY_NODE, change.object().name()) } else { Vec::new() };
    pods.iter().map(|p| Key::of(&**p)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taint(key: &str) -> Taint {
        Taint { key: key.into(), effect: NO_EXECUTE.into(), ..Taint::default() }
    }

    fn toleration(key: &str, seconds: Option<i64>) -> Toleration {
        Toleration {
            key: Some(key.into()),
            operator: Some("Exists".into()),
            toleration_seconds: seconds,
            ..Toleration::default()
        }
    }

    #[test]
    fn the_shortest_patience_counts_and_none_at_all_ends_the_pod_now() {
        let taints = [taint("a"), taint("b")];
        let both = |a, b| [toleration("a", a), toleration("b", b)];
        assert_eq!(judge(&taints, &[toleration("a", None)]), Verdict::GoesNow);
        assert_eq!(judge(&taints, &both(None, None)), Verdict::Stays);
        assert_eq!(judge(&taints, &both(Some(300), Some(5))), Verdict::GoesAfter(SignedDuration::from_secs(5)));
        assert_eq!(judge(&taints, &both(None, Some(-1))), Verdict::GoesNow);
        assert_eq!(judge(&[], &[]), Verdict::Stays);
    }
}
