//! Upstream's bootstrap roles and bindings, out of the compact table `policy.txt`
//! (facts of `plugin/pkg/auth/authorizer/rbac/bootstrappolicy`), and this project's own few.
//!
//! The table's lines: `clusterrole NAME [into=LABEL…] [gathers=LABEL]` and `role NAMESPACE NAME` open a
//! role; indented lines are its rules, `VERBS GROUPS RESOURCES [NAMES]` or `VERBS urls PATHS`;
//! `binding NAMESPACE|* NAME clusterrole|role=NAME SUBJECT…` is a binding.

use std::collections::BTreeMap;

use nakhoda_api::kinds::meta::{LabelSelector, ObjectMeta};
use nakhoda_api::kinds::rbac::{
    AggregationRule, ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};

use crate::authz::rbac::Index;

const TABLE: &str = include_str!("policy.txt");
const GROUP: &str = "rbac.authorization.k8s.io";

/// A role or a binding.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// In one namespace.
    Role(Role),
    /// For all.
    ClusterRole(ClusterRole),
    /// In one namespace.
    Binding(RoleBinding),
    /// For all.
    ClusterBinding(ClusterRoleBinding),
}

/// All built-in roles and bindings.
#[must_use]
pub fn built_in() -> Vec<Policy> {
    let mut policies: Vec<Policy> = Vec::new();
    for line in TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(rule) => add_rule(policies.last_mut(), rule),
            None => policies.push(opened(line)),
        }
    }
    let own = controllers(&policies);
    policies.extend(own);
    policies
}

/// The rules of a built-in ClusterRole.
#[must_use]
pub fn rules(name: &str) -> Vec<PolicyRule> {
    let role = built_in().into_iter().find_map(|p| match p {
        Policy::ClusterRole(role) if role.metadata.name.as_deref() == Some(name) => Some(role),
        _ => None,
    });
    role.and_then(|r| r.rules).unwrap_or_default()
}

/// Puts one into the index of the authorizer.
pub fn put(index: &mut Index, policy: Policy) {
    match policy {
        Policy::Role(role) => index.put_role(role),
        Policy::ClusterRole(role) => index.put_cluster_role(role),
        Policy::Binding(binding) => index.put_binding(binding),
        Policy::ClusterBinding(binding) => index.put_cluster_binding(binding),
    }
}

/// The controller-manager works under one name, not under one service account for each controller, so
/// each controller's role is bound to that name too.
fn controllers(policies: &[Policy]) -> Vec<Policy> {
    let names = policies.iter().filter_map(|p| match p {
        Policy::ClusterRole(role) => role.metadata.name.as_deref().filter(|n| n.starts_with("system:controller:")),
        _ => None,
    });
    names
        .map(|name| opened(&format!("binding * nakhoda:{name} clusterrole={name} user=system:kube-controller-manager")))
        .collect()
}

/// The table is part of the program: a line that does not parse is a fault of ours.
fn opened(line: &str) -> Policy {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["clusterrole", name, labels @ ..] => Policy::ClusterRole(cluster_role(name, labels)),
        ["role", namespace, name] => {
            Policy::Role(Role { metadata: metadata(namespace, name), rules: Some(Vec::new()) })
        }
        ["binding", "*", name, role, subjects @ ..] => Policy::ClusterBinding(ClusterRoleBinding {
            metadata: metadata("", name),
            role_ref: role_ref(role),
            subjects: Some(subjects.iter().map(|s| subject(s)).collect()),
        }),
        ["binding", namespace, name, role, subjects @ ..] => Policy::Binding(RoleBinding {
            metadata: metadata(namespace, name),
            role_ref: role_ref(role),
            subjects: Some(subjects.iter().map(|s| subject(s)).collect()),
        }),
        _ => unreachable!("policy.txt: {line:?} is no role and no binding"),
    }
}

fn cluster_role(name: &str, words: &[&str]) -> ClusterRole {
    let label = |to: &str| (format!("{GROUP}/aggregate-to-{to}"), "true".to_owned());
    let mut role = ClusterRole { metadata: metadata("", name), rules: Some(Vec::new()), aggregation_rule: None };
    for word in words {
        match word.split_once('=') {
            Some(("into", to)) => role.metadata.labels.get_or_insert_default().extend([label(to)]),
            Some(("gathers", to)) => {
                let selector =
                    LabelSelector { match_labels: Some(BTreeMap::from([label(to)])), ..LabelSelector::default() };
                role.aggregation_rule = Some(AggregationRule { cluster_role_selectors: Some(vec![selector]) });
            }
            _ => unreachable!("policy.txt: {word:?} of {name} is no label"),
        }
    }
    role
}

fn add_rule(policy: Option<&mut Policy>, line: &str) {
    let rules = match policy {
        Some(Policy::ClusterRole(role)) => role.rules.get_or_insert_default(),
        Some(Policy::Role(role)) => role.rules.get_or_insert_default(),
        _ => unreachable!("policy.txt: the rule {line:?} stands under no role"),
    };
    let list = |text: &str| Some(text.split(',').map(|w| if w == "core" { String::new() } else { w.into() }).collect());
    let words: Vec<&str> = line.split(' ').collect();
    let verbs = list(words[0]).unwrap_or_default();
    rules.push(match words.as_slice() {
        [_, "urls", paths] => PolicyRule { verbs, non_resource_urls: list(paths), ..PolicyRule::default() },
        [_, groups, resources, names @ ..] => PolicyRule {
            verbs,
            api_groups: list(groups),
            resources: list(resources),
            resource_names: names.first().and_then(|n| list(n)),
            ..PolicyRule::default()
        },
        _ => unreachable!("policy.txt: {line:?} is no rule"),
    });
}

fn metadata(namespace: &str, name: &str) -> ObjectMeta {
    let one = |key: &str, value: &str| Some(BTreeMap::from([(key.to_owned(), value.to_owned())]));
    ObjectMeta {
        name: Some(name.into()),
        namespace: (!namespace.is_empty()).then(|| namespace.into()),
        labels: one("kubernetes.io/bootstrapping", "rbac-defaults"),
        annotations: one("rbac.authorization.kubernetes.io/autoupdate", "true"),
        ..ObjectMeta::default()
    }
}

fn role_ref(word: &str) -> RoleRef {
    let (kind, name) = word.split_once('=').expect("policy.txt gives each binding a role");
    let kind = if kind == "clusterrole" { "ClusterRole" } else { "Role" };
    RoleRef { api_group: Some(GROUP.into()), kind: kind.into(), name: name.into() }
}

fn subject(word: &str) -> Subject {
    let (kind, name) = word.split_once('=').expect("policy.txt gives each subject a kind");
    match (kind, name.split_once('/')) {
        ("account", Some((namespace, name))) => Subject {
            kind: "ServiceAccount".into(),
            namespace: Some(namespace.into()),
            name: name.into(),
            ..Subject::default()
        },
        _ => Subject {
            api_group: Some(GROUP.into()),
            kind: if kind == "group" { "Group" } else { "User" }.into(),
            name: name.into(),
            ..Subject::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_parses() {
        let policies = built_in();
        let roles = policies.iter().filter(|p| matches!(p, Policy::ClusterRole(_))).count();
        assert!(roles > 65, "{roles} cluster roles");
        assert!(policies.iter().any(|p| matches!(p, Policy::Role(r) if r.metadata.name.as_deref() == Some("extension-apiserver-authentication-reader"))));
    }
}
