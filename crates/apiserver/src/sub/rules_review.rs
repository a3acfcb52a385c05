//! SelfSubjectRulesReview: what may I do in a namespace? The rules of RBAC; a kubelet's rights by the
//! Node authorizer and what webhooks allow are not among them, which the answer says.

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_api::kinds::authorization::{
    NonResourceRule, ResourceRule, SelfSubjectRulesReview, SubjectRulesReviewStatus,
};
use nakhoda_api::kinds::rbac::PolicyRule;

use super::{Handler, review};
use crate::authz::rbac::Rbac;
use crate::request::Action;
use crate::response::Response;
use crate::verb::Call;

/// The handler.
pub struct SelfSubjectRules;

impl Handler for SelfSubjectRules {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(review::answer(call, action, async |asked: &mut SelfSubjectRulesReview| {
            let namespace = asked.spec.namespace.clone().unwrap_or_default();
            if namespace.is_empty() {
                return Err(Status::bad_request("no namespace on request"));
            }
            asked.status = Some(rules(call, &namespace));
            Ok(())
        }))
    }
}

fn rules(call: &Call, namespace: &str) -> SubjectRulesReviewStatus {
    let rbac = call.pipeline.extension::<Rbac>();
    let granted: Vec<PolicyRule> = rbac.map_or_else(Vec::new, |rbac| {
        rbac.read(|index| index.rules_of(&call.user, namespace).flat_map(|(_, rules)| rules.to_vec()).collect())
    });
    let silent = call.pipeline.authz().silent_on_rules(&call.user);
    let (paths, resources): (Vec<_>, Vec<_>) = granted.into_iter().partition(|r| r.non_resource_urls.is_some());
    SubjectRulesReviewStatus {
        evaluation_error: (!silent.is_empty()).then(|| silent.join(", ")),
        incomplete: !silent.is_empty(),
        non_resource_rules: paths
            .into_iter()
            .map(|r| NonResourceRule { non_resource_urls: r.non_resource_urls, verbs: r.verbs })
            .collect(),
        resource_rules: resources
            .into_iter()
            .map(|r| ResourceRule {
                api_groups: r.api_groups,
                resource_names: r.resource_names,
                resources: r.resources,
                verbs: r.verbs,
            })
            .collect(),
    }
}
