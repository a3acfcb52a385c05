//! Which pods leave a node, which stay, and what forbids it. Pure.

use serde_json::Value;

use crate::cluster::{items, text};

/// What the user allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules {
    /// Pods of daemon sets stay.
    pub daemon_sets: bool,
    /// Pods without a controller are lost.
    pub unmanaged: bool,
    /// Data in emptyDir is lost.
    pub local: bool,
}

/// What is to be done.
#[derive(Clone, Debug, Default)]
pub struct Plan<'a> {
    /// Pods that leave.
    pub leave: Vec<&'a Value>,
    /// Why nothing is done at all.
    pub refuse: Vec<String>,
    /// What is done though one may not want it.
    pub warnings: Vec<String>,
}

// === impl Plan ===

impl<'a> Plan<'a> {
    /// For the pods of a node.
    #[must_use]
    pub fn of(pods: &'a [Value], rules: Rules) -> Self {
        let mut plan = Self::default();
        let (mut daemons, mut unmanaged, mut local) = (Vec::new(), Vec::new(), Vec::new());
        for pod in pods {
            let name = format!("{}/{}", text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
            let owner = items(pod, "/metadata/ownerReferences").find(|owner| owner["controller"] == true);
            let finished = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
            if pod["metadata"]["annotations"]["kubernetes.io/config.mirror"].is_string() {
                continue;
            }
            if owner.is_some_and(|owner| owner["kind"] == "DaemonSet") && !finished {
                daemons.push(name);
                continue;
            }
            if owner.is_none() && !finished {
                unmanaged.push(name.clone());
            }
            if !finished && items(pod, "/spec/volumes").any(|volume| volume["emptyDir"].is_object()) {
                local.push(name);
            }
            plan.leave.push(pod);
        }
        plan.judge(&daemons, rules.daemon_sets, "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)", "ignoring DaemonSet-managed Pods");
        plan.judge(&unmanaged, rules.unmanaged, "cannot delete Pods that declare no controller (use --force to override)", "deleting Pods that declare no controller");
        plan.judge(&local, rules.local, "cannot delete Pods with local storage (use --delete-emptydir-data to override)", "");
        plan
    }

    fn judge(&mut self, pods: &[String], allowed: bool, refusal: &str, warning: &str) {
        match (pods.is_empty(), allowed) {
            (false, false) => self.refuse.push(format!("{refusal}: {}", pods.join(", "))),
            (false, true) if !warning.is_empty() => self.warnings.push(format!("{warning}: {}", pods.join(", "))),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pods() -> Vec<Value> {
        let owned = |name: &str, kind: &str| json!({"metadata": {"namespace": "n", "name": name, "ownerReferences": [{"kind": kind, "controller": true}]}, "spec": {}});
        let mut local = owned("local", "ReplicaSet");
        local["spec"]["volumes"] = json!([{"name": "x", "emptyDir": {}}]);
        vec![owned("d", "DaemonSet"), owned("r", "ReplicaSet"), local, json!({"metadata": {"namespace": "n", "name": "bare"}})]
    }

    #[test]
    fn what_would_be_lost_forbids_it() {
        let pods = pods();
        let plan = Plan::of(&pods, Rules::default());
        assert_eq!(plan.refuse.len(), 3);
        assert!(plan.refuse[0].ends_with("n/d") && plan.refuse[1].ends_with("n/bare") && plan.refuse[2].ends_with("n/local"));
    }

    #[test]
    fn pods_of_daemon_sets_stay() {
        let pods = pods();
        let plan = Plan::of(&pods, Rules { daemon_sets: true, unmanaged: true, local: true });
        let names: Vec<&str> = plan.leave.iter().map(|pod| text(pod, "/metadata/name")).collect();
        assert_eq!((names, plan.refuse.len(), plan.warnings.len()), (vec!["r", "local", "bare"], 0, 2));
    }
}
