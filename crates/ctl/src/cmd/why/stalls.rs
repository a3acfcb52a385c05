//! Who waits for processor, memory or disk: why the scheduler kept a pod from other nodes, and how it fares at its own.
//! Pure.

use nakhoda_api::kinds::pressure::{NodePressure, PodPressure, Stalls};
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::{items, text};

/// Waiting less than this part of the time is not worth a word.
const WORTH: u8 = 10;
/// So many of those that wait most are named.
const NAMED: usize = 3;

/// What the scheduler weighed, and what the kubelet of the pod's node measures now.
#[must_use]
pub fn facts(pod: &Value, pressure: Option<&Value>) -> Vec<(String, String)> {
    let avoided = items(pod, "/status/conditions").find(|c| c["type"] == "nakhoda.dev/InterferenceAvoided");
    let avoided = avoided.map(|condition| ("scheduler".to_owned(), format!("chose another node: {}", text(condition, "/message"))));
    let measured = pressure.and_then(|value| NodePressure::deserialize(value).ok());
    avoided.into_iter().chain(measured.into_iter().flat_map(|measured| of_node(pod, &measured))).collect()
}

fn of_node(pod: &Value, measured: &NodePressure) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let uid = text(pod, "/metadata/uid");
    if let Some(own) = measured.pods.iter().find(|pod| pod.uid == uid) {
        facts.extend(waits(own.stalls).map(|(resource, some)| ("this pod".into(), format!("waits for {resource} {some} % of the time"))));
    }
    for (resource, some) in waits(measured.node) {
        let mut others: Vec<(u8, &PodPressure)> =
            measured.pods.iter().filter(|pod| pod.uid != uid).map(|pod| (some_of(pod.stalls, resource), pod)).collect();
        others.retain(|(some, _)| *some >= WORTH);
        others.sort_by_key(|(some, _)| std::cmp::Reverse(*some));
        let named: Vec<String> =
            others.iter().take(NAMED).map(|(some, pod)| format!("{}/{} {some} %", pod.namespace, pod.name)).collect();
        let who = if named.is_empty() { String::new() } else { format!(", beside it {}", named.join(", ")) };
        let node = format!("node {}", text(pod, "/spec/nodeName"));
        facts.push((node, format!("its pods wait for {resource} {some} % of the time{who}")));
    }
    facts
}

fn waits(stalls: Stalls) -> impl Iterator<Item = (&'static str, u8)> {
    let each = Stalls::NAMES.into_iter().zip(stalls.each()).map(|(resource, stall)| (resource, stall.some));
    each.filter(|(_, some)| *some >= WORTH)
}

fn some_of(stalls: Stalls, resource: &str) -> u8 {
    let mut each = Stalls::NAMES.into_iter().zip(stalls.each());
    each.find(|(name, _)| *name == resource).map_or(0, |(_, stall)| stall.some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_avoided_and_who_waits_now_is_told() {
        let pod = json!({"metadata": {"uid": "u"}, "spec": {"nodeName": "n"}, "status": {"conditions": [
            {"type": "nakhoda.dev/InterferenceAvoided", "status": "True", "message": "tasks wait on m (cpu: 80 % of the time)"}]}});
        let stall = |some: u8| json!({"some": some, "full": 0});
        let pressure = json!({"node": {"cpu": stall(60), "memory": stall(5), "io": stall(0)}, "pods": [
            {"namespace": "d", "name": "hog", "uid": "h", "cpu": stall(85)},
            {"namespace": "d", "name": "me", "uid": "u", "cpu": stall(20)}]});
        let told: Vec<String> = facts(&pod, Some(&pressure)).into_iter().map(|(what, why)| format!("{what} {why}")).collect();
        assert_eq!(
            told,
            [
                "scheduler chose another node: tasks wait on m (cpu: 80 % of the time)",
                "this pod waits for cpu 20 % of the time",
                "node n its pods wait for cpu 60 % of the time, beside it d/hog 85 %",
            ]
        );
        assert!(facts(&json!({}), None).is_empty() && facts(&json!({}), Some(&json!({"node": {}}))).is_empty());
    }
}
