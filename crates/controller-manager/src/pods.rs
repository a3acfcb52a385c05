//! What controllers ask about a pod, and which pods go first when some must go.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::{Pod, PodCondition};

/// The annotation that makes a pod cheaper or dearer to delete.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The phase, empty if there is none yet.
#[must_use]
pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

/// Whether the pod has ended for good.
#[must_use]
pub fn is_finished(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether the pod counts as one that a controller wanted: neither finished nor going.
#[must_use]
pub fn is_active(pod: &Pod) -> bool {
    !is_finished(pod) && pod.metadata.deletion_timestamp.is_none()
}

/// The condition of a type.
#[must_use]
pub fn condition<'a>(pod: &'a Pod, type_: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|c| c.type_ == type_)
}

/// Whether the Ready condition is true.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|c| c.status == "True")
}

/// Whether the pod has been ready for `min_ready` seconds.
#[must_use]
pub fn is_available(pod: &Pod, min_ready: i32, now: Timestamp) -> bool {
    until_available(pod, min_ready, now) == Some(SignedDuration::ZERO)
}

/// How long a ready pod needs to become available; nothing if it is not ready.
#[must_use]
pub fn until_available(pod: &Pod, min_ready: i32, now: Timestamp) -> Option<SignedDuration> {
    let ready = condition(pod, "Ready").filter(|c| c.status == "True")?;
    if min_ready == 0 {
        return Some(SignedDuration::ZERO);
    }
    let since = ready.last_transition_time.as_ref()?.0;
    let left = SignedDuration::from_secs(min_ready.into()) - now.duration_since(since);
    Some(left.max(SignedDuration::ZERO))
}

/// The node the pod is bound to, if it is bound.
#[must_use]
pub fn node(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|n| !n.is_empty())
}

/// Sorts pods so that those preferred for deletion come first. `related` are all pods of the same
/// workload: of pods that share a node with many of them, one goes first.
pub fn rank_for_deletion(pods: &mut [Arc<Pod>], related: &[Arc<Pod>], now: Timestamp) {
    let mut per_node: HashMap<&str, usize> = HashMap::new();
    for pod in related.iter().filter(|p| is_active(p)) {
        *per_node.entry(node(pod).unwrap_or_default()).or_default() += 1;
    }
    let rank = |pod: &Pod| per_node.get(node(pod).unwrap_or_default()).copied().unwrap_or_default();
    pods.sort_by(|a, b| deletion_order(a, b, rank(a), rank(b), now));
}

/// The order of upstream's eight rules; the smaller goes first.
fn deletion_order(a: &Pod, b: &Pod, rank_a: usize, rank_b: usize, now: Timestamp) -> Ordering {
    node(a)
        .is_some()
        .cmp(&node(b).is_some())
        .then_with(|| phase_order(a).cmp(&phase_order(b)))
        .then_with(|| is_ready(a).cmp(&is_ready(b)))
        .then_with(|| deletion_cost(a).cmp(&deletion_cost(b)))
        .then_with(|| rank_b.cmp(&rank_a))
        .then_with(|| youth(ready_since(a), ready_since(b), now))
        .then_with(|| most_restarts(b).cmp(&most_restarts(a)))
        .then_with(|| youth(created(a), created(b), now))
        .then_with(|| a.metadata.uid.cmp(&b.metadata.uid))
}

fn phase_order(pod: &Pod) -> u8 {
    match phase(pod) {
        "Unknown" => 1,
        "Running" => 2,
        _ => 0,
    }
}

fn deletion_cost(pod: &Pod) -> i32 {
    let text = pod.metadata.annotations.as_ref().and_then(|a| a.get(DELETION_COST));
    text.and_then(|t| t.parse().ok()).unwrap_or_default()
}

fn ready_since(pod: &Pod) -> Option<Timestamp> {
    condition(pod, "Ready").filter(|c| c.status == "True")?.last_transition_time.as_ref().map(|t| t.0)
}

fn created(pod: &Pod) -> Option<Timestamp> {
    pod.metadata.creation_timestamp.as_ref().map(|t| t.0)
}

/// The younger first, by the logarithm of the age, so that equals are chosen by their UID.
fn youth(a: Option<Timestamp>, b: Option<Timestamp>, now: Timestamp) -> Ordering {
    let age = |t: Option<Timestamp>| t.map(|t| now.duration_since(t).as_secs().max(1).ilog2());
    age(a).cmp(&age(b))
}

fn most_restarts(pod: &Pod) -> i32 {
    let statuses = pod.status.as_ref().and_then(|s| s.container_statuses.as_ref());
    statuses.into_iter().flatten().map(|c| c.restart_count).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::kinds::core::{PodSpec, PodStatus};
    use nakhoda_api::kinds::meta::{ObjectMeta, Time};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).expect("in range")
    }

    fn pod(name: &str, node: &str, phase: &str, ready_at: Option<i64>) -> Arc<Pod> {
        let ready = ready_at.map(|s| {
            vec![PodCondition {
                type_: "Ready".into(),
                status: "True".into(),
                last_transition_time: Some(Time(at(s))),
                ..PodCondition::default()
            }]
        });
        Arc::new(Pod {
            metadata: ObjectMeta { name: Some(name.into()), uid: Some(name.into()), ..ObjectMeta::default() },
            spec: Some(PodSpec { node_name: Some(node.into()), ..PodSpec::default() }),
            status: Some(PodStatus { phase: Some(phase.into()), conditions: ready, ..PodStatus::default() }),
        })
    }

    fn names(pods: &[Arc<Pod>]) -> Vec<&str> {
        pods.iter().map(|p| p.metadata.name.as_deref().unwrap_or_default()).collect()
    }

    #[test]
    fn unbound_then_pending_then_unready_pods_go_first() {
        let mut pods = vec![
            pod("ready", "n1", "Running", Some(0)),
            pod("unready", "n1", "Running", None),
            pod("pending", "n1", "Pending", None),
            pod("unbound", "", "Pending", None),
        ];
        let related = pods.clone();
        rank_for_deletion(&mut pods, &related, at(100));
        assert_eq!(names(&pods), ["unbound", "pending", "unready", "ready"]);
    }

    #[test]
    fn of_ready_pods_the_one_on_the_fuller_node_goes_first_then_the_younger() {
        let mut pods = vec![
            pod("alone", "n2", "Running", Some(90)),
            pod("old", "n1", "Running", Some(-90_000)),
            pod("young", "n1", "Running", Some(95)),
        ];
        let related = pods.clone();
        rank_for_deletion(&mut pods, &related, at(100));
        assert_eq!(names(&pods), ["young", "old", "alone"]);
    }

    #[test]
    fn a_pod_becomes_available_after_its_time() {
        let pod = pod("a", "n1", "Running", Some(0));
        assert!(!is_available(&pod, 10, at(9)) && is_available(&pod, 10, at(10)) && is_available(&pod, 0, at(0)));
        assert_eq!(until_available(&pod, 10, at(7)), Some(SignedDuration::from_secs(3)));
    }
}
