//! Nodes that fall silent: their conditions become Unknown, their taints follow their conditions, their
//! pods stop being ready.
//!
//! A node counts as alive by the moment at which this process saw a change of its Lease or of its Ready
//! condition, so clocks may differ. While no node at all is ready, nobody is told to leave: the fault is
//! then more likely on this side. Absent: rate limits by zone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::coordination::Lease;
use nakhoda_api::kinds::core::{Node, Pod};
use nakhoda_client::{Change, EventType, Informer, Key, Outcome, Patch, Reconcile, Recorder, Resource, Result, reference};
use nakhoda_client::Selection;
use parking_lot::Mutex;
use serde_json::json;

use crate::context::{Context, Watches};
use crate::nodes::{BY_NODE, by_node, is_ready};
use crate::{pods, taints};

pub mod plan;

const NAME: &str = "node-lifecycle";
const WORKERS: usize = 4;
/// Where kubelets keep their Leases.
const LEASES: &str = "kube-node-lease";
/// How long a new node may take until its first word.
const STARTUP: SignedDuration = SignedDuration::from_secs(60);
/// When to look again while no node is ready.
const ALL_LOST: Duration = Duration::from_secs(5);

type Pulses = Arc<Mutex<HashMap<String, Timestamp>>>;

/// Starts the controller.
pub fn start(cx: &Context) {
    let (nodes, pods) = (cx.informers.of::<Node>(), cx.informers.of::<Pod>());
    let leases = cx.informers.select::<Lease>(Some(LEASES), Selection::default());
    pods.add_index(BY_NODE, by_node);
    let pulses = Pulses::default();
    let mut watches = Watches::new(cx, NAME);
    let (seen, recorder) = (pulses.clone(), cx.recorder("node-controller"));
    let teller = recorder.clone();
    watches.on_change(&nodes, move |change| on_node(&seen, &teller, change));
    let (seen, all) = (pulses.clone(), nodes.clone());
    watches.on_change(&leases, move |change| on_lease(&seen, &all, change));
    watches.reads(&pods);
    let seconds = i64::try_from(cx.options.node_monitor_grace_period).unwrap_or(i64::MAX);
    let grace = SignedDuration::from_secs(seconds);
    watches.run(WORKERS, Lifecycle { cx: cx.clone(), recorder, nodes, pods, pulses, grace });
}

struct Lifecycle {
    cx: Context,
    recorder: Recorder,
    nodes: Informer<Node>,
    pods: Informer<Pod>,
    pulses: Pulses,
    grace: SignedDuration,
}

// === impl Lifecycle ===

impl Reconcile for Lifecycle {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(stored) = self.nodes.get(key) else {
            self.pulses.lock().remove(&key.name);
            return Ok(Outcome::Done);
        };
        let now = crate::clock::now();
        let left = self.left(&stored, now);
        let node = match plan::silence(&stored, now).filter(|_| !left.is_positive()) {
            Some(silent) => Arc::new(self.cx.client.all::<Node>().update_status(&silent).await?),
            None => stored.clone(),
        };
        if is_ready(&stored) && !is_ready(&node) {
            let message = format!("Node {} status is now: NodeNotReady", key.name);
            self.recorder.event(&reference(&*node), EventType::Normal, "NodeNotReady", message);
        }
        let some_ready = self.nodes.list().iter().any(|n| is_ready(n));
        self.taint(&node, some_ready, now).await?;
        if !is_ready(&node) {
            self.unready_pods(&key.name, now).await?;
        }
        Ok(match (left.is_positive(), some_ready) {
            (true, _) => Outcome::After(Duration::try_from(left).unwrap_or_default() + Duration::from_millis(50)),
            (false, false) => Outcome::After(ALL_LOST),
            (false, true) => Outcome::Done,
        })
    }
}

impl Lifecycle {
    /// How long the node may still be silent.
    fn left(&self, node: &Node, now: Timestamp) -> SignedDuration {
        let grace = if crate::nodes::condition(node, "Ready").is_some() { self.grace } else { STARTUP };
        let last = *self.pulses.lock().entry(node.name().to_owned()).or_insert(now);
        grace - now.duration_since(last)
    }

    async fn taint(&self, node: &Node, some_ready: bool, now: Timestamp) -> Result<()> {
        let wanted = plan::taints(node, some_ready, now);
        if wanted == taints::of(node) {
            return Ok(());
        }
        let meta = json!({"resourceVersion": node.metadata.resource_version, "uid": node.uid()});
        let patch = Patch::merge(&json!({"metadata": meta, "spec": {"taints": wanted}}));
        self.cx.client.all::<Node>().patch(node.name(), &patch).await.map(drop)
    }

    /// A pod on a node that is not ready serves nobody, whatever its last word was.
    async fn unready_pods(&self, node: &str, now: Timestamp) -> Result<()> {
        for pod in self.pods.by_index(BY_NODE, node).into_iter().filter(|p| pods::is_ready(p)) {
            let unready = plan::unready(&pod, now);
            match self.cx.client.namespaced::<Pod>(pod.namespace()).update_status(&unready).await {
                Ok(_) => self.recorder.event(&reference(&*pod), EventType::Warning, "NodeNotReady", "Node is not ready"),
                Err(error) if error.is_not_found() || error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A change of the Ready condition is a sign of life; unless this controller wrote it.
fn on_node(pulses: &Pulses, recorder: &Recorder, change: &Change<Node>) -> Vec<Key> {
    let node = change.object();
    let tell = |reason: &str, text: &str| {
        let message = format!("Node {} event: {text}", node.name());
        recorder.event(&reference(&**node), EventType::Normal, reason, message);
    };
    let pulse = |node: &Node| {
        let ready = crate::nodes::condition(node, "Ready").filter(|c| c.status != "Unknown");
        ready.and_then(|c| c.last_heartbeat_time.clone())
    };
    match change {
        Change::Added(_) => {
            pulses.lock().entry(node.name().to_owned()).or_insert_with(crate::clock::now);
            tell("RegisteredNode", &format!("Registered Node {} in Controller", node.name()));
        }
        Change::Updated { old, new } if pulse(new).is_some() && pulse(old) != pulse(new) => {
            pulses.lock().insert(node.name().to_owned(), crate::clock::now());
        }
        Change::Updated { .. } => {}
        Change::Deleted(_) => tell("RemovingNode", &format!("Removing Node {} from Controller", node.name())),
    }
    vec![change.key()]
}

/// A renewed Lease is a sign of life. It wakes nobody unless its node was given up.
fn on_lease(pulses: &Pulses, nodes: &Informer<Node>, change: &Change<Lease>) -> Vec<Key> {
    let key = Key::new("", change.object().name());
    if !matches!(change, Change::Updated { .. }) {
        return Vec::new();
    }
    pulses.lock().insert(key.name.clone(), crate::clock::now());
    let lost = nodes.get(&key).is_some_and(|n| crate::nodes::status(&n, "Ready") == "Unknown");
    if lost { vec![key] } else { Vec::new() }
}
