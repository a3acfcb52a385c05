//! Bringing together a pod as the API sends it and what this node told of it: the node's own facts are
//! newer here, the conditions of others are newer there. Pure.

use k8s_openapi::api::core::v1::{Pod, PodCondition, PodStatus};

use super::resize::{IN_PROGRESS, PENDING};

/// The conditions that a kubelet owns.
pub const OWN: [&str; 7] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled", PENDING, IN_PROGRESS];

/// The pod of the API with the status that was told last.
#[must_use]
pub fn merge(api: &Pod, told: Option<&PodStatus>) -> Pod {
    let mut pod = api.clone();
    let Some(told) = told else { return pod };
    let theirs = pod.status.take().unwrap_or_default();
    let mut status = told.clone();
    let own = status.conditions.take().unwrap_or_default();
    let foreign = theirs.conditions.into_iter().flatten().filter(|c| !is_own(c));
    status.conditions = Some(own.into_iter().filter(is_own).chain(foreign).collect());
    status.resize = theirs.resize;
    pod.status = Some(status);
    pod
}

fn is_own(condition: &PodCondition) -> bool {
    OWN.contains(&condition.type_.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn foreign_conditions_come_from_the_api_and_own_facts_from_here() {
        let pod = |status| {
            serde_json::from_value::<Pod>(json!({"metadata": {"name": "p"}, "status": status})).expect("a pod")
        };
        let told = pod(json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})).status;
        let api = pod(
            json!({"phase": "Pending", "conditions": [{"type": "Ready", "status": "False"}, {"type": "gate", "status": "True"}]}),
        );
        let status = merge(&api, told.as_ref()).status.expect("told");
        assert_eq!(status.phase.as_deref(), Some("Running"));
        let kinds: Vec<_> = status.conditions.iter().flatten().map(|c| (c.type_.as_str(), c.status.as_str())).collect();
        assert_eq!(kinds, [("Ready", "True"), ("gate", "True")]);
    }
}
