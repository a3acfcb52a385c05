//! [`Budgets`]: the disruption budgets, as far as preemption has to weigh them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use nakhoda_api::kinds::policy::PodDisruptionBudget;
use nakhoda_api::selector::{LabelSelector, labels};
use nakhoda_client::Key;

use crate::pod::PodInfo;

/// Budgets by namespace and name.
#[derive(Debug, Default)]
pub struct Budgets {
    all: HashMap<Key, Budget>,
}

#[derive(Debug)]
struct Budget {
    selector: LabelSelector,
    /// How many pods may be disrupted now.
    allowed: i32,
    /// Names of those whose disruption was granted already.
    granted: BTreeSet<String>,
}

// === impl Budgets ===

impl Budgets {
    /// A budget is new or has changed.
    pub fn set(&mut self, object: &PodDisruptionBudget) {
        let spec = object.spec.as_ref();
        let status = object.status.as_ref();
        let budget = Budget {
            // The API server has checked it; one that cannot be read protects nobody.
            selector: labels::from_typed(spec.and_then(|s| s.selector.as_ref()))
                .unwrap_or_else(|_| LabelSelector::nothing()),
            allowed: status.and_then(|s| s.disruptions_allowed).unwrap_or_default(),
            granted: status
                .and_then(|s| s.disrupted_pods.as_ref())
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect(),
        };
        self.all.insert(Key::of(object), budget);
    }

    /// A budget is gone.
    pub fn remove(&mut self, key: &Key) {
        self.all.remove(key);
    }

    /// Parts pods, in their order, into those whose leaving would break a budget and the others: each
    /// pod uses up one disruption of every budget it is under. As upstream, a pod without labels is under none.
    #[must_use]
    pub fn part(&self, pods: Vec<Arc<PodInfo>>) -> (Vec<Arc<PodInfo>>, Vec<Arc<PodInfo>>) {
        let mut left: HashMap<&Key, i32> = self.all.iter().map(|(key, budget)| (key, budget.allowed)).collect();
        pods.into_iter().partition(|pod| {
            let mut breaks = false;
            for (key, _) in self.all.iter().filter(|(key, budget)| budget.protects(key, pod)) {
                let left = left.entry(key).or_default();
                *left -= 1;
                breaks |= *left < 0;
            }
            breaks
        })
    }
}

// === impl Budget ===

impl Budget {
    fn protects(&self, key: &Key, pod: &PodInfo) -> bool {
        let labels = pod.object.metadata.labels.as_ref();
        key.namespace == pod.key.namespace
            && labels.is_some_and(|labels| !labels.is_empty() && self.selector.matches(labels))
            && !self.granted.contains(&pod.key.name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::{info, pod};

    fn budget(allowed: i32, granted: &str) -> PodDisruptionBudget {
        serde_json::from_value(json!({
            "metadata": {"namespace": "default", "name": "b"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}},
            "status": {"disruptionsAllowed": allowed, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
                       "disruptedPods": {granted: "2026-01-01T00:00:00Z"}},
        }))
        .expect("a budget")
    }

    fn names(pods: &[Arc<PodInfo>]) -> Vec<&str> {
        pods.iter().map(|pod| pod.key.name.as_str()).collect()
    }

    #[test]
    fn pods_use_up_what_their_budget_allows() {
        let mut budgets = Budgets::default();
        budgets.set(&budget(1, "granted"));
        let web = |name: &str| info(pod(name).label("app", "web"));
        let pods = vec![web("granted"), web("first"), web("second"), info(pod("other"))];
        let (breaking, others) = budgets.part(pods.clone());
        assert_eq!((names(&breaking), names(&others)), (vec!["second"], vec!["granted", "first", "other"]));
        budgets.remove(&Key::new("default", "b"));
        assert!(budgets.part(pods).0.is_empty());
    }
}
