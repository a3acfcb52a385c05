//! Which quotas a change matters to, and what a count makes of a status.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nakhoda_api::GroupResource;
use nakhoda_api::kinds::core::{ResourceQuota, ResourceQuotaStatus};
use nakhoda_api::quantity::{Format, Quantity};
use nakhoda_api::quota::{self, Measured};
use nakhoda_api::resources::{Amounts, amounts};
use nakhoda_client::{Change, Informer, Key, Resource};

/// The kinds of which more counts than the number.
const MEASURED: [(&str, &str); 4] =
    [("", "pods"), ("", "services"), ("", "persistentvolumeclaims"), ("resource.k8s.io", "resourceclaims")];

fn hard(quota: &ResourceQuota) -> Amounts {
    amounts(quota.spec.as_ref().and_then(|s| s.hard.as_ref()))
}

/// Whether a quota asks to be counted: it is new, or its status does not say what its spec asks for.
pub(super) fn asks(change: &Change<ResourceQuota>) -> bool {
    let quota = change.object();
    let told = |quota: &ResourceQuota| amounts(quota.status.as_ref().and_then(|s| s.hard.as_ref()));
    match change {
        Change::Added(_) => true,
        Change::Updated { old, .. } => old.spec != quota.spec || told(quota) != hard(quota),
        Change::Deleted(_) => false,
    }
}

/// The quotas of a namespace, or of all, that count objects of a resource.
pub(super) fn counting(quotas: &Informer<ResourceQuota>, resource: &GroupResource, namespace: Option<&str>) -> Vec<Key> {
    let all = namespace.map_or_else(|| quotas.list(), |namespace| quotas.in_namespace(namespace));
    all.iter().filter(|quota| counts(quota, resource)).map(|quota| Key::of(&**quota)).collect()
}

fn counts(quota: &ResourceQuota, resource: &GroupResource) -> bool {
    let names = quota.spec.iter().filter_map(|s| s.hard.as_ref()).flatten();
    names.into_iter().any(|(name, _)| quota::counts(resource, name))
}

/// The quotas for which a change of an object makes a difference.
pub(super) fn woken<K: Resource + Measured>(
    quotas: &Informer<ResourceQuota>,
    resource: &GroupResource,
    change: &Change<K>,
    now: Timestamp,
) -> Vec<Key> {
    let mut all = quotas.in_namespace(change.object().namespace());
    all.retain(|quota| counts(quota, resource));
    if let (Change::Updated { old, new }, false) = (change, all.is_empty()) {
        let same = old.usage(now) == new.usage(now);
        let held = |quota: &ResourceQuota, object: &K| quota::scopes(quota).iter().all(|scope| object.is_in(scope));
        all.retain(|quota| !same || held(quota, old) != held(quota, new));
    }
    all.iter().map(|quota| Key::of(&**quota)).collect()
}

/// The resources of which a quota limits the number only.
pub(super) fn numbered(quota: &ResourceQuota) -> BTreeSet<GroupResource> {
    let resources = hard(quota).into_keys().filter_map(|name| quota::counted_resource(&name));
    let measured = |r: &GroupResource| MEASURED.contains(&(r.group.as_str(), r.resource.as_str()));
    resources.filter(|resource| !measured(resource) && !quota::is_ignored(resource)).collect()
}

/// What a number of objects takes of a quota. None of them is in a scope.
pub(super) fn numbers(quota: &ResourceQuota, resource: &GroupResource, number: usize) -> Amounts {
    let number = if quota::scopes(quota).is_empty() { i64::try_from(number).unwrap_or(i64::MAX) } else { 0 };
    let number = Quantity::new(number, Format::DecimalSi);
    hard(quota).into_keys().filter(|name| quota::counts(resource, name)).map(|name| (name, number)).collect()
}

/// The status that a count makes; nothing if the quota has it already. What was not counted stays as it was.
pub(super) fn status(quota: &ResourceQuota, counted: Amounts) -> Option<ResourceQuotaStatus> {
    let before = quota.status.as_ref();
    let of = |list: Option<&_>| amounts(list);
    let (told_hard, told_used) = (of(before.and_then(|s| s.hard.as_ref())), of(before.and_then(|s| s.used.as_ref())));
    let hard = hard(quota);
    let mut used = told_used.clone();
    used.extend(counted);
    used.retain(|name, _| hard.contains_key(name));
    let whole = before.is_some_and(|s| s.hard.is_some() && s.used.is_some());
    if whole && hard == told_hard && used == told_used {
        return None;
    }
    Some(ResourceQuotaStatus { hard: Some(quota::printed(&hard)), used: Some(quota::printed(&used)) })
}

#[cfg(test)]
mod tests;
