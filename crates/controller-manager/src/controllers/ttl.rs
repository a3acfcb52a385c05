//! Tells each node how long its kubelet may keep Secrets and ConfigMaps before it asks again: the longer the more
//! nodes there are.

use nakhoda_api::kinds::core::Node;
use nakhoda_client::{Change, Client, Informer, Key, Outcome, Patch, Reconcile, Resource, Result};
use parking_lot::Mutex;
use serde_json::json;

use crate::context::{Context, Watches};

const NAME: &str = "ttlcontroller";
const WORKERS: usize = 5;
const ANNOTATION: &str = "node.alpha.kubernetes.io/ttl";

/// From so many nodes down to so many up, so many seconds. They overlap, so that a node that comes and goes
/// does not change all others each time.
const STEPS: &[(usize, usize, u32)] =
    &[(0, 100, 0), (90, 500, 15), (450, 1000, 30), (900, 2000, 60), (1800, usize::MAX, 300)];

/// Starts the controller.
pub fn start(cx: &Context) {
    let nodes = cx.informers.of::<Node>();
    let mut watches = Watches::new(cx, NAME);
    watches.on_change(&nodes, |change| match change {
        Change::Deleted(_) => Vec::new(),
        _ => vec![change.key()],
    });
    watches.run(WORKERS, Ttl { client: cx.client.clone(), nodes, step: Mutex::default() });
}

struct Ttl {
    client: Client,
    nodes: Informer<Node>,
    /// Which of the steps was the last.
    step: Mutex<usize>,
}

// === impl Ttl ===

impl Reconcile for Ttl {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(node) = self.nodes.get(key) else { return Ok(Outcome::Done) };
        let wanted = {
            let mut step = self.step.lock();
            *step = next(*step, self.nodes.list().len());
            STEPS[*step].2.to_string()
        };
        if node.metadata.annotations.as_ref().and_then(|all| all.get(ANNOTATION)) == Some(&wanted) {
            return Ok(Outcome::Done);
        }
        let patch = Patch::merge(&json!({"metadata": {"uid": node.uid(), "annotations": {ANNOTATION: wanted}}}));
        match self.client.all::<Node>().patch(node.name(), &patch).await {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(Outcome::Done),
        }
    }
}

/// The step for so many nodes, coming from another.
fn next(mut step: usize, nodes: usize) -> usize {
    while nodes > STEPS[step].1 {
        step += 1;
    }
    while nodes < STEPS[step].0 {
        step -= 1;
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_changes_where_it_ends_and_not_where_the_next_begins() {
        for (from, nodes, expected) in
            [(0, 0, 0), (0, 95, 0), (0, 100, 0), (0, 101, 1), (1, 95, 1), (1, 89, 0), (0, 5000, 4), (4, 1799, 3), (4, 3, 0)]
        {
            assert_eq!(next(from, nodes), expected, "{from} {nodes}");
        }
    }
}
