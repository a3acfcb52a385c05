//! The document that tells everything at once (`apidiscovery.k8s.io`), for `/api` and for `/apis`.

use serde_json::{Value, json};

use super::{Group, Version, is_namespaced};
use crate::kind::{Served, Sub};

/// The kind of the document.
pub const KIND: &str = "APIGroupDiscoveryList";
/// Its group.
pub const GROUP: &str = "apidiscovery.k8s.io";
/// Its versions, best first. Both look the same.
pub const VERSIONS: [&str; 2] = ["v2", "v2beta1"];

/// The groups below `/api` (only the core group) or below `/apis` (all others).
#[must_use]
pub fn document<'a>(groups: impl Iterator<Item = &'a Group>, version: &str) -> Value {
    let items: Vec<_> = groups.map(group).collect();
    json!({"kind": KIND, "apiVersion": format!("{GROUP}/{version}"), "metadata": {}, "items": items})
}

fn group(group: &Group) -> Value {
    let versions: Vec<_> = group.versions.iter().map(version).collect();
    let metadata = match group.name.as_str() {
        "" => json!({"creationTimestamp": null}),
        name => json!({"name": name, "creationTimestamp": null}),
    };
    json!({"metadata": metadata, "versions": versions})
}

fn version(version: &Version) -> Value {
    let resources: Vec<_> = version.kinds.iter().map(|served| resource(served)).collect();
    json!({"version": version.name, "resources": resources, "freshness": "Current"})
}

fn resource(served: &Served) -> Value {
    let info = &served.info;
    let mut value = json!({
        "resource": info.plural,
        "responseKind": {"group": info.gvk.group, "version": info.gvk.version, "kind": info.gvk.kind},
        "scope": if is_namespaced(served) { "Namespaced" } else { "Cluster" },
        "singularResource": info.singular,
        "verbs": info.verbs,
    });
    if !info.short.is_empty() {
        value["shortNames"] = json!(info.short);
    }
    if !info.categories.is_empty() {
        value["categories"] = json!(info.categories);
    }
    if !info.subresources.is_empty() {
        let subs: Vec<_> = info.subresources.iter().map(|sub| subresource(served, sub)).collect();
        value["subresources"] = Value::from(subs);
    }
    value
}

fn subresource(served: &Served, sub: &Sub) -> Value {
    let gvk = &served.info.gvk;
    let (group, version, kind) = sub.kind.unwrap_or((&gvk.group, &gvk.version, &gvk.kind));
    json!({
        "subresource": sub.name,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "verbs": sub.verbs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::groups;
    use crate::kinds::Kinds;

    #[test]
    fn the_core_group_has_no_name_and_says_its_empty_group() {
        let groups = groups(&Kinds::built_in());
        let document = document(groups.iter().take(1), "v2");
        assert_eq!(document["apiVersion"], "apidiscovery.k8s.io/v2");
        assert!(document["items"][0]["metadata"].get("name").is_none());
        assert_eq!(document["items"][0]["versions"][0]["resources"][0]["responseKind"]["group"], "");
    }
}
