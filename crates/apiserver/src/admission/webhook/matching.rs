//! Whether a webhook is to be asked: rules, selectors, conditions.

use std::collections::BTreeMap;

use nakhoda_api::cel::{Budget, Program, Type, Val, Variables, eval};
use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::selector::labels::from_typed;
use nakhoda_api::{Object, Reason, Scope, Status};
use nakhoda_store::cache::Item;
use serde_json::Value;

use super::hook::{Hook, Rule};
use super::{namespace_labels, review};
use crate::admission::{Attributes, Operation};

/// Whether all of them say so.
pub fn matches(hook: &Hook, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<bool, Status> {
    if !hook.rules.iter().any(|rule| fits(rule, attributes)) {
        return Ok(false);
    }
    let selectors = [hook.namespace_selector.as_ref(), hook.object_selector.as_ref()];
    if !selected(selectors, attributes, object)? {
        return Ok(false);
    }
    conditions(hook, attributes, object)
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
    let labels = item.labels().iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
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

/// Whether a rule is about the request.
#[must_use]
pub fn fits(rule: &Rule, attributes: &Attributes<'_>) -> bool {
    let call = attributes.call;
    let gvr = &call.target.gvr;
    let has = |list: &[String], one: &str| list.iter().any(|item| item == "*" || item == one);
    let scope = match rule.scope.as_deref() {
        Some("Cluster") => call.kind.info.scope == Scope::Cluster,
        Some("Namespaced") => call.kind.info.scope == Scope::Namespaced,
        _ => true,
    };
    scope
        && has(&rule.operations, word(attributes.operation))
        && has(&rule.api_groups, &gvr.group)
        && has(&rule.api_versions, &gvr.version)
        && rule.resources.iter().any(|pattern| names(pattern, &gvr.resource, &call.target.subresource))
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

fn of_object(
    selector: Option<&LabelSelector>,
    attributes: &Attributes<'_>,
    object: Option<&Object>,
) -> Result<bool, Status> {
    for one in [object, attributes.old].into_iter().flatten() {
        if selects(selector, &labels_of(one))? {
            return Ok(true);
        }
    }
    Ok(object.or(attributes.old).is_none())
}

fn conditions(hook: &Hook, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<bool, Status> {
    if hook.match_conditions.is_empty() {
        return Ok(true);
    }
    let json = |object: Option<&Object>| object.map_or(Value::Null, |object| object.clone().into_value());
    let (new, old) = (json(object), json(attributes.old));
    let request = review::request(hook, attributes, object)["request"].take();
    let variables = ["object", "oldObject", "request"].map(|name| (name.to_owned(), Type::Dyn));
    let variables = Variables::from(variables);
    let values = [("object", &new), ("oldObject", &old), ("request", &request)].map(|(n, v)| (n, Val::of(v, None)));
    let mut budget = Budget::new(eval::PER_CALL);
    let mut failed = None;
    for condition in &hook.match_conditions {
        let outcome = match Program::compile(&condition.expression, &variables) {
            Ok((program, _)) => match program.run(&values, &mut budget) {
                Ok(value) => Ok(matches!(value, Val::Bool(true))),
                Err(error) => Err(error.to_string()),
            },
            Err(error) => Err(error.to_string()),
        };
        match outcome {
            // what is false decides, whatever failed before
            Ok(false) => return Ok(false),
            Ok(true) => {}
            Err(why) => failed = failed.or(Some(format!("{}: {why}", condition.name))),
        }
    }
    match failed {
        None => Ok(true),
        Some(_) if hook.failure_policy == "Ignore" => Ok(false),
        Some(why) => {
            let why = format!("Internal error occurred: failed calling webhook {:?}: match condition {why}", hook.name);
            Err(Status::failure(500, Reason::InternalError, why))
        }
    }
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
