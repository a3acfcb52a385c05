//! ResourceQuota: how much of what a namespace may have. What it has stands in the status.
//!
//! Requests are kept to it by `crate::quota`; a controller counts what there is.

use std::collections::BTreeSet;

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{ResourceQuota, ResourceQuotaSpec};

use crate::kind::{Columns, Cx, Info, Kind, STATUS};
use crate::rules::check::{keep_status, list};
use crate::rules::defaults::{Resources, quantities};
use crate::rules::pod::resources::{amount, is_huge, name};

/// The kind.
pub struct ResourceQuotas;

/// Names without a domain that a quota may limit.
const STANDARD: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];
/// Those that belong to pods.
const OF_PODS: &[&str] =
    &["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "pods"];
const POD_SCOPES: &[&str] =
    &["Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"];
const IMMUTABLE: &str = "field is immutable";

impl Kind for ResourceQuotas {
    type Object = ResourceQuota;

    fn info() -> Info {
        Info {
            short: &["quota"],
            subresources: &[STATUS],
            returns_deleted: true,
            ..Info::of::<ResourceQuota>("resourcequotas", "resourcequota", Scope::Namespaced)
        }
    }

    fn default(quota: &mut ResourceQuota) {
        quantities(&mut quota.spec.get_or_insert_default().hard);
        let status = quota.status.get_or_insert_default();
        quantities(&mut status.hard);
        quantities(&mut status.used);
    }

    fn prepare(cx: &Cx, new: &mut ResourceQuota, old: Option<&ResourceQuota>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
        new.status.get_or_insert_default();
    }

    fn validate(cx: &Cx, new: &ResourceQuota, old: Option<&ResourceQuota>, errors: &mut Errors) {
        if cx.subresource == "status" {
            let status = Path::new("status");
            hard(errors, &status.child("hard"), new.status.as_ref().and_then(|s| s.hard.as_ref()));
            return hard(errors, &status.child("used"), new.status.as_ref().and_then(|s| s.used.as_ref()));
        }
        let (none, path) = (ResourceQuotaSpec::default(), Path::new("spec"));
        let spec = new.spec.as_ref().unwrap_or(&none);
        hard(errors, &path.child("hard"), spec.hard.as_ref());
        scopes(errors, &path.child("scopes"), spec, list(&spec.scopes));
        selector(errors, &path.child("scopeSelector"), spec);
        let Some(old) = old else { return };
        let set = |spec: &ResourceQuotaSpec| list(&spec.scopes).iter().cloned().collect::<BTreeSet<_>>();
        if set(spec) != set(old.spec.as_ref().unwrap_or(&none)) {
            errors.invalid(&path.child("scopes"), list(&spec.scopes).to_vec(), IMMUTABLE);
        }
    }

    fn columns() -> Columns<ResourceQuota> {
        Columns::<ResourceQuota>::named()
            .text("Request", |q, _| amounts(q, false).into())
            .text("Limit", |q, _| amounts(q, true).into())
            .age()
    }
}

fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name) || is_huge(name.trim_start_matches("requests."))
}

fn hard(errors: &mut Errors, path: &Path, amounts: Option<&Resources>) {
    for (key, value) in amounts.into_iter().flatten() {
        let at = path.key(key);
        if !is_standard(key) {
            name(errors, &at, key);
            if !key.contains('/') {
                errors.invalid(&at, key.as_str(), "must be a standard resource for quota");
            }
        }
        amount(errors, &at, key, value);
        let whole = is_standard(key) && !key.contains("cpu") && !key.contains("memory") && !key.contains("storage");
        let whole = whole && key != "pods" && !is_huge(key.trim_start_matches("requests."));
        if whole && nakhoda_api::quantity::Quantity::try_from(value).is_ok_and(|q| q.milli() % 1000 != 0) {
            errors.invalid(&at, value.0.as_str(), "must be an integer");
        }
    }
}

/// Whether objects counted for a resource can be of the scope.
fn fits(scope: &str, resource: &str) -> bool {
    match scope {
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => ["persistentvolumeclaims", "requests.storage"].contains(&resource),
        _ if POD_SCOPES.contains(&scope) => OF_PODS.contains(&resource),
        _ => true,
    }
}

/// Scopes that a quota has or has not.
const EXISTING: &[&str] =
    &["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating"];

fn is_scope(scope: &str) -> bool {
    POD_SCOPES.contains(&scope) || ["BestEffort", "VolumeAttributesClass"].contains(&scope)
}

fn scopes(errors: &mut Errors, path: &Path, spec: &ResourceQuotaSpec, given: &[String]) {
    for scope in given {
        if !is_scope(scope) {
            errors.invalid(path, given.to_vec(), "unsupported scope");
        }
        for key in spec.hard.iter().flat_map(|h| h.keys()).filter(|key| is_standard(key)) {
            if !fits(scope, key) {
                errors.invalid(path, given.to_vec(), "unsupported scope applied to resource");
            }
        }
    }
    for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        if pair.iter().all(|one| given.iter().any(|scope| scope == one)) {
            errors.invalid(path, given.to_vec(), "conflicting scopes");
        }
    }
}

fn selector(errors: &mut Errors, path: &Path, spec: &ResourceQuotaSpec) {
    let path = path.child("matchExpressions");
    let all = spec.scope_selector.as_ref().map_or(&[][..], |s| list(&s.match_expressions));
    for one in all {
        let scope = one.scope_name.as_str();
        if !is_scope(scope) {
            errors.invalid(&path.child("scopeName"), scope, "unsupported scope");
        }
        for key in spec.hard.iter().flat_map(|h| h.keys()).filter(|key| is_standard(key)) {
            if !fits(scope, key) {
                errors.invalid(&path, scope, "unsupported scope applied to resource");
            }
        }
        let (operator, values) = (one.operator.as_str(), list(&one.values));
        if EXISTING.contains(&scope) && operator != "Exists" {
            let why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.invalid(&path.child("operator"), operator, why);
        }
        match operator {
            "In" | "NotIn" if values.is_empty() => errors
                .required(&path.child("values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"),
            "Exists" | "DoesNotExist" if !values.is_empty() => errors.invalid(
                &path.child("values"),
                values.to_vec(),
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
            ),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => errors.invalid(&path.child("operator"), operator, "not a valid selector operator"),
        }
    }
}

/// `cpu: 1/2, …`: used and hard.
fn amounts(quota: &ResourceQuota, limits: bool) -> String {
    let Some(status) = &quota.status else { return String::new() };
    let hard = status.hard.iter().flatten().filter(|(key, _)| key.starts_with("limits.") == limits);
    let cell = |(key, hard): (&String, &nakhoda_api::kinds::Quantity)| {
        let used = status.used.as_ref().and_then(|used| used.get(key)).map_or("0", |q| q.0.as_str());
        format!("{key}: {used}/{}", hard.0)
    };
    hard.map(cell).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::kinds::testing::create;

    use super::*;

    #[test]
    fn names_and_scopes_fit_each_other() {
        let quota = |hard: &str, scope: &str| serde_json::json!({"spec": {"hard": {hard: "1"}, "scopes": [scope]}});
        for (hard, scope, fault) in [
            ("pods", "BestEffort", ""),
            ("cpu", "BestEffort", "unsupported scope applied to resource"),
            ("pods", "Other", "unsupported scope"),
            ("count/jobs.batch", "Terminating", ""),
        ] {
            let errors = create::<ResourceQuotas>(quota(hard, scope));
            assert!(errors.contains(fault) && (!fault.is_empty() || !errors.contains("spec")), "{errors}");
        }
    }
}
