//! Ending pods before the node runs out of memory, disk or process ids, and those that use more local storage
//! than they may. `threshold` says when, `plan` whom, `limits` who has broken a limit; `run` looks and acts.
//!
//! Absent: minimum reclaim; images and containers have a file system of their own (`imagefs` is the node's);
//! process ids of single pods.

mod ballast;
pub mod limits;
pub mod plan;
pub mod run;
pub mod threshold;
pub mod usage;

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use parking_lot::Mutex;

use crate::pod::spec;
use crate::pod::state::Failure;
use crate::resources::Qos;

/// In a pod's status and in events.
pub const REASON: &str = "Evicted";

/// What the node is short of, as its conditions name it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Pressure {
    conditions: Arc<Mutex<BTreeSet<&'static str>>>,
}

// === impl Pressure ===

impl Pressure {
    /// Whether a condition holds.
    #[must_use]
    pub fn has(&self, condition: &str) -> bool {
        self.conditions.lock().contains(condition)
    }

    /// Says what holds now.
    pub fn set(&self, conditions: BTreeSet<&'static str>) {
        *self.conditions.lock() = conditions;
    }

    /// A node that is short of something takes no pods but critical ones, and, if it is memory alone, those that
    /// have asked for some or tolerate it.
    pub fn admit(&self, pod: &Pod) -> Result<(), Failure> {
        let conditions: Vec<&str> = self.conditions.lock().iter().copied().collect();
        let pod_spec = spec::of(pod);
        if conditions.is_empty() || is_critical(pod) {
            return Ok(());
        }
        let tolerates = || {
            let mut all = pod_spec.tolerations.iter().flatten();
            all.any(|t| {
                let key = t.key.as_deref().is_none_or(|k| k.is_empty() || k == "node.kubernetes.io/memory-pressure");
                key && t.effect.as_deref().is_none_or(|e| e.is_empty() || e == "NoSchedule")
            })
        };
        if conditions == ["MemoryPressure"] && (Qos::of(pod_spec) != Qos::BestEffort || tolerates()) {
            return Ok(());
        }
        let message = format!("The node had condition: [{}]. ", conditions.join(" "));
        Err(Failure { reason: REASON.into(), message, is_disruption: false })
    }
}

/// Whether the node cannot do without the pod.
#[must_use]
pub fn is_critical(pod: &Pod) -> bool {
    let annotations = pod.metadata.annotations.as_ref();
    let marked = |key: &str| annotations.and_then(|a| a.get(key));
    marked("kubernetes.io/config.mirror").is_some()
        || marked("kubernetes.io/config.source").is_some_and(|source| source != "api")
        || spec::of(pod).priority.is_some_and(|priority| priority >= 2_000_000_000)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_node_under_pressure_is_choosy() {
        let pressure = Pressure::default();
        let admits = |spec: Value| {
            let pod = serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec})).expect("a pod");
            pressure.admit(&pod).map_err(|failure| failure.message)
        };
        let plain = || json!({"containers": [{"name": "c"}]});
        let asking = || json!({"containers": [{"name": "c", "resources": {"requests": {"memory": "1"}}}]});
        let critical = || json!({"containers": [{"name": "c"}], "priority": 2_000_000_000});
        assert_eq!(admits(plain()), Ok(()));
        pressure.set(["MemoryPressure"].into());
        assert_eq!(admits(plain()), Err("The node had condition: [MemoryPressure]. ".into()));
        assert_eq!((admits(asking()), admits(critical())), (Ok(()), Ok(())));
        pressure.set(["DiskPressure", "MemoryPressure"].into());
        assert_eq!(admits(asking()), Err("The node had condition: [DiskPressure MemoryPressure]. ".into()));
        assert_eq!(admits(critical()), Ok(()));
    }
}
