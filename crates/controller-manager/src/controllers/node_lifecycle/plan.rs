//! What becomes of a node: the conditions of a silent one, the taints that its conditions ask for.

use jiff::Timestamp;
use nakhoda_api::kinds::core::{Node, NodeCondition, Pod, Taint};
use nakhoda_api::kinds::meta::Time;

use crate::nodes::{condition, status};
use crate::taints::{
    self, DISK_PRESSURE, MEMORY_PRESSURE, NETWORK_UNAVAILABLE, NO_EXECUTE, NO_SCHEDULE, NOT_READY, PID_PRESSURE,
    UNREACHABLE, UNSCHEDULABLE,
};

/// Conditions that a kubelet posts.
const POSTED: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// A condition, its status, and the taint that they ask for.
const BY_CONDITION: [(&str, &str, &str); 6] = [
    ("Ready", "False", NOT_READY),
    ("Ready", "Unknown", UNREACHABLE),
    ("MemoryPressure", "True", MEMORY_PRESSURE),
    ("DiskPressure", "True", DISK_PRESSURE),
    ("NetworkUnavailable", "True", NETWORK_UNAVAILABLE),
    ("PIDPressure", "True", PID_PRESSURE),
];

/// A node that has fallen silent, as its status should say; nothing if it says so already.
#[must_use]
pub fn silence(node: &Node, now: Timestamp) -> Option<Node> {
    let mut silent = node.clone();
    let conditions = silent.status.get_or_insert_default().conditions.get_or_insert_default();
    let mut changed = false;
    for type_ in POSTED {
        match conditions.iter_mut().find(|c| c.type_ == type_) {
            Some(condition) if condition.status == "Unknown" => continue,
            Some(condition) => {
                condition.status = "Unknown".into();
                condition.reason = Some("NodeStatusUnknown".into());
                condition.message = Some("Kubelet stopped posting node status.".into());
                condition.last_transition_time = Some(Time(now));
            }
            None => conditions.push(NodeCondition {
                type_: type_.into(),
                status: "Unknown".into(),
                reason: Some("NodeStatusNeverUpdated".into()),
                message: Some("Kubelet never posted node status.".into()),
                last_heartbeat_time: node.metadata.creation_timestamp.clone(),
                last_transition_time: Some(Time(now)),
            }),
        }
        changed = true;
    }
    changed.then_some(silent)
}

/// The taints that a node should have: those that follow from its conditions, and all that others gave
/// it. With `evicting`, pods are told to leave a node that is not ready.
#[must_use]
pub fn taints(node: &Node, evicting: bool, now: Timestamp) -> Vec<Taint> {
    let wanted = wanted(node, evicting);
    let ours = |taint: &Taint| {
        let by_condition = BY_CONDITION.iter().any(|(_, _, key)| *key == taint.key);
        match taint.effect.as_str() {
            NO_SCHEDULE => by_condition || taint.key == UNSCHEDULABLE,
            NO_EXECUTE => taint.key == NOT_READY || taint.key == UNREACHABLE,
            _ => false,
        }
    };
    let is_wanted = |taint: &Taint| wanted.iter().any(|w| (w.0, w.1) == (taint.key.as_str(), taint.effect.as_str()));
    let mut taints: Vec<Taint> = taints::of(node).iter().filter(|t| !ours(t) || is_wanted(t)).cloned().collect();
    for (key, effect) in wanted {
        if !taints.iter().any(|t| t.key == key && t.effect == effect) {
            let time_added = Some(Time(now));
            taints.push(Taint { key: key.into(), effect: effect.into(), value: None, time_added });
        }
    }
    taints
}

/// A pod that is no longer ready because its node is not.
#[must_use]
pub fn unready(pod: &Pod, now: Timestamp) -> Pod {
    let mut pod = pod.clone();
    let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
    if let Some(ready) = conditions.iter_mut().find(|c| c.type_ == "Ready") {
        ready.status = "False".into();
        ready.last_transition_time = Some(Time(now));
    }
    pod
}

