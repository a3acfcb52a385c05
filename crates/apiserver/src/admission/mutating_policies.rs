//! `MutatingAdmissionPolicy`: policies in CEL that change objects, where a binding says that they count
//! (`k8s.io/apiserver/pkg/admission/plugin/policy/mutating`).

mod configuration;
mod patch;

use futures::future::BoxFuture;
use nakhoda_api::status::Cause;
use nakhoda_api::{Object, Reason, Status};

use super::policy::facts::Facts;
use super::policy::{Failure, Invocation, Kind};
use super::rounds::Rounds;
use super::{Attributes, Plugin};

const KIND: Kind = Kind { policies: "mutatingadmissionpolicies", bindings: "mutatingadmissionpolicybindings" };

/// The plugin.
pub struct MutatingAdmissionPolicy;

impl Plugin for MutatingAdmissionPolicy {
    fn name(&self) -> &'static str {
        "MutatingAdmissionPolicy"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        KIND.is_bound(attributes)
    }

    fn mutate_in<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: &'a mut Object,
        rounds: &'a mut Rounds,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let (invocations, failures) = KIND.invocations(attributes, Some(object));
            let mut refusals: Vec<Refusal> = failures.into_iter().filter_map(Refusal::of_failure).collect();
            rounds.policies.begin(rounds.again, object);
            for invocation in &invocations {
                match invoke(invocation, attributes, object, rounds).await {
                    Ok(()) => {}
                    Err(patch::Fault::Told(why)) => refusals.extend(Refusal::of(invocation, &why)),
                    Err(patch::Fault::Refused(status)) => return Err(*status),
                }
            }
            rounds.policies.end(object);
            if refusals.is_empty() { Ok(()) } else { Err(refused(attributes, object, &refusals)) }
        })
    }
}

/// Why the request is refused.
struct Refusal {
    message: String,
    reason: Option<Reason>,
}

// === impl Refusal ===

impl Refusal {
    /// Nothing if the policy may fail.
    fn of(invocation: &Invocation, why: &str) -> Option<Self> {
        let message = told(&invocation.policy.name, &invocation.binding.metadata.name, why);
        (!invocation.policy.spec.ignores()).then_some(Self { message, reason: Some(Reason::Invalid) })
    }

    fn of_failure(failure: Failure) -> Option<Self> {
        let message = told(&failure.policy.name, &failure.binding.metadata.name, &failure.why);
        (!failure.policy.spec.ignores()).then_some(Self { message, reason: None })
    }
}

fn told(policy: &str, binding: &str, why: &str) -> String {
    format!("policy '{policy}' with binding '{binding}' denied request: {why}")
}

/// Lets one policy change the object, mutation by mutation.
async fn invoke(
    invocation: &Invocation,
    attributes: &Attributes<'_>,
    object: &mut Object,
    rounds: &mut Rounds,
) -> Result<(), patch::Fault> {
    let (policy, matched) = (&invocation.policy, &invocation.matched);
    let old = matched.see(attributes, attributes.old).await?;
    let seen = matched.see(attributes, Some(object)).await?;
    let facts = Facts::of(attributes, matched, seen.as_deref(), old.as_deref(), &invocation.params);
    if !facts.hold(&policy.conditions, policy.spec.ignores()).map_err(patch::Fault::Told)? {
        return Ok(());
    }
    let key = key(invocation);
    if !rounds.policies.asks(rounds.again, &key) {
        return Ok(());
    }
    let before = object.clone();
    let outcome = mutations(invocation, attributes, object, old.as_deref()).await;
    if *object != before {
        rounds.policies.changed();
        rounds.wanted = true;
    }
    if policy.spec.reinvocation_policy == "IfNeeded" {
        rounds.policies.asked(key);
    }
    outcome
}

/// What tells an invocation from all others.
fn key(invocation: &Invocation) -> String {
    let params = &invocation.params["metadata"];
    let text = |field: &str| params[field].as_str().unwrap_or_default();
    let (policy, binding) = (&invocation.policy.name, &invocation.binding.metadata.name);
    format!("{policy}/{binding}/{}/{}", text("namespace"), text("name"))
}

/// A mutation that fails leaves the object as it was, and the next ones are made all the same; the first fault is told.
async fn mutations(
    invocation: &Invocation,
    attributes: &Attributes<'_>,
    object: &mut Object,
    old: Option<&Object>,
) -> Result<(), patch::Fault> {
    let (policy, matched) = (&invocation.policy, &invocation.matched);
    let mut first = None;
    for (kind, expression) in &policy.mutations {
        let Some(seen) = matched.see(attributes, Some(object)).await? else { continue };
        let facts = Facts::of(attributes, matched, Some(&seen), old, &invocation.params);
        match patch::make(*kind, expression, policy, &facts, &seen, &matched.kind) {
            Ok(changed) => {
                let mut changed = matched.back(attributes, changed).await?;
                attributes.default(&mut changed)?;
                *object = changed;
            }
            Err(patch::Fault::Told(why)) => first = first.or(Some(why)),
            Err(refused) => return Err(refused),
        }
    }
    first.map_or(Ok(()), |why| Err(patch::Fault::Told(why)))
}

fn refused(attributes: &Attributes<'_>, object: &Object, refusals: &[Refusal]) -> Status {
    let mut status = attributes.forbidden(Some(object), "admission request denied by policy");
    if let Some(first) = refusals.first() {
        status.message.clone_from(&first.message);
        status.reason = first.reason.or(status.reason);
    }
    if let Some(details) = &mut status.details {
        details.causes.extend(refusals.iter().map(|r| Cause { message: r.message.clone(), ..Cause::default() }));
    }
    status
}

#[cfg(test)]
mod tests;
