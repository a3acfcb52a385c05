//! Every node gets a range of pod addresses out of `--cluster-cidr`: a /24.
//!
//! Absent: IPv6 and other sizes.

use std::collections::{HashMap, HashSet};

use nakhoda_api::kinds::core::Node;
use nakhoda_client::{EventType, Informer, Key, Outcome, Patch, Reconcile, Recorder, Resource, Result, reference};
use parking_lot::Mutex;
use serde_json::json;

use crate::context::{Context, Watches};

pub mod range;

use range::Range;

const NAME: &str = "node-ipam";
/// When to look again for a range after all were taken.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(30);

/// Starts the controller.
pub fn start(cx: &Context) {
    let cluster = match Range::parse(&cx.options.cluster_cidr) {
        Ok(range) => range,
        Err(error) => return cx.tasks.fail(format!("--cluster-cidr {}: {error}", cx.options.cluster_cidr)),
    };
    let nodes = cx.informers.of::<Node>();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&nodes, |n: &Node| vec![Key::of(n)]);
    let recorder = cx.recorder("cidrAllocator");
    // One worker: two nodes must not be given one range.
    watches.run(1, Ipam { cx: cx.clone(), recorder, nodes, cluster, given: Mutex::default() });
}

struct Ipam {
    cx: Context,
    recorder: Recorder,
    nodes: Informer<Node>,
    cluster: Range,
    /// What was given by node, ahead of the cache.
    given: Mutex<HashMap<String, String>>,
}

// === impl Ipam ===

impl Reconcile for Ipam {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(node) = self.nodes.get(key) else {
            self.given.lock().remove(&key.name);
            return Ok(Outcome::Done);
        };
        if node.is_terminating() || cidr(&node).is_some() {
            return Ok(Outcome::Done);
        }
        let Some(range) = self.choose(&key.name) else {
            let message = format!("Node {} status is now: CIDRNotAvailable", key.name);
            self.recorder.event(&reference(&*node), EventType::Normal, "CIDRNotAvailable", message);
            return Ok(Outcome::After(AGAIN));
        };
        let spec = json!({"podCIDR": range, "podCIDRs": [range]});
        let patch = Patch::merge(&json!({"metadata": {"uid": node.uid()}, "spec": spec}));
        match self.cx.client.all::<Node>().patch(&key.name, &patch).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Outcome::Done),
        }
    }
}

impl Ipam {
    /// The range that the node was given before, or the first that is free.
    fn choose(&self, node: &str) -> Option<String> {
        let mut given = self.given.lock();
        if let Some(range) = given.get(node) {
            return Some(range.clone());
        }
        let used: HashSet<String> =
            self.nodes.list().iter().filter_map(|n| cidr(n).map(str::to_owned)).chain(given.values().cloned()).collect();
        let range = self.cluster.first_free(&used)?;
        given.insert(node.to_owned(), range.clone());
        Some(range)
    }
}

fn cidr(node: &Node) -> Option<&str> {
    node.spec.as_ref()?.pod_cidr.as_deref().filter(|c| !c.is_empty())
}
