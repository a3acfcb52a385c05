//! [`Info`]: the facts of a kind, which need no code.

use k8s_openapi::Resource;
use nakhoda_api::{GroupVersionKind, GroupVersionResource, Scope};

/// What most resources serve, in discovery's order.
pub const ALL_VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// What `status` serves.
pub const STATUS: Sub = Sub { name: "status", verbs: &["get", "patch", "update"], kind: None };
/// What `scale` serves.
pub const SCALE: Sub =
    Sub { name: "scale", verbs: &["get", "patch", "update"], kind: Some(("autoscaling", "v1", "Scale")) };

/// What discovery and routing say of a kind in one version.
#[derive(Clone, Debug)]
pub struct Info {
    /// Group, version, kind.
    pub gvk: GroupVersionKind,
    /// Lower case, for example `pods`.
    pub plural: &'static str,
    /// Lower case, for example `pod`.
    pub singular: &'static str,
    /// For example `po`.
    pub short: &'static [&'static str],
    /// For example `all`.
    pub categories: &'static [&'static str],
    /// Namespaced or not.
    pub scope: Scope,
    /// Which verbs are served on the resource itself.
    pub verbs: &'static [&'static str],
    /// Subresources beside the object, each also a line in discovery.
    pub subresources: &'static [Sub],
    /// Subresources of ours alone, which discovery does not tell.
    pub private: &'static [Sub],
    /// Where objects lie in etcd, as upstream has it: `pods`, `services/specs`, `minions`,
    /// `events` … Two kinds with one prefix share objects (both Event groups).
    pub storage: &'static str,
    /// Whether `metadata.generation` counts changes of the spec.
    pub generation: bool,
    /// Whether an update may make an object that is not there (upstream's AllowCreateOnUpdate).
    pub create_on_update: bool,
    /// Whether an update without resourceVersion is allowed (upstream's AllowUnconditionalUpdate).
    pub unconditional_update: bool,
    /// Seconds that objects live, for Events.
    pub ttl: Option<u64>,
    /// How names are checked.
    pub names: NameRule,
    /// The kinds that create answers without storing: reviews, TokenRequest.
    pub virtual_: bool,
    /// Whether a deletion answers with the object instead of a Status (upstream's ReturnDeletedObject).
    pub returns_deleted: bool,
    /// Whether a deletion that names no policy leaves the dependents (upstream's DefaultGarbageCollectionPolicy).
    pub orphans: bool,
    /// What a deletion that names no policy is warned of, where it leaves the dependents.
    pub left_behind: Option<&'static str>,
    /// Fields of the metadata that `metadata.generation` counts changes of as well.
    pub counted: &'static [&'static str],
    /// Annotations that only stand in this version for what upstream's internal types have fields for: metadata that
    /// is shown by itself is without them.
    pub unshown: &'static [&'static str],
    /// What every request for the kind is warned of: since when it is not to be used, and what is instead.
    pub deprecated: Option<&'static str>,
    /// What writes of the object itself (an empty name) or of a subresource cannot change, where it is not what
    /// [`Info::owned_by_others`] says of most kinds.
    pub resets: &'static [(&'static str, &'static [&'static [&'static str]])],
    /// The kind of lists, where it is another than that of the objects with `List` behind it.
    pub list_kind: Option<&'static str>,
}

/// How names of a kind are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameRule {
    /// DNS-1123 subdomain: most kinds.
    Subdomain,
    /// DNS-1123 label: namespaces.
    Label,
    /// DNS-1035 label: services.
    Label1035,
    /// A path segment: RBAC kinds.
    Segment,
    /// An address, spelt in the one right way: IPAddress.
    Address,
    /// As the kind's own validation says, since it depends on the rest of the object: ClusterTrustBundle.
    Own,
}

/// A subresource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sub {
    /// For example `status`.
    pub name: &'static str,
    /// For example `get`, `update`, `patch`; `connect` ones list what discovery lists.
    pub verbs: &'static [&'static str],
    /// Group, version and kind of its body, if it is not the object's own: `("autoscaling", "v1", "Scale")`.
    pub kind: Option<(&'static str, &'static str, &'static str)>,
}

// === impl Info ===

impl Info {
    /// The facts of type `T` with what most kinds have: all verbs, no subresource, subdomain names,
    /// stored under its plural.
    #[must_use]
    pub fn of<T: Resource>(plural: &'static str, singular: &'static str, scope: Scope) -> Self {
        Self {
            gvk: GroupVersionKind { group: T::GROUP.into(), version: T::VERSION.into(), kind: T::KIND.into() },
            plural,
            singular,
            short: &[],
            categories: &[],
            scope,
            verbs: ALL_VERBS,
            subresources: &[],
            private: &[],
            storage: plural,
            generation: false,
            create_on_update: false,
            unconditional_update: true,
            ttl: None,
            names: NameRule::Subdomain,
            virtual_: false,
            returns_deleted: false,
            orphans: false,
            left_behind: None,
            counted: &[],
            unshown: &[],
            deprecated: None,
            resets: &[],
            list_kind: None,
        }
    }

    /// Group, version and plural.
    #[must_use]
    pub fn gvr(&self) -> GroupVersionResource {
        GroupVersionResource {
            group: self.gvk.group.clone(),
            version: self.gvk.version.clone(),
            resource: self.plural.into(),
        }
    }

    /// A subresource by name.
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<&Sub> {
        self.subresources.iter().chain(self.private).find(|s| s.name == name)
    }
}
