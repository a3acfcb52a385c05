//! From what a command line names to the pods behind it, and to their containers.

use nakhoda_client::Selection;
use serde_json::Value;

use crate::cluster::{items, text};
use crate::targets::Item;
use crate::{Cluster, Error};

/// Says which container is meant if nobody says.
const DEFAULT: &str = "kubectl.kubernetes.io/default-container";

/// The pods of an object: itself, or those that its selector selects, best first. Those that are being
/// deleted count only if there are no others.
pub async fn of(cluster: &Cluster, item: &Item) -> Result<Vec<Value>, Error> {
    let object = item.get(cluster).await?;
    if item.resource.kind == "Pod" {
        return Ok(vec![object]);
    }
    let selector = selector(&object).ok_or_else(|| {
        Error::Usage(format!("cannot get the logs or run commands from {}: it selects no pods", item.printed()))
    })?;
    let mut pods = cluster.list(cluster.mapping.find("pods")?, &item.namespace, &Selection::labels(selector)).await?;
    let is_going = |pod: &Value| !text(pod, "/metadata/deletionTimestamp").is_empty();
    if !pods.iter().all(is_going) {
        pods.retain(|pod| !is_going(pod));
    }
    pods.sort_by_key(rank);
    if pods.is_empty() { Err(Error::Usage(format!("{} has no pods", item.printed()))) } else { Ok(pods) }
}

/// The best pod of an object; if there are others, that is told.
pub async fn best(cluster: &Cluster, item: &Item) -> Result<Value, Error> {
    let mut pods = of(cluster, item).await?;
    if pods.len() > 1 {
        eprintln!("Found {} pods, using pod/{}", pods.len(), text(&pods[0], "/metadata/name"));
    }
    Ok(pods.swap_remove(0))
}

/// The label selector of a workload or a Service, as text.
#[must_use]
pub fn selector(object: &Value) -> Option<String> {
    let selector = object.pointer("/spec/selector")?.as_object()?;
    let labels = match selector.get("matchLabels") {
        Some(labels) => labels.as_object()?,
        None if selector.contains_key("matchExpressions") => &serde_json::Map::new(),
        None => selector,
    };
    let mut parts: Vec<String> =
        labels.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    parts.extend(items(object, "/spec/selector/matchExpressions").map(expression));
    (!parts.is_empty()).then(|| parts.join(","))
}

/// Whether a Service's port is meant by this number or name.
#[must_use]
pub fn is_port(port: &Value, word: &str) -> bool {
    port["name"] == word || word.parse::<u64>().is_ok_and(|number| port["port"] == number)
}

fn expression(value: &Value) -> String {
    let key = text(value, "/key");
    let values: Vec<&str> = items(value, "/values").filter_map(Value::as_str).collect();
    match text(value, "/operator") {
        "In" => format!("{key} in ({})", values.join(",")),
        "NotIn" => format!("{key} notin ({})", values.join(",")),
        "DoesNotExist" => format!("!{key}"),
        _ => key.to_owned(),
    }
}

/// Running and ready first, then by age, oldest first.
fn rank(pod: &Value) -> (bool, bool, String) {
    let ready = items(pod, "/status/conditions").any(|c| c["type"] == "Ready" && c["status"] == "True");
    (text(pod, "/status/phase") != "Running", !ready, text(pod, "/metadata/creationTimestamp").to_owned())
}

/// The names of a pod's containers; with init containers first if wanted.
#[must_use]
pub fn containers(pod: &Value, all: bool) -> Vec<String> {
    let lists: &[&str] = if all {
        &["/spec/initContainers", "/spec/containers", "/spec/ephemeralContainers"]
    } else {
        &["/spec/containers"]
    };
    lists.iter().flat_map(|list| items(pod, list)).map(|c| text(c, "/name").to_owned()).collect()
}

/// The container that is meant: the named one, the pod's default, or the first, which is then told.
pub fn container(pod: &Value, name: Option<&str>) -> Result<String, Error> {
    let all = containers(pod, true);
    let pod_name = text(pod, "/metadata/name");
    if let Some(name) = name {
        let known = all.iter().any(|other| other == name);
        let unknown = || Error::Usage(format!("container {name} not found in pod {pod_name}"));
        return if known { Ok(name.into()) } else { Err(unknown()) };
    }
    let chosen = pod["metadata"]["annotations"][DEFAULT].as_str().filter(|name| all.iter().any(|other| other == name));
    if let Some(name) = chosen {
        return Ok(name.into());
    }
    let mains = containers(pod, false);
    let first = mains.first().ok_or_else(|| Error::Usage(format!("pod {pod_name} has no containers")))?;
    if all.len() > 1 {
        let others = items(pod, "/spec/initContainers").map(|c| format!("{} (init)", text(c, "/name")));
        let listed: Vec<String> = mains.iter().cloned().chain(others).collect();
        eprintln!("Defaulted container {first:?} out of: {}", listed.join(", "));
    }
    Ok(first.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_of_workloads_and_services_are_read() {
        let workload = json!({"spec": {"selector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["d", "e"]}]}}});
        assert_eq!(selector(&workload).as_deref(), Some("a=b,c in (d,e)"));
        assert_eq!(selector(&json!({"spec": {"selector": {"app": "x"}}})).as_deref(), Some("app=x"));
        assert_eq!(selector(&json!({"spec": {}})), None);
    }

    #[test]
    fn a_container_is_chosen_by_name_by_annotation_or_as_the_first() {
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
        assert_eq!(container(&pod, None).expect("one"), "a");
        assert_eq!(container(&pod, Some("b")).expect("one"), "b");
        assert!(container(&pod, Some("c")).is_err());
        let mut annotated = pod;
        annotated["metadata"]["annotations"] = json!({DEFAULT: "b"});
        assert_eq!(container(&annotated, None).expect("one"), "b");
    }
}
