//! The documents that each tell a part: `/api`, `/apis`, a group, the resources of a version.

use nakhoda_api::GroupVersion;
use serde_json::{Map, Value, json};

use super::{Group, Version, is_namespaced};
use crate::kind::{Served, Sub};

/// `/api`.
#[must_use]
pub fn versions(address: &str) -> Value {
    // of the group without a name upstream does not tell the version of these documents
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    })
}

/// `/apis`.
#[must_use]
pub fn group_list(groups: &[Group]) -> Value {
    let groups: Vec<_> = groups.iter().filter(|g| !g.name.is_empty()).map(entry).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`.
#[must_use]
pub fn group(group: &Group) -> Value {
    let mut value = Map::from_iter([("kind".to_owned(), "APIGroup".into()), ("apiVersion".to_owned(), "v1".into())]);
    if let Value::Object(entry) = entry(group) {
        value.extend(entry);
    }
    Value::Object(value)
}

/// `/apis/GROUP/VERSION` and `/api/v1`.
#[must_use]
pub fn resources(group: &Group, version: &Version) -> Value {
    let mut resources = Vec::new();
    for served in &version.kinds {
        resources.push(resource(served));
        resources.extend(served.info.subresources.iter().map(|sub| subresource(served, sub)));
    }
    let version = GroupVersion { group: group.name.clone(), version: version.name.clone() };
    let mut list = json!({"kind": "APIResourceList"});
    if !group.name.is_empty() {
        list["apiVersion"] = "v1".into();
    }
    list["groupVersion"] = version.to_string().into();
    list["resources"] = resources.into();
    list
}

fn entry(group: &Group) -> Value {
    let version = |name: &str| json!({"groupVersion": format!("{}/{name}", group.name), "version": name});
    let versions: Vec<_> = group.versions.iter().map(|v| version(&v.name)).collect();
    json!({"name": group.name, "versions": versions, "preferredVersion": versions[0]})
}

fn resource(served: &Served) -> Value {
    let info = &served.info;
    let mut value = json!({
        "name": info.plural,
        "singularName": info.singular,
        "namespaced": is_namespaced(served),
        "kind": info.gvk.kind,
        "verbs": info.verbs,
    });
    if !info.short.is_empty() {
        value["shortNames"] = json!(info.short);
    }
    if !info.categories.is_empty() {
        value["categories"] = json!(info.categories);
    }
    if !info.virtual_ {
        value["storageVersionHash"] = json!(storage_hash(served));
    }
    value
}

fn subresource(served: &Served, sub: &Sub) -> Value {
    let mut value = json!({
        "name": format!("{}/{}", served.info.plural, sub.name),
        "singularName": "",
        "namespaced": is_namespaced(served),
    });
    match sub.kind {
        Some((group, version, kind)) => {
            if (group, version) != (served.info.gvk.group.as_str(), served.info.gvk.version.as_str()) {
                value["group"] = json!(group);
                value["version"] = json!(version);
            }
            value["kind"] = json!(kind);
        }
        None => value["kind"] = json!(served.info.gvk.kind),
    }
    value["verbs"] = json!(sub.verbs);
    value
}

/// Eight bytes of a hash of group, version and kind, which clients compare to notice a migration.
fn storage_hash(served: &Served) -> String {
    use base64::Engine;
    use sha2::Digest;
    let gvk = &served.info.gvk;
    let (group, version) = match (gvk.group.as_str(), gvk.version.as_str()) {
        // these are views of what is stored as another
        ("events.k8s.io", _) => ("", "v1"),
        ("autoscaling", _) => ("autoscaling", "v2"),
        // upstream stores definitions in the version that they had first
        ("apiextensions.k8s.io", _) => ("apiextensions.k8s.io", "v1beta1"),
        own => own,
    };
    let text = format!("{group}/{version}/{}", gvk.kind);
    base64::engine::general_purpose::STANDARD.encode(&sha2::Sha256::digest(text.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::groups;
    use crate::kinds::Kinds;

    #[test]
    fn resources_of_the_core_group_are_listed_with_their_verbs() {
        let groups = groups(&Kinds::built_in());
        let list = resources(&groups[0], &groups[0].versions[0]);
        assert_eq!(list["groupVersion"], "v1");
        let maps = list["resources"].as_array().expect("a list").iter().find(|r| r["name"] == "configmaps");
        let maps = maps.expect("configmaps are served");
        assert_eq!((maps["kind"].as_str(), maps["namespaced"].as_bool()), (Some("ConfigMap"), Some(true)));
        assert!(maps["verbs"].as_array().is_some_and(|v| v.contains(&json!("watch"))));
    }

    #[test]
    fn the_core_group_is_not_among_the_named_ones() {
        let list = group_list(&groups(&Kinds::built_in()));
        assert!(list["groups"].as_array().expect("a list").iter().all(|g| g["name"] != ""));
    }
}
