//! Roles by name and bindings by subject, kept current by the objects' changes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use nakhoda_api::kinds::rbac::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject};
use nakhoda_api::selector::{LabelSelector, labels};

use crate::user::User;

/// Rules of one role.
pub type Rules = Arc<[PolicyRule]>;

/// A subject of bindings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// A user; service accounts are `system:serviceaccount:NAMESPACE:NAME`.
    User(String),
    /// A group.
    Group(String),
}

/// A grant: where it counts and which role it gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Namespace and name of the binding; the namespace is empty for the whole cluster.
    pub binding: (String, String),
    /// Which role.
    pub role: RoleRef,
}

#[derive(Default)]
struct Wide {
    labels: BTreeMap<String, String>,
    rules: Option<Rules>,
    gathers: Vec<LabelSelector>,
}

/// Everything RBAC decides by.
#[derive(Default)]
pub struct Index {
    roles: HashMap<(String, String), Rules>,
    cluster_roles: HashMap<String, Wide>,
    grants: HashMap<Who, Vec<Grant>>,
    subjects: HashMap<(String, String), HashSet<Who>>,
}

// === impl Index ===

impl Index {
    /// A Role was written.
    pub fn put_role(&mut self, role: Role) {
        let key = (role.metadata.namespace.unwrap_or_default(), role.metadata.name.unwrap_or_default());
        self.roles.insert(key, role.rules.unwrap_or_default().into());
    }

    /// A Role was removed.
    pub fn remove_role(&mut self, namespace: &str, name: &str) {
        self.roles.remove(&(namespace.into(), name.into()));
    }

    /// A ClusterRole was written.
    pub fn put_cluster_role(&mut self, role: ClusterRole) {
        let gathers = role.aggregation_rule.and_then(|a| a.cluster_role_selectors).unwrap_or_default();
        let wide = Wide {
            labels: role.metadata.labels.unwrap_or_default(),
            rules: role.rules.map(Into::into),
            gathers: gathers.iter().filter_map(|s| labels::from_typed(Some(s)).ok()).collect(),
        };
        self.cluster_roles.insert(role.metadata.name.unwrap_or_default(), wide);
    }

    /// A ClusterRole was removed.
    pub fn remove_cluster_role(&mut self, name: &str) {
        self.cluster_roles.remove(name);
    }

    /// A RoleBinding was written.
    pub fn put_binding(&mut self, binding: RoleBinding) {
        let namespace = binding.metadata.namespace.unwrap_or_default();
        self.bind((namespace, binding.metadata.name.unwrap_or_default()), &binding.role_ref, binding.subjects);
    }

    /// A ClusterRoleBinding was written.
    pub fn put_cluster_binding(&mut self, binding: ClusterRoleBinding) {
        self.bind((String::new(), binding.metadata.name.unwrap_or_default()), &binding.role_ref, binding.subjects);
    }

    /// A binding was removed; `namespace` is empty for a ClusterRoleBinding.
    pub fn remove_binding(&mut self, namespace: &str, name: &str) {
        let key = (namespace.to_owned(), name.to_owned());
        for who in self.subjects.remove(&key).unwrap_or_default() {
            if let Some(grants) = self.grants.get_mut(&who) {
                grants.retain(|g| g.binding != key);
            }
        }
    }

    /// The rules that a user has in a namespace (empty: in the whole cluster), each with the binding
    /// that gives it.
    pub fn rules_of<'a>(&'a self, user: &'a User, namespace: &'a str) -> impl Iterator<Item = (&'a Grant, Rules)> {
        let groups = user.groups.iter().map(|g| Who::Group(g.clone()));
        std::iter::once(Who::User(user.name.clone()))
            .chain(groups)
            .filter_map(|who| self.grants.get(&who))
            .flatten()
            .filter(move |g| g.binding.0.is_empty() || g.binding.0 == namespace)
            .filter_map(|g| Some((g, self.rules(&g.binding.0, &g.role)?)))
    }

    /// What a role allows; `None` if there is no such role.
    #[must_use]
    pub fn rules(&self, namespace: &str, role: &RoleRef) -> Option<Rules> {
        if role.kind == "Role" {
            return self.roles.get(&(namespace.to_owned(), role.name.clone())).cloned();
        }
        let wide = self.cluster_roles.get(&role.name)?;
        if wide.gathers.is_empty() { wide.rules.clone() } else { Some(self.gathered(wide)) }
    }

    /// An aggregated role has the rules of the roles that it selects, to any depth.
    fn gathered(&self, role: &Wide) -> Rules {
        let mut seen = HashSet::new();
        let mut open = vec![role];
        let mut rules = Vec::new();
        while let Some(role) = open.pop() {
            let selected = self.cluster_roles.iter().filter(|(_, r)| role.gathers.iter().any(|s| s.matches(&r.labels)));
            for (name, part) in selected {
                if seen.insert(name) {
                    rules.extend(part.rules.iter().flat_map(|r| r.iter().cloned()));
                    open.push(part);
                }
            }
        }
        rules.into()
    }

    fn bind(&mut self, key: (String, String), role: &RoleRef, subjects: Option<Vec<Subject>>) {
        self.remove_binding(&key.0, &key.1);
        let whos: HashSet<Who> = subjects.into_iter().flatten().filter_map(|s| who(&s, &key.0)).collect();
        for who in &whos {
            self.grants.entry(who.clone()).or_default().push(Grant { binding: key.clone(), role: role.clone() });
        }
        self.subjects.insert(key, whos);
    }
}

fn who(subject: &Subject, namespace: &str) -> Option<Who> {
    match subject.kind.as_str() {
        "User" => Some(Who::User(subject.name.clone())),
        "Group" => Some(Who::Group(subject.name.clone())),
        "ServiceAccount" => {
            let namespace = subject.namespace.as_deref().filter(|n| !n.is_empty()).unwrap_or(namespace);
            Some(Who::User(format!("system:serviceaccount:{namespace}:{}", subject.name)))
        }
        _ => None,
    }
}
