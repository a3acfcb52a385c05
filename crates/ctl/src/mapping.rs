//! What the server serves, and which of it a word on the command line means: `po`, `pods`, `pod`,
//! `deployments.apps`, `deployment.v1.apps`, `all`.

use nakhoda_api::{GroupVersionKind, GroupVersionResource};
use nakhoda_client::Client;
use serde_json::Value;

use crate::Error;

/// One resource as discovery tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Group, version, plural.
    pub gvr: GroupVersionResource,
    /// Its kind.
    pub kind: String,
    /// For example `pod`.
    pub singular: String,
    /// For example `po`.
    pub short: Vec<String>,
    /// For example `all`.
    pub categories: Vec<String>,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// For example `get`.
    pub verbs: Vec<String>,
}

/// Everything that is served, best group and version first.
#[derive(Clone, Debug, Default)]
pub struct Mapping(Vec<Resource>);

// === impl Resource ===

impl Resource {
    /// As messages and `-o name` print it: `pod`, `deployment.apps`.
    #[must_use]
    pub fn printed(&self) -> String {
        match self.gvr.group.as_str() {
            "" => self.singular.clone(),
            group => format!("{}.{group}", self.singular),
        }
    }

    fn is_called(&self, word: &str) -> bool {
        let (name, rest) = word.split_once('.').unwrap_or((word, ""));
        let named = self.gvr.resource == name
            || self.singular == name
            || self.kind.eq_ignore_ascii_case(name)
            || self.short.iter().any(|s| s == name);
        let GroupVersionResource { group, version, .. } = &self.gvr;
        named && (rest.is_empty() || rest == group || rest == format!("{version}.{group}"))
    }
}

// === impl Mapping ===

impl Mapping {
    /// Asks the server.
    pub async fn load(client: &Client) -> Result<Self, Error> {
        let document = client.discover().await?.into_value();
        Ok(Self::read(&document))
    }

    /// Reads an `APIGroupDiscoveryList`.
    #[must_use]
    pub fn read(document: &Value) -> Self {
        let mut all = Vec::new();
        for group in list(&document["items"]) {
            let name = group["metadata"]["name"].as_str().unwrap_or_default();
            for version in list(&group["versions"]) {
                let words = (name, version["version"].as_str().unwrap_or_default());
                all.extend(list(&version["resources"]).map(|r| resource(words, r)));
            }
        }
        Self(all)
    }

    /// The resource that a word means.
    pub fn find(&self, word: &str) -> Result<&Resource, Error> {
        let word = word.to_ascii_lowercase();
        self.0.iter().find(|r| r.is_called(&word)).ok_or(Error::NoSuchResource(word))
    }

    /// The resources that words mean, separated by commas; a category means many.
    pub fn find_all(&self, words: &str) -> Result<Vec<&Resource>, Error> {
        let mut found = Vec::new();
        for word in words.split(',').filter(|w| !w.is_empty()) {
            let many: Vec<_> = self.0.iter().filter(|r| r.categories.iter().any(|c| c == word)).collect();
            if many.is_empty() { found.push(self.find(word)?) } else { found.extend(many) }
        }
        Ok(found)
    }

    /// The resource of a kind.
    pub fn of_kind(&self, gvk: &GroupVersionKind) -> Result<&Resource, Error> {
        let same = |r: &&Resource| r.kind == gvk.kind && r.gvr.group == gvk.group && r.gvr.version == gvk.version;
        self.0.iter().find(same).ok_or_else(|| Error::NoSuchKind(gvk.clone()))
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Resource] {
        &self.0
    }
}

fn resource((group, version): (&str, &str), value: &Value) -> Resource {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let texts = |name: &str| list(&value[name]).filter_map(Value::as_str).map(Into::into).collect();
    Resource {
        gvr: GroupVersionResource::new(group, version, text("resource")),
        kind: value["responseKind"]["kind"].as_str().unwrap_or_default().into(),
        singular: text("singularResource"),
        short: texts("shortNames"),
        categories: texts("categories"),
        namespaced: value["scope"] == "Namespaced",
        verbs: texts("verbs"),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mapping() -> Mapping {
        let deployments = json!({"resource": "deployments", "singularResource": "deployment", "shortNames": ["deploy"],
            "categories": ["all"], "scope": "Namespaced", "responseKind": {"kind": "Deployment"}});
        let nodes = json!({"resource": "nodes", "singularResource": "node", "shortNames": ["no"], "scope": "Cluster", "responseKind": {"kind": "Node"}});
        Mapping::read(&json!({"items": [
            {"metadata": {}, "versions": [{"version": "v1", "resources": [nodes]}]},
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [deployments]}]}]}))
    }

    #[test]
    fn a_resource_has_many_names() {
        let mapping = mapping();
        for word in ["deploy", "deployment", "Deployments", "deployments.apps", "deployments.v1.apps"] {
            assert_eq!(mapping.find(word).expect("found").printed(), "deployment.apps");
        }
        assert!(mapping.find("deployments.extensions").is_err());
        assert_eq!(mapping.find_all("all,no").expect("found").len(), 2);
    }
}
