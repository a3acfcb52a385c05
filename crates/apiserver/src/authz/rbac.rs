//! Role-based access control: what roles and their bindings allow. It never denies; it only lacks an
//! opinion (`k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac`).
//!
//! Aggregated ClusterRoles are followed here when they are asked; their stored `rules` are left as they
//! are, since the controller that fills them is absent.

pub mod index;
pub mod rule;

use std::sync::Arc;

use parking_lot::RwLock;

use super::{Attributes, Authorizer, Decision};
use crate::request::Target;
pub use index::Index;

/// The authorizer. Cheap to clone; clones share one index.
#[derive(Clone, Default)]
pub struct Rbac {
    index: Arc<RwLock<Index>>,
}

// === impl Rbac ===

impl Rbac {
    /// Changes the index.
    pub fn change(&self, change: impl FnOnce(&mut Index)) {
        change(&mut self.index.write());
    }

    /// Reads the index.
    pub fn read<T>(&self, read: impl FnOnce(&Index) -> T) -> T {
        read(&self.index.read())
    }
}

impl Authorizer for Rbac {
    fn authorize(&self, asked: &Attributes) -> Decision {
        let namespace = match &asked.target {
            Target::Resource(target) => target.namespace.as_str(),
            Target::Path(_) => "",
        };
        let index = self.index.read();
        let mut granted = index.rules_of(&asked.user, namespace);
        match granted.find(|(_, rules)| rule::any_allows(rules, asked)) {
            Some((grant, _)) => Decision::Allow(format!(
                "RBAC: allowed by {} {:?} of {} {:?} to user {:?}",
                if grant.binding.0.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" },
                if grant.binding.0.is_empty() {
                    grant.binding.1.clone()
                } else {
                    format!("{}/{}", grant.binding.1, grant.binding.0)
                },
                grant.role.kind,
                grant.role.name,
                asked.user.name,
            )),
            None => Decision::NoOpinion(String::new()),
        }
    }
}

#[cfg(test)]
mod tests;
