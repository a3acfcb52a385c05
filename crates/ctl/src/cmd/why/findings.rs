//! What a pod, its events and its node say about its state. Pure.

use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::{items, text};
use crate::describe::values::age;

/// The state in one sentence, with the nearest cause.
#[must_use]
pub fn headline(pod: &Value, events: &[Value]) -> String {
    let phase = text(pod, "/status/phase");
    if !text(pod, "/metadata/deletionTimestamp").is_empty() {
        return "is terminating".into();
    }
    if let Some(container) = stuck(pod) {
        let (name, waiting) = (text(container, "/name"), &container["state"]["waiting"]);
        let message = text(waiting, "/message");
        let why = if message.is_empty() { String::new() } else { format!(": {message}") };
        return format!("container {name} waits: {}{why}", text(waiting, "/reason"));
    }
    let is_scheduled = items(pod, "/status/conditions").any(|c| c["type"] == "PodScheduled" && c["status"] == "True");
    if phase == "Pending" && !is_scheduled {
        let condition = items(pod, "/status/conditions").find(|c| c["type"] == "PodScheduled");
        let why = condition.map(|c| text(c, "/message")).filter(|m| !m.is_empty());
        return match why.or_else(|| latest(events, "FailedScheduling")) {
            Some(why) => format!("is not scheduled: {why}"),
            None => "is not scheduled yet: the scheduler has said nothing about it".into(),
        };
    }
    if phase == "Running" && !is_ready(pod) {
        return match latest(events, "Unhealthy") {
            Some(why) => format!("is running but not ready: {why}"),
            None => "is running but not ready".into(),
        };
    }
    let reason = text(pod, "/status/reason");
    match (phase, reason) {
        ("", _) => latest_warning(events).map_or_else(|| "has no pods".into(), |why| format!("has no pods: {why}")),
        ("Running", _) => "is running and ready".into(),
        ("Succeeded", _) => "has finished".into(),
        (phase, "") => format!("is {phase}"),
        (phase, reason) => format!("is {phase}: {reason} {}", text(pod, "/status/message")),
    }
}

/// Facts that are out of the ordinary: conditions, containers, the node.
#[must_use]
pub fn facts(pod: &Value, node: Option<&Value>, now: Timestamp) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    for condition in items(pod, "/status/conditions").filter(|c| c["status"] != "True") {
        let since = age(now, text(condition, "/lastTransitionTime"));
        let why = [text(condition, "/reason"), text(condition, "/message")].join(" ");
        facts.push((format!("{} is {}", text(condition, "/type"), text(condition, "/status")), format!("for {since} {}", why.trim())));
    }
    for container in containers(pod) {
        facts.extend(container_facts(container, now));
    }
    let unready = node.and_then(|node| items(node, "/status/conditions").find(|c| c["type"] == "Ready" && c["status"] != "True"));
    if let Some(condition) = unready {
        facts.push((format!("node {}", text(pod, "/spec/nodeName")), format!("is not ready: {}", text(condition, "/message"))));
    }
    if let Some(node) = node.filter(|node| node["spec"]["unschedulable"] == true) {
        facts.push((format!("node {}", text(node, "/metadata/name")), "is cordoned".into()));
    }
    facts
}

fn container_facts(container: &Value, now: Timestamp) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let name = format!("container {}", text(container, "/name"));
    let restarts = container["restartCount"].as_u64().unwrap_or(0);
    for state in ["lastState", "state"] {
        let exit = &container[state]["terminated"];
        if exit.is_object() {
            let ago = age(now, text(exit, "/finishedAt"));
            let cause = meaning(exit);
            let message = text(exit, "/message").trim();
            facts.push((name.clone(), format!("ended {ago} ago with exit code {}{cause} {message}", exit["exitCode"]).trim_end().to_owned()));
        }
    }
    if restarts > 0 {
        facts.push((name, format!("restarted {restarts} times")));
    }
    facts
}

