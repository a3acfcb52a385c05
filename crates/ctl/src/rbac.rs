//! Rules and subjects of RBAC, as flags describe them.

use nakhoda_api::GroupVersionKind;
use serde_json::{Value, json};

use crate::{Cluster, Error};

/// What a role allows.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Rules {
    /// Verbs (repeat, or separate by commas); * for all
    #[arg(long = "verb", value_delimiter = ',', required = true)]
    verbs: Vec<String>,
    /// Resources, as pods, deployments.apps, pods/log (repeat, or separate by commas)
    #[arg(long = "resource", value_delimiter = ',')]
    resources: Vec<String>,
    /// Objects of these names only
    #[arg(long = "resource-name")]
    names: Vec<String>,
}

/// Who is bound.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Subjects {
    /// Users (repeat)
    #[arg(long = "user")]
    users: Vec<String>,
    /// Groups (repeat)
    #[arg(long = "group")]
    groups: Vec<String>,
    /// Service accounts, as NAMESPACE:NAME (repeat)
    #[arg(long = "serviceaccount", value_name = "NAMESPACE:NAME")]
    accounts: Vec<String>,
}

const GROUP: &str = "rbac.authorization.k8s.io";

// === impl Rules ===

impl Rules {
    /// Whether resources are named at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// One rule for each API group.
    pub fn values(&self, cluster: &Cluster) -> Result<Vec<Value>, Error> {
        let mut rules: Vec<(String, Vec<String>)> = Vec::new();
        for word in &self.resources {
            let (group, resource) = located(cluster, word)?;
            match rules.iter_mut().find(|(known, _)| *known == group) {
                Some((_, resources)) => resources.push(resource),
                None => rules.push((group, vec![resource])),
            }
        }
        let rule = |(group, resources): (String, Vec<String>)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": self.verbs});
            if !self.names.is_empty() {
                rule["resourceNames"] = json!(self.names);
            }
            rule
        };
        Ok(rules.into_iter().map(rule).collect())
    }

    /// One rule for paths that are no resources.
    #[must_use]
    pub fn of_paths(&self, paths: &[String]) -> Value {
        json!({"nonResourceURLs": paths, "verbs": self.verbs})
    }
}

// === impl Subjects ===

impl Subjects {
    /// As a binding lists them.
    pub fn values(&self) -> Result<Vec<Value>, Error> {
        let known = |kind: &str, name: &String| json!({"kind": kind, "apiGroup": GROUP, "name": name});
        let mut all: Vec<Value> = self.users.iter().map(|name| known("User", name)).collect();
        all.extend(self.groups.iter().map(|name| known("Group", name)));
        for account in &self.accounts {
            let (namespace, name) = account
                .split_once(':')
                .ok_or_else(|| Error::Usage(format!("serviceaccount must be <namespace>:<name>, not {account:?}")))?;
            all.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
        }
        Ok(all)
    }
}

/// A binding of either kind.
#[must_use]
pub fn binding(kind: &str, name: &str, role: (&str, &str), subjects: &[Value]) -> Value {
    let (role_kind, role_name) = role;
    json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role_name},
        "subjects": subjects,
    })
}

/// A role of either kind.
#[must_use]
pub fn role(kind: &str, name: &str, rules: &[Value]) -> Value {
    let GroupVersionKind { group, version, kind } = GroupVersionKind::new(GROUP, "v1", kind);
    json!({"apiVersion": format!("{group}/{version}"), "kind": kind, "metadata": {"name": name}, "rules": rules})
}

/// Group and plural, with the subresource.
fn located(cluster: &Cluster, word: &str) -> Result<(String, String), Error> {
    if word == "*" {
        return Ok(("*".into(), "*".into()));
    }
    let (word, sub) = word.split_once('/').map_or((word, None), |(word, sub)| (word, Some(sub)));
    let resource = cluster.mapping.find(word)?;
    let plural = &resource.gvr.resource;
    let name = sub.map_or_else(|| plural.clone(), |sub| format!("{plural}/{sub}"));
    Ok((resource.gvr.group.clone(), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_a_namespace() {
        let subjects = Subjects { accounts: vec!["a:b".into()], users: vec!["u".into()], ..Subjects::default() };
        let values = subjects.values().expect("subjects");
        assert_eq!(values[1], json!({"kind": "ServiceAccount", "name": "b", "namespace": "a"}));
        assert!(Subjects { accounts: vec!["b".into()], ..Subjects::default() }.values().is_err());
    }
}
