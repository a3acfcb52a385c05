//! What policies of both kinds have in common (`k8s.io/apiserver/pkg/admission/plugin/policy`): which policies are bound
//! to a request, with which parameters, and what their expressions are told.
//!
//! Absent: expressions see types only as far as values show them; there is no check against schemas.

pub mod asker;
pub mod compiled;
pub mod facts;
pub mod params;
pub mod spec;

use std::sync::Arc;

use nakhoda_api::{GroupVersionResource, Object};
use nakhoda_store::cache::Item;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::webhook::matching;
use super::webhook::view::{Matched, Scope};
use super::{Attributes, Operation};
use compiled::Policy;
use spec::{Binding, MatchResources};

const GROUP: &str = "admissionregistration.k8s.io";

/// One kind of policies by the plurals.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Of the policies.
    pub policies: &'static str,
    /// Of the bindings.
    pub bindings: &'static str,
}

/// A policy that has a say in a request, where it is bound, and one of the parameters that it is given there.
pub struct Invocation {
    /// The policy.
    pub policy: Arc<Policy>,
    /// Where it is bound.
    pub binding: Arc<Binding>,
    /// The parameters; null if there are none.
    pub params: Value,
    /// As what it sees the object.
    pub matched: Matched,
}

/// A binding that cannot be followed.
pub struct Failure {
    /// Of this policy.
    pub policy: Arc<Policy>,
    /// The binding.
    pub binding: Arc<Binding>,
    /// Why.
    pub why: String,
}

// === impl Kind ===

impl Kind {
    /// Whether there is anything bound that may have a say. A policy has none in policies: a bad one must not keep
    /// itself.
    #[must_use]
    pub fn is_bound(self, attributes: &Attributes<'_>) -> bool {
        let call = attributes.call;
        let about_policies = call.target.gvr.group == GROUP && call.target.gvr.resource.contains("admissionpolic");
        let own = attributes.operation == Operation::Connect && call.user == crate::user::User::system();
        let some = call.pipeline.storage().snapshot(&resource(self.bindings));
        !about_policies && !own && some.is_some_and(|all| !all.is_empty())
    }

    /// What has a say in a request, in the order of the policies' and the bindings' names.
    #[must_use]
    pub fn invocations(self, attributes: &Attributes<'_>, object: Option<&Object>) -> (Vec<Invocation>, Vec<Failure>) {
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        let bindings: Vec<Arc<Binding>> =
            items(attributes, self.bindings).iter().filter_map(|item| read(item)).collect();
        for item in items(attributes, self.policies) {
            let mut of_policy = bindings.iter().filter(|binding| binding.spec.policy_name == item.name()).peekable();
            let Some(policy) = of_policy.peek().and_then(|_| Policy::of(&item)) else { continue };
            let Some(matched) = matched(&policy.spec.match_constraints, false, attributes, object) else { continue };
            for binding in of_policy {
                let resources = binding.spec.match_resources.as_ref();
                if resources.is_some_and(|resources| self::matched(resources, true, attributes, object).is_none()) {
                    continue;
                }
                match params::of(&policy.spec, &binding.spec, attributes) {
                    Ok(all) => found.extend(all.into_iter().map(|params| Invocation {
                        policy: policy.clone(),
                        binding: binding.clone(),
                        params,
                        matched: matched.clone(),
                    })),
                    Err(why) => failures.push(Failure {
                        policy: policy.clone(),
                        binding: binding.clone(),
                        why: format!("failed to configure binding: {why}"),
                    }),
                }
            }
        }
        (found, failures)
    }
}

/// As what the resources match a request, if they do; `open` if no rules match everything.
fn matched(
    resources: &MatchResources,
    open: bool,
    attributes: &Attributes<'_>,
    object: Option<&Object>,
) -> Option<Matched> {
    if !matching::selected(resources.selectors(), attributes, object).unwrap_or(true) {
        return None;
    }
    let scope = Scope { equivalent: resources.match_policy != "Exact" };
    if scope.matched(&resources.exclude_resource_rules, attributes).is_some() {
        return None;
    }
    match resources.resource_rules.as_slice() {
        [] if open => Some(Matched::exact(attributes)),
        rules => scope.matched(rules, attributes),
    }
}

fn resource(plural: &str) -> GroupVersionResource {
    GroupVersionResource::new(GROUP, "v1", plural)
}

fn items(attributes: &Attributes<'_>, plural: &str) -> Vec<Arc<Item>> {
    let snapshot = attributes.call.pipeline.storage().snapshot(&resource(plural));
    snapshot.map(|all| all.walk(None, None).cloned().collect()).unwrap_or_default()
}

fn read<T: DeserializeOwned>(item: &Item) -> Option<Arc<T>> {
    match serde_json::from_slice(item.json()) {
        Ok(read) => Some(Arc::new(read)),
        Err(error) => {
            tracing::warn!(name = item.name(), %error, "a policy or a binding cannot be read");
            None
        }
    }
}