/// What an exit code means to people.
fn meaning(exit: &Value) -> String {
    let reason = text(exit, "/reason");
    let code = match exit["exitCode"].as_i64() {
        _ if reason == "OOMKilled" => "it used more memory than its limit",
        Some(126) => "the command cannot be executed",
        Some(127) => "the command is not in the image",
        Some(137) => "it was killed (SIGKILL)",
        Some(139) => "it crashed (SIGSEGV)",
        Some(143) => "it was asked to end (SIGTERM)",
        _ => reason,
    };
    if code.is_empty() { String::new() } else { format!(": {code}") }
}

/// Commands that help from here.
#[must_use]
pub fn advice(pod: &Value, events: &[Value]) -> Vec<String> {
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let mut next = Vec::new();
    let is_image = |reason: &str| matches!(reason, "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName");
    for container in containers(pod) {
        let reason = text(container, "/state/waiting/reason");
        if is_image(reason) {
            next.push(format!("ctl image load FILE.tar    (the image {} is not on the node)", text(container, "/image")));
        } else if reason == "CrashLoopBackOff" {
            next.push(format!("ctl logs -n {namespace} {name} -c {} --previous", text(container, "/name")));
        }
    }
    if latest(events, "FailedScheduling").is_some() && text(pod, "/spec/nodeName").is_empty() {
        next.push("ctl describe nodes    (what they have to give, and their taints)".into());
    }
    next.dedup();
    next
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    items(pod, "/status/initContainerStatuses").chain(items(pod, "/status/containerStatuses"))
}

/// A container that waits for a reason of its own, not for its turn.
fn stuck(pod: &Value) -> Option<&Value> {
    let own = |reason: &str| !matches!(reason, "" | "ContainerCreating" | "PodInitializing");
    containers(pod).find(|container| own(text(container, "/state/waiting/reason")))
}

fn is_ready(pod: &Value) -> bool {
    items(pod, "/status/conditions").any(|c| c["type"] == "Ready" && c["status"] == "True")
}

fn latest<'a>(events: &'a [Value], reason: &str) -> Option<&'a str> {
    events.iter().rev().find(|event| event["reason"] == reason).map(|event| text(event, "/message"))
}

fn latest_warning(events: &[Value]) -> Option<&str> {
    events.iter().rev().find(|event| event["type"] == "Warning").map(|event| text(event, "/message"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_nearest_cause_is_named() {
        let scheduled = json!({"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Insufficient cpu."}]}});
        assert_eq!(headline(&scheduled, &[]), "is not scheduled: 0/1 nodes are available: 1 Insufficient cpu.");
        let image = json!({"status": {"phase": "Pending", "containerStatuses": [{"name": "a", "state": {"waiting": {"reason": "ErrImagePull", "message": "not found"}}}]}});
        assert_eq!(headline(&image, &[]), "container a waits: ErrImagePull: not found");
        let events = [json!({"reason": "Unhealthy", "message": "Readiness probe failed: refused"})];
        let unready = json!({"status": {"phase": "Running", "conditions": [{"type": "PodScheduled", "status": "True"}]}});
        assert_eq!(headline(&unready, &events), "is running but not ready: Readiness probe failed: refused");
    }

    #[test]
    fn the_last_exit_is_told_and_what_to_do_next() {
        let pod = json!({"metadata": {"name": "p", "namespace": "n"}, "status": {"containerStatuses": [{"name": "a", "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 127, "finishedAt": "1970-01-01T00:00:00Z"}}}]}});
        let facts = facts(&pod, None, "1970-01-01T00:00:05Z".parse().expect("a time"));
        assert_eq!(facts[0].1, "ended 5s ago with exit code 127: the command is not in the image");
        assert_eq!(facts[1].1, "restarted 3 times");
        assert_eq!(advice(&pod, &[]), ["ctl logs -n n p -c a --previous"]);
    }
}
