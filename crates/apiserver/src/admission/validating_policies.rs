//! `ValidatingAdmissionPolicy`: policies in CEL, where a binding says that they count
//! (`k8s.io/apiserver/pkg/admission/plugin/policy/validating`).
//!
//! Absent: the actions `Warn` and `Audit`, the variable `authorizer`, and the check of types against schemas.

use futures::future::BoxFuture;
use nakhoda_api::cel::{Budget, Program, RunError, Type, Val, Variables, eval};
use nakhoda_api::{GroupVersionResource, Object, Reason, Status};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::webhook::{matching, review};
use super::{Attributes, Plugin};

mod spec;

use spec::{Binding, Policy, PolicySpec, Validation};

const GROUP: &str = "admissionregistration.k8s.io";

/// The plugin.
pub struct ValidatingAdmissionPolicy;

impl Plugin for ValidatingAdmissionPolicy {
    fn name(&self) -> &'static str {
        "ValidatingAdmissionPolicy"
    }

    /// A policy has no say in policies: a bad one must not keep itself.
    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let call = attributes.call;
        let about_policies = call.target.gvr.group == GROUP && call.target.gvr.resource.contains("admissionpolic");
        let some = call.pipeline.storage().snapshot(&resource("validatingadmissionpolicybindings"));
        !about_policies && some.is_some_and(|all| !all.is_empty())
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        // nothing waits: all is read from caches
        let outcome = check(attributes, object);
        Box::pin(async { outcome })
    }
}

fn resource(plural: &str) -> GroupVersionResource {
    GroupVersionResource::new(GROUP, "v1", plural)
}

fn all<T: DeserializeOwned>(attributes: &Attributes<'_>, plural: &str) -> Vec<T> {
    let Some(snapshot) = attributes.call.pipeline.storage().snapshot(&resource(plural)) else { return Vec::new() };
    snapshot.walk(None, None).filter_map(|item| serde_json::from_slice(item.json()).ok()).collect()
}

fn check(attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), Status> {
    let policies: Vec<Policy> = all(attributes, "validatingadmissionpolicies");
    let bindings: Vec<Binding> = all(attributes, "validatingadmissionpolicybindings");
    for policy in &policies {
        let of_policy = bindings.iter().filter(|binding| binding.spec.policy_name == policy.metadata.name);
        for binding in of_policy {
            if let Err((reason, why)) = bound(policy, binding, attributes, object) {
                if binding.spec.validation_actions.iter().any(|action| action == "Deny") {
                    return Err(refusal(policy, binding, attributes, object, &reason, &why));
                }
                tracing::debug!(policy = policy.metadata.name, why, "a policy that does not deny is not kept");
            }
        }
    }
    Ok(())
}

/// A reason and a text.
type Fault = (String, String);

fn bound(
    policy: &Policy,
    binding: &Binding,
    attributes: &Attributes<'_>,
    object: Option<&Object>,
) -> Result<(), Fault> {
    let failed = |why: String| (String::new(), why);
    let constraints = &policy.spec.match_constraints;
    let fits = |resources: &spec::MatchResources, open: bool| {
        let rules = &resources.resource_rules;
        (open && rules.is_empty() || rules.iter().any(|rule| matching::fits(rule, attributes)))
            && !resources.exclude_resource_rules.iter().any(|rule| matching::fits(rule, attributes))
            && matching::selected(resources.selectors(), attributes, object).unwrap_or(true)
    };
    if !fits(constraints, false) || !binding.spec.match_resources.as_ref().is_none_or(|r| fits(r, true)) {
        return Ok(());
    }
    let params = params(policy, binding, attributes).map_err(failed)?;
    for params in params {
        let facts = Facts::of(attributes, object, params);
        facts.evaluate(&policy.spec)?;
    }
    Ok(())
}

/// The objects that a binding hands to its policy; one null if it hands none.
fn params(policy: &Policy, binding: &Binding, attributes: &Attributes<'_>) -> Result<Vec<Value>, String> {
    let (Some(kind), Some(reference)) = (&policy.spec.param_kind, &binding.spec.param_ref) else {
        return Ok(vec![Value::Null]);
    };
    let call = attributes.call;
    let gvk = kind.gvk().ok_or("the kind of parameters cannot be read")?;
    let served = call.pipeline.kinds().by_kind(&gvk).ok_or_else(|| format!("paramKind {} is not served", kind.kind))?;
    let namespace = match (served.info.scope, reference.namespace.as_str()) {
        (nakhoda_api::Scope::Cluster, _) => "",
        (nakhoda_api::Scope::Namespaced, "") => call.namespace(),
        (nakhoda_api::Scope::Namespaced, namespace) => namespace,
    };
    let cache = call.pipeline.storage().cache(&served.info).snapshot();
    let read = |json: &[u8]| serde_json::from_slice::<Value>(json).ok();
    let found: Vec<Value> = match reference.name.as_str() {
        "" => cache
            .walk(Some(namespace).filter(|n| !n.is_empty()), None)
            .filter(|item| matching::selects_item(reference.selector.as_ref(), item))
            .filter_map(|item| read(item.json()))
            .collect(),
        name => {
            let item = cache.get(&crate::storage::relative(namespace, name));
            item.and_then(|item| read(item.json())).into_iter().collect()
        }
    };
    if found.is_empty() && reference.parameter_not_found_action != "Allow" {
        return Err("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction".into());
    }
    Ok(found)
}

