//! What objects take of a namespace's quotas, and whether a request fits into them: the rules that the API server's
//! admission and the controller that counts share (upstream's `pkg/quota/v1`).
//!
//! Absent: extended resources that a DeviceClass stands for are counted where pods ask for them, not again at the
//! claims that are made for them.

use jiff::Timestamp;

use crate::kinds::core::{PersistentVolumeClaim, Pod, ResourceQuota, ScopedResourceSelectorRequirement, Service};
use crate::kinds::resource::ResourceClaim;
use crate::object::{Object, ObjectError};
use crate::quantity::Quantity;
use crate::resources::{Amounts, add, amounts};
use crate::{GroupResource, kinds};

pub mod admit;
mod device_claim;
mod pod;
mod scope;
mod service;
mod volume_claim;

pub use admit::{Charge, Limited, Refusal, Request};
pub use pod::is_counted;

/// One condition of a quota's scope.
pub type Requirement = ScopedResourceSelectorRequirement;

/// An object as quotas see it.
pub trait Measured: std::fmt::Debug + Send + Sync {
    /// What it takes.
    fn usage(&self, now: Timestamp) -> Amounts;

    /// Whether it is in a scope. Most kinds are in none.
    fn is_in(&self, _: &Requirement) -> bool {
        false
    }

    /// What it would have to say to be counted, and does not.
    fn unsaid(&self, _: &[&str]) -> Option<String> {
        None
    }
}

/// An object of which only the number counts.
#[derive(Clone, Debug)]
pub struct Counted(pub GroupResource);

/// Names of old for how many objects there are of a kind.
const ALIASES: [&str; 4] = ["configmaps", "resourcequotas", "replicationcontrollers", "secrets"];

/// What is asked and answered, and what nobody ever counted.
const IGNORED: [(&str, &str); 9] = [
    ("", "bindings"),
    ("", "events"),
    ("events.k8s.io", "events"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
    ("authorization.k8s.io", "subjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "localsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
];

/// Whether quotas know a resource at all.
#[must_use]
pub fn is_ignored(resource: &GroupResource) -> bool {
    IGNORED.contains(&(resource.group.as_str(), resource.resource.as_str()))
}

/// The name for how many objects of a resource there are: `count/deployments.apps`.
#[must_use]
pub fn count_name(resource: &GroupResource) -> String {
    let dot = if resource.group.is_empty() { "" } else { "." };
    format!("count/{}{dot}{}", resource.resource, resource.group)
}

/// The resource that a name like `count/deployments.apps` counts.
#[must_use]
pub fn counted_resource(name: &str) -> Option<GroupResource> {
    if ALIASES.contains(&name) {
        return Some(GroupResource::new("", name));
    }
    let (resource, group) = name.strip_prefix("count/").map(|rest| rest.split_once('.').unwrap_or((rest, "")))?;
    Some(GroupResource::new(group, resource))
}

/// Whether objects of a resource may take something of this name.
#[must_use]
pub fn counts(resource: &GroupResource, name: &str) -> bool {
    let own = match (resource.group.as_str(), resource.resource.as_str()) {
        ("", "pods") => pod::counts(name),
        ("", "services") => service::NAMES.contains(&name),
        ("", "persistentvolumeclaims") => volume_claim::counts(name),
        ("resource.k8s.io", "resourceclaims") => device_claim::counts(name),
        ("", plural) => plural == name && ALIASES.contains(&name),
        _ => false,
    };
    own || name == count_name(resource)
}

/// Whether a write may change what is taken, as far as that can be told without a look at the object.
#[must_use]
pub fn concerns(resource: &GroupResource, subresource: &str, creates: bool) -> bool {
    match (resource.group.as_str(), resource.resource.as_str(), subresource) {
        ("", "pods", "") => true,
        ("", "pods", "resize") | ("", "persistentvolumeclaims", "status") => !creates,
        ("", "services" | "persistentvolumeclaims", "") | ("resource.k8s.io", "resourceclaims", "") => true,
        (_, _, "") => creates && !is_ignored(resource),
        _ => false,
    }
}

/// Reads an object of a resource.
pub fn read(resource: &GroupResource, object: &Object) -> Result<Box<dyn Measured>, ObjectError> {
    Ok(match (resource.group.as_str(), resource.resource.as_str()) {
        ("", "pods") => Box::new(object.typed::<Pod>()?),
        ("", "services") => Box::new(object.typed::<Service>()?),
        ("", "persistentvolumeclaims") => Box::new(object.typed::<PersistentVolumeClaim>()?),
        ("resource.k8s.io", "resourceclaims") => Box::new(object.typed::<ResourceClaim>()?),
        _ => Box::new(Counted(resource.clone())),
    })
}

/// The conditions under which an object falls under a quota.
#[must_use]
pub fn scopes(quota: &ResourceQuota) -> Vec<Requirement> {
    let Some(spec) = &quota.spec else { return Vec::new() };
    let exists = |scope: &String| Requirement { scope_name: scope.clone(), operator: "Exists".into(), values: None };
    let named = spec.scopes.iter().flatten().map(exists);
    let selected = spec.scope_selector.iter().filter_map(|s| s.match_expressions.as_ref()).flatten();
    named.chain(selected.cloned()).collect()
}

/// What objects of a resource take of a quota: every name of its that they may take, if only as zero.
pub fn used<'a>(
    quota: &ResourceQuota,
    resource: &GroupResource,
    objects: impl IntoIterator<Item = &'a dyn Measured>,
    now: Timestamp,
) -> Amounts {
    let hard = quota.spec.as_ref().and_then(|s| s.hard.as_ref());
    let names = hard.into_iter().flatten().map(|(name, _)| name).filter(|name| counts(resource, name));
    let mut used: Amounts = names.map(|name| (name.clone(), Quantity::ZERO)).collect();
    if used.is_empty() {
        return used;
    }
    let scopes = scopes(quota);
    for object in objects.into_iter().filter(|object| scopes.iter().all(|scope| object.is_in(scope))) {
        let mut usage = object.usage(now);
        usage.retain(|name, _| used.contains_key(name));
        add(&mut used, &usage);
    }
    used
}

/// What a quota's status says that it allows, and that is used.
fn stated(quota: &ResourceQuota) -> (Amounts, Amounts) {
    let status = quota.status.as_ref();
    (amounts(status.and_then(|s| s.hard.as_ref())), amounts(status.and_then(|s| s.used.as_ref())))
}

/// Amounts as statuses hold them.
#[must_use]
pub fn printed(amounts: &Amounts) -> std::collections::BTreeMap<String, kinds::Quantity> {
    amounts.iter().map(|(name, amount)| (name.clone(), (*amount).into())).collect()
}

const fn one() -> Quantity {
    Quantity::from_milli(1000)
}

// === impl Counted ===

impl Measured for Counted {
    fn usage(&self, _: Timestamp) -> Amounts {
        let mut usage = Amounts::from([(count_name(&self.0), one())]);
        if self.0.group.is_empty() && ALIASES.contains(&self.0.resource.as_str()) {
            usage.insert(self.0.resource.clone(), one());
        }
        usage
    }
}

#[cfg(test)]
mod tests;
