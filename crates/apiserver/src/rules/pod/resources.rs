//! Requests and limits.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds;
use nakhoda_api::kinds::core::{PodSpec, ResourceRequirements};
use nakhoda_api::names;
use nakhoda_api::quantity::Quantity;

use super::claims;
use crate::rules::check::{each, list};

/// Names without a domain that a container may use.
const STANDARD: &[&str] = &["cpu", "memory", "ephemeral-storage"];
/// Names without a domain that exist at all.
const KNOWN: &[&str] = &["cpu", "memory", "ephemeral-storage", "storage", "pods", "services", "secrets", "configmaps"];

/// Requests and limits of one container.
pub fn validate(errors: &mut Errors, path: &Path, given: &ResourceRequirements) {
    let (limits, requests) = (path.child("limits"), path.child("requests"));
    for (name, value) in given.limits.iter().flatten() {
        container_name(errors, &limits.key(name), name);
        amount(errors, &limits.key(name), name, value);
    }
    for (name, value) in given.requests.iter().flatten() {
        container_name(errors, &requests.key(name), name);
        amount(errors, &requests.key(name), name, value);
        below_limit(errors, path, given, name, value);
    }
    let all = || given.limits.iter().flatten().chain(given.requests.iter().flatten()).map(|(n, _)| n.as_str());
    if all().any(is_huge) && !all().any(|n| ["cpu", "memory"].contains(&n)) {
        errors.forbidden(path, "HugePages require cpu or memory");
    }
}

fn below_limit(errors: &mut Errors, path: &Path, given: &ResourceRequirements, name: &str, value: &kinds::Quantity) {
    let at = path.child("requests");
    let limit = given.limits.as_ref().and_then(|l| l.get(name));
    let Some(limit) = limit else {
        if !may_overcommit(name) {
            errors.required(&path.child("limits"), "Limit must be set for non overcommitable resources");
        }
        return;
    };
    let (Ok(request), Ok(limit)) = (Quantity::try_from(value), Quantity::try_from(limit)) else { return };
    if request != limit && !may_overcommit(name) {
        errors.invalid(&at, request.to_string(), format!("must be equal to {name} limit of {limit}"));
    } else if request > limit {
        errors.invalid(&at, request.to_string(), format!("must be less than or equal to {name} limit of {limit}"));
    }
}

/// Any resource's name.
pub fn name(errors: &mut Errors, path: &Path, name: &str) {
    let faults = names::is_qualified_name(name);
    if !faults.is_empty() {
        return each(errors, path, name, faults);
    }
    if !name.contains('/') && !KNOWN.contains(&name) && !is_huge(name) {
        errors.invalid(path, name, "must be a standard resource type or fully qualified");
    }
}

/// The name of a resource that containers use.
pub fn container_name(errors: &mut Errors, path: &Path, name: &str) {
    self::name(errors, path, name);
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    if !name.contains('/') {
        if !STANDARD.contains(&name) && !is_huge(name) {
            errors.invalid(path, name, "must be a standard resource for containers");
        }
    } else if !native
        && (name.starts_with("requests.") || !names::is_qualified_name(&format!("requests.{name}")).is_empty())
    {
        errors.invalid(path, name, "doesn't follow extended resource name standard");
    }
}

/// One amount: readable, not negative, and whole where parts make no sense.
pub fn amount(errors: &mut Errors, path: &Path, name: &str, value: &kinds::Quantity) {
    let quantity = match Quantity::try_from(value) {
        Ok(quantity) => quantity,
        Err(why) => return errors.invalid(path, value.0.as_str(), why.to_string()),
    };
    if quantity.is_negative() {
        errors.invalid(path, quantity.to_string(), "must be greater than or equal to 0");
    }
    let whole = name == "pods" || is_extended(name);
    if whole && quantity.milli() % 1000 != 0 {
        errors.invalid(path, quantity.to_string(), "must be an integer");
    }
}

/// Requests and limits of a pod as a whole.
pub fn of_pod(errors: &mut Errors, path: &Path, given: &ResourceRequirements, spec: &PodSpec) {
    if given.claims.is_some() {
        errors.forbidden(&path.child("claims"), "claims may not be set for Resources at pod-level");
        claims::of_container(errors, &path.child("claims"), list(&given.claims), spec);
    }
    for (field, amounts) in [("limits", &given.limits), ("requests", &given.requests)] {
        for (name, value) in amounts.iter().flatten() {
            let at = path.child(field).key(name);
            let faults = names::is_qualified_name(name);
            if !faults.is_empty() {
                each(errors, &at, name.as_str(), faults);
            } else if !["cpu", "memory"].contains(&name.as_str()) && !is_huge(name) {
                errors.not_supported(&at, name.as_str(), &["cpu", "hugepages-", "memory"]);
            }
            amount(errors, &at, name, value);
            if field == "requests" {
                below_limit(errors, path, given, name, value);
            }
        }
    }
    for (name, value) in given.requests.iter().flatten() {
        let of = |c: &nakhoda_api::kinds::core::Container| {
            let requests = c.resources.as_ref().and_then(|r| r.requests.as_ref());
            requests.and_then(|r| r.get(name)).and_then(|q| Quantity::try_from(q).ok()).unwrap_or_default()
        };
        let all: Quantity = spec.containers.iter().map(of).sum();
        let most = list(&spec.init_containers).iter().map(of).max().unwrap_or_default().max(all);
        if Quantity::try_from(value).is_ok_and(|v| most > v) {
            let why = format!("must be greater than or equal to aggregate container requests of {most}");
            errors.invalid(&path.child("requests").key(name), value.0.as_str(), why);
        }
    }
}

/// Whether it is memory in huge pages.
#[must_use]
pub fn is_huge(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Whether a resource belongs to somebody else's domain: a device, for example.
#[must_use]
pub fn is_extended(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/") && !name.starts_with("requests.")
}

/// Whether a request may lie below its limit.
#[must_use]
pub fn may_overcommit(name: &str) -> bool {
    (!name.contains('/') || name.contains("kubernetes.io/")) && !is_huge(name)
}