/// What expressions are told.
struct Facts {
    values: Vec<(&'static str, Value)>,
}

// === impl Facts ===

impl Facts {
    fn of(attributes: &Attributes<'_>, object: Option<&Object>, params: Value) -> Self {
        let json = |object: Option<&Object>| object.map_or(Value::Null, |object| object.clone().into_value());
        let hook = super::webhook::hook::Hook::default();
        let request = review::request(&hook, attributes, None)["request"].take();
        let call = attributes.call;
        let namespace = GroupVersionResource::new("", "v1", "namespaces");
        let namespace = call.pipeline.storage().item(&namespace, "", call.namespace());
        let namespace = namespace.and_then(|item| serde_json::from_slice(item.json()).ok()).unwrap_or_default();
        let values = vec![
            ("object", json(object)),
            ("oldObject", json(attributes.old)),
            ("request", request),
            ("params", params),
            ("namespaceObject", namespace),
        ];
        Self { values }
    }

    fn evaluate(mut self, spec: &PolicySpec) -> Result<(), Fault> {
        let ignores = spec.failure_policy == "Ignore";
        let mut budget = Budget::new(eval::PER_OBJECT);
        let told = |expression: &str, why: String| (String::new(), format!("expression '{expression}' resulted in error: {why}"));
        for condition in &spec.match_conditions {
            match self.value(&condition.expression, &mut budget) {
                Ok(Value::Bool(true)) => {}
                Ok(_) => return Ok(()),
                Err(_) if ignores => return Ok(()),
                Err(why) => return Err(told(&condition.expression, why)),
            }
        }
        self.values.push(("variables", Value::Object(Map::new())));
        for variable in &spec.variables {
            // a variable that fails is no variable: who names it fails
            if let Ok(value) = self.value(&variable.expression, &mut budget)
                && let Some((_, Value::Object(map))) = self.values.last_mut()
            {
                map.insert(variable.name.clone(), value);
            }
        }
        for validation in &spec.validations {
            match self.value(&validation.expression, &mut budget) {
                Ok(Value::Bool(true)) => {}
                Ok(_) => return Err((validation.reason.clone(), self.message(validation, &mut budget))),
                Err(_) if ignores => {}
                Err(why) => return Err(told(&validation.expression, why)),
            }
        }
        Ok(())
    }

    fn message(&self, validation: &Validation, budget: &mut Budget) -> String {
        let made = Some(validation.message_expression.as_str()).filter(|text| !text.is_empty());
        let made = made.and_then(|text| self.value(text, budget).ok()).and_then(|value| value.as_str().map(str::to_owned));
        made.unwrap_or_else(|| match validation.message.trim() {
            "" => format!("failed expression: {}", validation.expression.trim()),
            message => message.to_owned(),
        })
    }

    fn value(&self, expression: &str, budget: &mut Budget) -> Result<Value, String> {
        let variables: Variables<'_> = self.values.iter().map(|(name, _)| ((*name).to_owned(), Type::Dyn)).collect();
        let (program, _) = Program::compile(expression, &variables).map_err(|error| format!("compilation failed: {error}"))?;
        let values: Vec<(&str, Val<'_>)> = self.values.iter().map(|(name, value)| (*name, Val::of(value, None))).collect();
        program.run(&values, budget).map(|value| value.json()).map_err(|error: RunError| error.to_string())
    }
}

fn refusal(
    policy: &Policy,
    binding: &Binding,
    attributes: &Attributes<'_>,
    object: Option<&Object>,
    reason: &str,
    why: &str,
) -> Status {
    let why = format!(
        "ValidatingAdmissionPolicy '{}' with binding '{}' denied request: {why}",
        policy.metadata.name, binding.metadata.name
    );
    let mut status = attributes.forbidden(object, &why);
    let (code, reason) = match reason {
        "Forbidden" => (403, Reason::Forbidden),
        "Unauthorized" => (401, Reason::Unauthorized),
        "RequestEntityTooLarge" => (413, Reason::RequestEntityTooLarge),
        _ => (422, Reason::Invalid),
    };
    status.code = code;
    status.reason = Some(reason);
    if let Some(details) = &mut status.details {
        details.causes.push(nakhoda_api::status::Cause { message: why, ..Default::default() });
    }
    status
}

#[cfg(test)]
mod tests;
