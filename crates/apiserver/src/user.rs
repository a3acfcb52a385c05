//! Who asks: what authentication found out, and what authorization and admission look at.

use std::collections::BTreeMap;

/// The caller that showed nothing.
pub const ANONYMOUS: &str = "system:anonymous";
/// The group of everyone who authenticated.
pub const AUTHENTICATED: &str = "system:authenticated";
/// The group of everyone who did not.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The group that may do everything.
pub const MASTERS: &str = "system:masters";

/// A caller (`k8s.io/apiserver/pkg/authentication/user.Info`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// For example `system:node:a`.
    pub name: String,
    /// Set for service accounts.
    pub uid: String,
    /// In the order that authentication gave them.
    pub groups: Vec<String>,
    /// More facts, for example the pod that a token is bound to.
    pub extra: BTreeMap<String, Vec<String>>,
}

// === impl User ===

impl User {
    /// The caller that showed nothing.
    #[must_use]
    pub fn anonymous() -> Self {
        Self { name: ANONYMOUS.into(), groups: vec![UNAUTHENTICATED.into()], ..Self::default() }
    }

    /// This process itself, for reads and writes that no client asked for.
    #[must_use]
    pub fn system() -> Self {
        Self { name: "system:apiserver".into(), groups: vec![MASTERS.into(), AUTHENTICATED.into()], ..Self::default() }
    }

    /// This process, as other API servers know it.
    #[must_use]
    pub fn aggregator() -> Self {
        Self { name: "system:kube-aggregator".into(), groups: vec![MASTERS.into()], ..Self::default() }
    }

    /// With the group of everyone who authenticated.
    #[must_use]
    pub fn authenticated(mut self) -> Self {
        if self.name != ANONYMOUS && !self.is_in(AUTHENTICATED) && !self.is_in(UNAUTHENTICATED) {
            self.groups.push(AUTHENTICATED.into());
        }
        self
    }

    /// Whether the caller belongs to a group.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|g| g == group)
    }

    /// The node's name, if this is a kubelet.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        if self.is_in("system:nodes") { self.name.strip_prefix("system:node:") } else { None }
    }
}
