//! What the cluster is told, and when that is news. Pure.

use std::collections::HashMap;

use jiff::Timestamp;
use nakhoda_api::kinds::pressure::{API_VERSION, PodPressure, Stalls};
use nakhoda_api::time::time;
use serde_json::{Value, json};

/// A pod that is stalled less is not told of, in per cent.
const LEAST: u8 = 10;
/// So many pods are told of.
const MOST: usize = 32;
/// A change of less is no news, except from or to nothing.
const STEP: u8 = 15;

/// What is told of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// All its pods together.
    pub node: Stalls,
    /// Those that are stalled most.
    pub pods: Vec<PodPressure>,
}

// === impl Report ===

impl Report {
    /// Of all pods those that matter, the worst first.
    #[must_use]
    pub fn new(node: Stalls, pods: impl IntoIterator<Item = PodPressure>) -> Self {
        let mut pods: Vec<PodPressure> = pods.into_iter().filter(|pod| pod.stalls.worst() >= LEAST).collect();
        pods.sort_by(|a, b| b.stalls.worst().cmp(&a.stalls.worst()).then_with(|| a.uid.cmp(&b.uid)));
        pods.truncate(MOST);
        Self { node, pods }
    }

    /// Whether it says something else than another.
    #[must_use]
    pub fn is_news(&self, told: &Self) -> bool {
        let told_pods: HashMap<&str, Stalls> = told.pods.iter().map(|pod| (pod.uid.as_str(), pod.stalls)).collect();
        let other = |pod: &PodPressure| told_pods.get(pod.uid.as_str()).is_none_or(|told| differ(pod.stalls, *told));
        differ(self.node, told.node) || self.pods.len() != told.pods.len() || self.pods.iter().any(other)
    }

    /// The object, in the form that is also a merge patch.
    #[must_use]
    pub fn object(&self, node: &str, uid: &str, now: Timestamp) -> Value {
        let owner = json!({"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid});
        json!({"apiVersion": API_VERSION, "kind": "NodePressure",
            "metadata": {"name": node, "ownerReferences": [owner]},
            "time": time(now), "node": self.node, "pods": self.pods})
    }
}

fn differ(a: Stalls, b: Stalls) -> bool {
    let news = |a: u8, b: u8| a.abs_diff(b) >= STEP || (a == 0) != (b == 0);
    a.each().iter().zip(b.each()).any(|(a, b)| news(a.some, b.some) || news(a.full, b.full))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::pressure::Stall;

    fn cpu(some: u8) -> Stalls {
        Stalls { cpu: Stall { some, full: 0 }, ..Stalls::default() }
    }

    fn pod(uid: &str, some: u8) -> PodPressure {
        PodPressure { uid: uid.into(), name: uid.into(), namespace: "default".into(), stalls: cpu(some) }
    }

    #[test]
    fn only_pods_that_are_stalled_are_told_of_and_not_too_many() {
        let report = Report::new(cpu(50), [pod("calm", 5), pod("b", 40), pod("a", 80)]);
        assert_eq!(report.pods, [pod("a", 80), pod("b", 40)]);
        let crowd = Report::new(cpu(50), (0..100).map(|n| pod(&n.to_string(), 20)));
        assert_eq!(crowd.pods.len(), MOST);
        assert!(crowd.object("n", "u", Timestamp::UNIX_EPOCH).to_string().len() < 8000, "small");
    }

    #[test]
    fn noise_is_no_news() {
        let told = Report::new(cpu(50), [pod("a", 50)]);
        for (node, pods, news) in [
            (50, vec![pod("a", 50)], false),
            (60, vec![pod("a", 40)], false),
            (65, vec![pod("a", 50)], true),
            (50, vec![pod("a", 35)], true),
            (50, vec![pod("b", 50)], true),
            (50, vec![], true),
            (50, vec![pod("a", 50), pod("b", 10)], true),
        ] {
            assert_eq!(Report::new(cpu(node), pods.clone()).is_news(&told), news, "{node} {pods:?}");
        }
        assert!(Report::new(cpu(5), []).is_news(&Report::default()), "the first of it is");
    }
}
