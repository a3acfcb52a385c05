//! `ValidatingAdmissionPolicy`: policies in CEL, where a binding says that they count
//! (`k8s.io/apiserver/pkg/admission/plugin/policy/validating`).
//!
//! Absent: the check of types against schemas.

mod evaluate;

use futures::future::BoxFuture;
use nakhoda_api::status::Cause;
use nakhoda_api::{Object, Reason, Status};
use serde_json::json;

use super::policy::facts::Facts;
use super::policy::{Invocation, Kind};
use super::{Attributes, Plugin};
use evaluate::Decision;

const KIND: Kind = Kind { policies: "validatingadmissionpolicies", bindings: "validatingadmissionpolicybindings" };

/// Under this key the audit log has what does not hold, where a binding says `Audit`.
const FAILURE: &str = "validation.policy.admission.k8s.io/validation_failure";

/// The plugin.
pub struct ValidatingAdmissionPolicy;

impl Plugin for ValidatingAdmissionPolicy {
    fn name(&self) -> &'static str {
        "ValidatingAdmissionPolicy"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        KIND.is_bound(attributes)
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let (invocations, failures) = KIND.invocations(attributes, object);
            let mut denied = failures.into_iter().filter(|failure| !failure.policy.spec.ignores()).map(|failure| {
                let why = Decision { reason: String::new(), message: failure.why, index: 0 };
                told(&failure.policy.name, &failure.binding.metadata.name, why)
            });
            let mut first = denied.next();
            for invocation in &invocations {
                let denials = deny(invocation, attributes, object).await?;
                first = first.or(denials);
            }
            first.map_or(Ok(()), |first| Err(refusal(attributes, object, first)))
        })
    }
}

/// What a policy has against the request: warned of, or the first that denies it.
async fn deny(
    invocation: &Invocation,
    attributes: &Attributes<'_>,
    object: Option<&Object>,
) -> Result<Option<Decision>, Status> {
    let (policy, matched) = (&invocation.policy, &invocation.matched);
    let new = matched.see(attributes, object).await?;
    let old = matched.see(attributes, attributes.old).await?;
    let facts = Facts::of(attributes, matched, new.as_deref(), old.as_deref(), &invocation.params);
    let decisions = evaluate::decide(policy, &facts);
    let binding = &invocation.binding;
    let does = |wanted: &str| binding.spec.validation_actions.iter().any(|action| action == wanted);
    if does("Warn") {
        attributes.call.notes.warn(decisions.iter().map(|decision| {
            let (policy, binding) = (&policy.name, &binding.metadata.name);
            format!(
                "Validation failed for ValidatingAdmissionPolicy '{policy}' with binding '{binding}': {}",
                decision.message
            )
        }));
    }
    if does("Audit") && !decisions.is_empty() {
        attributes.call.trail.annotate(FAILURE, failures(invocation, &decisions));
    }
    let (annotations, faults) = evaluate::annotate(policy, &facts);
    for (key, text) in annotations {
        attributes.call.trail.annotate(key, text);
    }
    let denied = decisions.into_iter().filter(|_| does("Deny"));
    let first = denied.chain(faults).next();
    Ok(first.map(|decision| told(&policy.name, &binding.metadata.name, decision)))
}

/// What the audit log is told of validations that do not hold.
fn failures(invocation: &Invocation, decisions: &[Decision]) -> String {
    let each = decisions.iter().map(|decision| {
        json!({
            "message": decision.message,
            "policy": invocation.policy.name,
            "binding": invocation.binding.metadata.name,
            "expressionIndex": decision.index,
            "validationActions": invocation.binding.spec.validation_actions,
        })
    });
    serde_json::Value::from_iter(each).to_string()
}

fn told(policy: &str, binding: &str, decision: Decision) -> Decision {
    let message = format!(
        "ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {}",
        decision.message
    );
    Decision { message, ..decision }
}

fn refusal(attributes: &Attributes<'_>, object: Option<&Object>, decision: Decision) -> Status {
    let mut status = attributes.forbidden(object, &decision.message);
    let (code, reason) = match decision.reason.as_str() {
        "Forbidden" => (403, Reason::Forbidden),
        "Unauthorized" => (401, Reason::Unauthorized),
        "RequestEntityTooLarge" => (413, Reason::RequestEntityTooLarge),
        _ => (422, Reason::Invalid),
    };
    status.code = code;
    status.reason = Some(reason);
    if let Some(details) = &mut status.details {
        details.causes.push(Cause { message: decision.message, ..Cause::default() });
    }
    status
}

#[cfg(test)]
mod tests;