fn wanted(node: &Node, evicting: bool) -> Vec<(&'static str, &'static str)> {
    let met = BY_CONDITION.iter().filter(|(type_, wanted, _)| status(node, type_) == *wanted);
    let mut wanted: Vec<_> = met.map(|(_, _, key)| (*key, NO_SCHEDULE)).collect();
    if node.spec.as_ref().and_then(|s| s.unschedulable) == Some(true) {
        wanted.push((UNSCHEDULABLE, NO_SCHEDULE));
    }
    if condition(node, "Ready").is_none() {
        // The taint that admission gave a node at its birth stays until its first word.
        wanted.push((NOT_READY, NO_SCHEDULE));
    }
    match status(node, "Ready") {
        "False" if evicting || has(node, NOT_READY) => wanted.push((NOT_READY, NO_EXECUTE)),
        "Unknown" if evicting || has(node, UNREACHABLE) => wanted.push((UNREACHABLE, NO_EXECUTE)),
        _ => {}
    }
    wanted
}

/// A taint that tells pods to leave stays once it is given.
fn has(node: &Node, key: &str) -> bool {
    taints::of(node).iter().any(|t| t.key == key && t.effect == NO_EXECUTE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::core::{NodeSpec, NodeStatus};

    fn node(ready: &str, taints: Vec<Taint>) -> Node {
        let condition = NodeCondition { type_: "Ready".into(), status: ready.into(), ..NodeCondition::default() };
        Node {
            spec: Some(NodeSpec { taints: Some(taints), ..NodeSpec::default() }),
            status: Some(NodeStatus { conditions: Some(vec![condition]), ..NodeStatus::default() }),
            ..Node::default()
        }
    }

    fn keys(taints: &[Taint]) -> Vec<(&str, &str)> {
        taints.iter().map(|t| (t.key.as_str(), t.effect.as_str())).collect()
    }

    #[test]
    fn taints_follow_the_ready_condition_and_foreign_ones_stay() {
        let now = Timestamp::UNIX_EPOCH;
        let foreign = Taint { key: "mine".into(), effect: NO_EXECUTE.into(), ..Taint::default() };
        let unready = taints(&node("False", vec![foreign.clone()]), true, now);
        assert_eq!(keys(&unready), [("mine", NO_EXECUTE), (NOT_READY, NO_SCHEDULE), (NOT_READY, NO_EXECUTE)]);
        let unknown = taints(&node("Unknown", unready), true, now);
        assert_eq!(keys(&unknown), [("mine", NO_EXECUTE), (UNREACHABLE, NO_SCHEDULE), (UNREACHABLE, NO_EXECUTE)]);
        assert_eq!(taints(&node("True", unknown), true, now), [foreign]);
    }

    #[test]
    fn nobody_is_told_to_leave_while_all_nodes_are_lost() {
        let silent = taints(&node("Unknown", Vec::new()), false, Timestamp::UNIX_EPOCH);
        assert_eq!(keys(&silent), [(UNREACHABLE, NO_SCHEDULE)]);
    }

    #[test]
    fn a_silent_node_is_unknown_in_all_it_posts_and_only_once() {
        let now = Timestamp::UNIX_EPOCH;
        let silent = silence(&node("True", Vec::new()), now).expect("news");
        for type_ in POSTED {
            assert_eq!(status(&silent, type_), "Unknown", "{type_}");
        }
        let reason = |type_: &str| condition(&silent, type_).and_then(|c| c.reason.clone());
        assert_eq!(reason("Ready").as_deref(), Some("NodeStatusUnknown"));
        assert_eq!(reason("PIDPressure").as_deref(), Some("NodeStatusNeverUpdated"));
        assert_eq!(silence(&silent, Timestamp::MAX), None);
    }
}
