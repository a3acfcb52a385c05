//! Whether a webhook or a policy is to be asked: rules and selectors.

use std::collections::BTreeMap;

use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::selector::labels::from_typed;
use nakhoda_api::{Object, Scope, Status};
use nakhoda_store::cache::Item;

use super::hook::{Hook, Rule};
use super::namespace_labels;
use super::view::{self, Matched};
use crate::admission::{Attributes, Operation};
use crate::kind::Info;

/// As what a webhook is to be asked about a request, if its rules and selectors say so.
pub fn matched(hook: &Hook, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<Option<Matched>, Status> {
    let reach = view::Scope { equivalent: hook.match_policy == "Equivalent" };
    let Some(matched) = reach.matched(&hook.rules, attributes) else { return Ok(None) };
    let selectors = [hook.namespace_selector.as_ref(), hook.object_selector.as_ref()];
    Ok(selected(selectors, attributes, object)?.then_some(matched))
}

/// Whether the selectors of namespaces and of objects say so.
pub fn selected(
    [namespaces, objects]: [Option<&LabelSelector>; 2],
    attributes: &Attributes<'_>,
    object: Option<&Object>,
) -> Result<bool, Status> {
    Ok(in_namespace(namespaces, attributes, object)? && of_object(objects, attributes, object)?)
}

/// Whether a selector takes a stored object; one that cannot be read takes none.
#[must_use]
pub fn selects_item(selector: Option<&LabelSelector>, item: &Item) -> bool {
    let labels = item.labels().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    selects(selector, &labels).unwrap_or(false)
}

/// An operation as rules name it.
#[must_use]
pub const fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "CREATE",
        Operation::Update => "UPDATE",
        Operation::Delete => "DELETE",
        Operation::Connect => "CONNECT",
    }
}

/// Whether a rule is about the request, were it for this kind.
#[must_use]
pub fn fits(rule: &Rule, attributes: &Attributes<'_>, kind: &Info) -> bool {
    let call = attributes.call;
    let scope = match rule.scope.as_deref() {
        Some("Cluster") => kind.scope == Scope::Cluster,
        Some("Namespaced") => kind.scope == Scope::Namespaced,
        _ => true,
    };
    scope
        && may_fit(rule, attributes)
        && has(&rule.api_groups, &kind.gvk.group)
        && has(&rule.api_versions, &kind.gvk.version)
        && rule.resources.iter().any(|pattern| names(pattern, kind.plural, &call.target.subresource))
}

/// Whether a rule may be about the request, were it for another kind.
#[must_use]
pub fn may_fit(rule: &Rule, attributes: &Attributes<'_>) -> bool {
    let named = rule.resource_names.is_empty() || rule.resource_names.contains(&attributes.call.target.name);
    named && has(&rule.operations, word(attributes.operation))
}

fn has(list: &[String], one: &str) -> bool {
    list.iter().any(|item| item == "*" || item == one)
}

/// Whether `pods`, `pods/*`, `*/status` … names a resource and subresource.
fn names(pattern: &str, resource: &str, subresource: &str) -> bool {
    let (first, second) = pattern.split_once('/').unwrap_or((pattern, ""));
    let resource_fits = first == "*" || first == resource;
    resource_fits && (second == subresource || second == "*")
}

fn selects(selector: Option<&LabelSelector>, labels: &BTreeMap<String, String>) -> Result<bool, Status> {
    let Some(selector) = selector else { return Ok(true) };
    let selector = from_typed(Some(selector)).map_err(|error| Status::internal(&error))?;
    Ok(selector.matches(labels))
}

fn labels_of(object: &Object) -> BTreeMap<String, String> {
    object.labels().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn in_namespace(
    selector: Option<&LabelSelector>,
    attributes: &Attributes<'_>,
    object: Option<&Object>,
) -> Result<bool, Status> {
    let call = attributes.call;
    if call.target.gvr.group.is_empty() && call.target.gvr.resource == "namespaces" {
        let own = object.filter(|_| call.target.subresource.is_empty()).or(attributes.old);
        return own.map_or(Ok(true), |own| selects(selector, &labels_of(own)));
    }
    match call.kind.info.scope {
        Scope::Cluster => Ok(true),
        Scope::Namespaced => selects(selector, &namespace_labels(call)),
    }
}

/// What has no metadata, as options of streams, is only taken by who takes everything.
fn of_object(
    selector: Option<&LabelSelector>,
    attributes: &Attributes<'_>,
    object: Option<&Object>,
) -> Result<bool, Status> {
    if selector.is_none_or(|selector| *selector == LabelSelector::default()) {
        return Ok(true);
    }
    for one in [object, attributes.old].into_iter().flatten().filter(|one| one.at(&["metadata"]).is_some()) {
        if selects(selector, &labels_of(one))? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_and_subresources_are_named_by_patterns() {
        for (pattern, resource, sub, fits) in [
            ("pods", "pods", "", true),
            ("pods", "pods", "status", false),
            ("pods/*", "pods", "status", true),
            ("*", "pods", "", true),
            ("*", "pods", "status", false),
            ("*/*", "pods", "exec", true),
            ("*/scale", "deployments", "scale", true),
            ("pods/exec", "pods", "exec", true),
        ] {
            assert_eq!(names(pattern, resource, sub), fits, "{pattern} of {resource}/{sub}");
        }
    }
}
