//! What the API server serves, out of its discovery document.

use std::collections::HashSet;

use nakhoda_api::{GroupVersionResource, Object};
use serde::Deserialize;

/// A resource that is served.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Served {
    /// How it is addressed.
    pub gvr: GroupVersionResource,
    /// Its kind.
    pub kind: String,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// What can be done with it.
    pub verbs: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Groups {
    items: Vec<Group>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    metadata: Name,
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Name {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    version: String,
    resources: Vec<Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    resource: String,
    response_kind: Kind,
    scope: String,
    verbs: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind {
    kind: String,
}

// === impl Served ===

impl Served {
    /// Every resource once, in its group's preferred version. A document of another shape gives none.
    #[must_use]
    pub fn all(document: &Object) -> Vec<Self> {
        let groups: Groups = document.typed().unwrap_or_default();
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for group in groups.items {
            for version in group.versions {
                for entry in version.resources {
                    if seen.insert((group.metadata.name.clone(), entry.resource.clone())) {
                        let gvr = GroupVersionResource::new(&*group.metadata.name, &*version.version, entry.resource);
                        let namespaced = entry.scope == "Namespaced";
                        all.push(Self { gvr, kind: entry.response_kind.kind, namespaced, verbs: entry.verbs });
                    }
                }
            }
        }
        all
    }

    /// Whether all of these can be done with it.
    #[must_use]
    pub fn can(&self, verbs: &[&str]) -> bool {
        verbs.iter().all(|verb| self.verbs.iter().any(|v| v == verb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_resource_is_told_once_in_the_preferred_version() {
        let entry = |verbs: &[&str]| json!({"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "verbs": verbs});
        let document = Object::from_value(json!({"items": [{"metadata": {"name": ""}, "versions": [
            {"version": "v1", "resources": [entry(&["list", "delete"])]},
            {"version": "v0", "resources": [entry(&[])]},
        ]}]}));
        let all = Served::all(&document.expect("an object"));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].gvr, GroupVersionResource::new("", "v1", "pods"));
        assert!(all[0].namespaced && all[0].can(&["list", "delete"]) && !all[0].can(&["watch"]));
    }
}
