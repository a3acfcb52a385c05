//! What other API servers serve, put into the documents of this one.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::aggregation::Backend;

/// Group and version.
fn place(backend: &Backend) -> (String, String) {
    let spec = backend.service.spec.clone().unwrap_or_default();
    (spec.group.unwrap_or_default(), spec.version.unwrap_or_default())
}

/// Those that have told what they serve.
fn known(backends: &[Arc<Backend>]) -> impl Iterator<Item = &Arc<Backend>> {
    backends.iter().filter(|backend| !backend.discovery.load().is_null())
}

/// Into the document that tells everything at once.
pub fn aggregate(document: &mut Value, backends: &[Arc<Backend>]) {
    let Some(items) = document["items"].as_array_mut() else { return };
    for backend in known(backends) {
        let (group, name) = place(backend);
        let version = json!({"version": name, "resources": resources(backend, &group, &name), "freshness": "Current"});
        match items.iter_mut().find(|item| item["metadata"]["name"] == *group) {
            Some(item) => {
                if let Some(versions) = item["versions"].as_array_mut() {
                    // a server that was installed goes before what is served here
                    versions.retain(|known| known["version"] != *name);
                    versions.push(version);
                }
            }
            None => items.push(json!({"metadata": {"name": group, "creationTimestamp": null}, "versions": [version]})),
        }
    }
}

/// Into the list of groups.
pub fn list(document: &mut Value, backends: &[Arc<Backend>]) {
    let Some(groups) = document["groups"].as_array_mut() else { return };
    for backend in known(backends) {
        let (group, _) = place(backend);
        if !groups.iter().any(|known| known["name"] == *group) {
            let mut entry = self::group(&group, backends).unwrap_or_default();
            if let Some(entry) = entry.as_object_mut() {
                entry.shift_remove("kind");
                entry.shift_remove("apiVersion");
            }
            groups.push(entry);
        }
    }
}

/// A group that only others serve.
#[must_use]
pub fn group(name: &str, backends: &[Arc<Backend>]) -> Option<Value> {
    let versions: Vec<Value> = known(backends)
        .map(|backend| place(backend))
        .filter(|(group, _)| group == name)
        .map(|(group, version)| json!({"groupVersion": format!("{group}/{version}"), "version": version}))
        .collect();
    let preferred = versions.first()?.clone();
    Some(
        json!({"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": preferred}),
    )
}

/// The resources of a version, with their subresources below them.
fn resources(backend: &Backend, group: &str, version: &str) -> Vec<Value> {
    let discovery = backend.discovery.load();
    let listed = discovery["resources"].as_array().map(Vec::as_slice).unwrap_or_default();
    let kind = |resource: &Value| {
        let text = |field: &str, default: &str| {
            resource[field].as_str().filter(|s| !s.is_empty()).unwrap_or(default).to_owned()
        };
        json!({"group": text("group", group), "version": text("version", version), "kind": resource["kind"]})
    };
    let mut out: Vec<Value> = Vec::new();
    for resource in listed {
        let name = resource["name"].as_str().unwrap_or_default();
        match name.split_once('/') {
            Some((parent, sub)) => {
                if let Some(parent) = out.iter_mut().find(|known| known["resource"] == *parent) {
                    let below = json!({"subresource": sub, "responseKind": kind(resource), "verbs": resource["verbs"]});
                    match parent["subresources"].as_array_mut() {
                        Some(all) => all.push(below),
                        None => parent["subresources"] = json!([below]),
                    }
                }
            }
            None => {
                let scope = if resource["namespaced"] == true { "Namespaced" } else { "Cluster" };
                let mut entry = json!({"resource": name, "responseKind": kind(resource), "scope": scope,
                    "singularResource": resource["singularName"], "verbs": resource["verbs"]});
                for field in ["shortNames", "categories"] {
                    if resource[field].is_array() {
                        entry[field] = resource[field].clone();
                    }
                }
                out.push(entry);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use arc_swap::ArcSwap;

    use super::*;

    fn backend() -> Arc<Backend> {
        let service = json!({"metadata": {"name": "v1.e.com"}, "spec": {"group": "e.com", "version": "v1",
            "groupPriorityMinimum": 1, "versionPriority": 1, "service": {"name": "s", "namespace": "n"}}});
        let discovery = json!({"resources": [
            {"name": "foos", "singularName": "foo", "namespaced": true, "kind": "Foo", "verbs": ["get"]},
            {"name": "foos/status", "namespaced": true, "kind": "Foo", "verbs": ["update"]},
        ]});
        let service = serde_json::from_value(service).expect("an API service");
        Arc::new(Backend { service, discovery: ArcSwap::from_pointee(discovery) })
    }

    #[test]
    fn what_others_serve_stands_in_the_documents() {
        let mut document = json!({"items": []});
        aggregate(&mut document, &[backend()]);
        let version = &document["items"][0]["versions"][0];
        assert_eq!((&document["items"][0]["metadata"]["name"], &version["version"]), (&json!("e.com"), &json!("v1")));
        assert_eq!(version["resources"][0]["subresources"][0]["subresource"], "status");
        aggregate(&mut document, &[backend()]);
        assert_eq!(
            document["items"][0]["versions"].as_array().map(Vec::len),
            Some(1),
            "one version, told by one server"
        );
        let mut list = json!({"groups": []});
        self::list(&mut list, &[backend()]);
        assert_eq!(list["groups"][0]["preferredVersion"]["groupVersion"], "e.com/v1");
    }
}
