//! Whether a disruption budget lets a pod go, and the entry in its status that says so. Upstream's
//! `pkg/registry/core/pod/storage/eviction.go`.

use jiff::Timestamp;
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::{Condition, Time};
use nakhoda_api::kinds::policy::PodDisruptionBudget;
use nakhoda_api::selector::labels;
use nakhoda_api::{GroupResource, GroupVersionResource, Object, Reason, Status};
use nakhoda_api::status::{Cause, Details};

use crate::request::WriteOptions;
use crate::verb::Call;
use crate::verb::update::{Mode, change};

/// So many granted evictions that no controller has seen to are too many.
const MOST_GRANTED: usize = 2000;
const VIOLATES: &str = "Cannot evict pod as it would violate the pod's disruption budget.";

/// How a pod may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grant {
    /// As asked.
    Free,
    /// Only as it is now, because it was found to be unhealthy; the budget's name.
    AsItIs(String),
}

/// Asks the budget that the pod is under, if any, and notes the eviction in it.
pub(super) async fn grant(call: &Call, pod: &Pod, options: &WriteOptions) -> Result<Grant, Status> {
    let mut budgets = budgets_of(call, pod).await?;
    if budgets.len() > 1 {
        let why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
        return Err(Status::failure(500, Reason::Unknown, why));
    }
    let Some(budget) = budgets.pop() else { return Ok(Grant::Free) };
    let name = budget.metadata.name.clone().unwrap_or_default();
    if !is_ready(pod) && lets_unhealthy_go(&budget) {
        return Ok(Grant::AsItIs(name));
    }
    let pod_name = pod.metadata.name.clone().unwrap_or_default();
    let make = |current: Option<&Object>| -> Result<Object, Status> {
        let current = current.ok_or_else(|| Status::not_found(&group_resource(), &name))?;
        let budget = current.typed().map_err(|error| Status::bad_request(error.to_string()))?;
        let taken = take(budget, &pod_name, call.now, options.dry_run)?;
        Object::from_typed(&taken).map_err(|error| Status::internal(&error))
    };
    let Some(kind) = call.pipeline.kinds().get(&resource()) else { return Err(Status::no_such_path()) };
    let mut on_budget = call.on(&kind, call.namespace(), &name);
    on_budget.target.subresource = "status".into();
    change(&on_budget, &make, Mode::Raw, options).await?;
    Ok(Grant::Free)
}

/// Somebody has changed a pod while it was found to be unhealthy: the budget has to be asked again.
pub(super) fn in_progress(name: &str) -> Status {
    refused(10, format!("The disruption budget {name} is still being processed by the server."))
}

async fn budgets_of(call: &Call, pod: &Pod) -> Result<Vec<PodDisruptionBudget>, Status> {
    let Some(kind) = call.pipeline.kinds().get(&resource()) else { return Ok(Vec::new()) };
    let cache = call.pipeline.storage().cache(&kind.info);
    let snapshot = cache.fresh().await.map_err(|error| Status::internal(&error))?;
    let namespace = pod.metadata.namespace.as_deref();
    let read = snapshot.walk(namespace, None).filter_map(|item| serde_json::from_slice(item.json()).ok());
    let selects = |budget: &PodDisruptionBudget| {
        let selector = labels::from_typed(budget.spec.as_ref().and_then(|s| s.selector.as_ref()));
        selector.is_ok_and(|selector| selector.matches(&pod.metadata.labels))
    };
    Ok(read.filter(selects).collect())
}

fn lets_unhealthy_go(budget: &PodDisruptionBudget) -> bool {
    let policy = budget.spec.as_ref().and_then(|s| s.unhealthy_pod_eviction_policy.as_deref());
    let status = budget.status.clone().unwrap_or_default();
    let (healthy, desired) = (status.current_healthy.unwrap_or_default(), status.desired_healthy.unwrap_or_default());
    policy == Some("AlwaysAllow") || (healthy >= desired && desired > 0)
}

/// The budget with one disruption less, or why there is none to give.
fn take(mut budget: PodDisruptionBudget, pod: &str, now: Timestamp, dry_run: bool) -> Result<PodDisruptionBudget, Status> {
    let name = budget.metadata.name.clone().unwrap_or_default();
    let generation = budget.metadata.generation.unwrap_or_default();
    let status = budget.status.get_or_insert_default();
    if status.observed_generation.unwrap_or_default() < generation {
        return Err(in_progress(&name));
    }
    let forbidden = |why| Err(Status::forbidden(&GroupResource::new("policy", "poddisruptionbudget"), &name, why));
    let allowed = status.disruptions_allowed.unwrap_or_default();
    if allowed < 0 {
        return forbidden("pdb disruptions allowed is negative");
    }
    if status.disrupted_pods.as_ref().is_some_and(|pods| pods.len() > MOST_GRANTED) {
        return forbidden("DisruptedPods map too big - too many evictions not confirmed by PDB controller");
    }
    if allowed == 0 {
        return Err(refused(0, why_not(&name, status)));
    }
    status.disruptions_allowed = Some(allowed - 1);
    if allowed == 1 {
        exhausted(status.conditions.get_or_insert_default(), generation, now);
    }
    if !dry_run {
        status.disrupted_pods.get_or_insert_default().insert(pod.to_owned(), Time(now));
    }
    Ok(budget)
}

fn why_not(name: &str, status: &nakhoda_api::kinds::policy::PodDisruptionBudgetStatus) -> String {
    let (healthy, desired) = (status.current_healthy.unwrap_or_default(), status.desired_healthy.unwrap_or_default());
    let condition = status.conditions.iter().flatten().find(|c| c.type_ == "DisruptionAllowed");
    let told = condition.filter(|c| c.status == "False" && !c.message.is_empty());
    match told {
        Some(c) if c.reason == "SyncFailed" => format!(
            "The disruption budget {name} does not allow evicting pods currently because it failed sync: {}",
            c.message
        ),
        _ if healthy <= desired => {
            format!("The disruption budget {name} needs {desired} healthy pods and has {healthy} currently")
        }
        Some(c) => {
            format!("The disruption budget {name} does not allow evicting pods currently ({}): {}", c.reason, c.message)
        }
        None => format!("The disruption budget {name} does not allow evicting pods currently"),
    }
}

/// The condition of a budget that has nothing more to give.
fn exhausted(conditions: &mut Vec<Condition>, generation: i64, now: Timestamp) {
    let known = conditions.iter().find(|c| c.type_ == "DisruptionAllowed" && c.status == "False");
    let last_transition_time = known.map_or(Time(now), |c| c.last_transition_time.clone());
    conditions.retain(|c| c.type_ != "DisruptionAllowed");
    conditions.push(Condition {
        type_: "DisruptionAllowed".into(),
        status: "False".into(),
        reason: "InsufficientPods".into(),
        message: String::new(),
        observed_generation: Some(generation),
        last_transition_time,
    });
}

fn refused(seconds: u32, why: String) -> Status {
    let cause = Cause { reason: "DisruptionBudget".into(), message: why, ..Cause::default() };
    let details = Details { retry_after_seconds: seconds, causes: vec![cause], ..Details::default() };
    Status::too_many_requests(VIOLATES, seconds).with_details(details)
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True")
}

fn resource() -> GroupVersionResource {
    GroupVersionResource::new("policy", "v1", "poddisruptionbudgets")
}

fn group_resource() -> GroupResource {
    GroupResource::new("policy", "poddisruptionbudgets")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn budget(status: Value) -> PodDisruptionBudget {
        let value = json!({"metadata": {"name": "b", "namespace": "n", "generation": 1}, "spec": {}, "status": status});
        serde_json::from_value(value).expect("a budget")
    }

    fn cause(status: &Status) -> &str {
        &status.details.as_ref().expect("details").causes[0].message
    }

    fn taken(status: Value) -> Result<PodDisruptionBudget, Status> {
        take(budget(status), "p", Timestamp::UNIX_EPOCH, false)
    }

    #[test]
    fn a_disruption_is_taken_and_noted() {
        let status = taken(json!({"observedGeneration": 1, "disruptionsAllowed": 1})).expect("granted").status;
        let status = status.expect("a status");
        assert_eq!((status.disruptions_allowed, status.disrupted_pods.expect("noted").len()), (Some(0), 1));
        assert_eq!(status.conditions.expect("told")[0].reason, "InsufficientPods");
    }

    #[test]
    fn a_budget_without_disruptions_says_what_it_needs() {
        let refused = taken(json!({"observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2}));
        let refused = refused.expect_err("refused");
        assert_eq!((refused.code, refused.message.as_str()), (429, VIOLATES));
        assert_eq!(cause(&refused), "The disruption budget b needs 2 healthy pods and has 2 currently");
        let stale = taken(json!({"observedGeneration": 0, "disruptionsAllowed": 5})).expect_err("refused");
        assert_eq!(cause(&stale), "The disruption budget b is still being processed by the server.");
        let negative = taken(json!({"observedGeneration": 1, "disruptionsAllowed": -1})).expect_err("refused");
        assert_eq!(negative.code, 403);
    }

    #[test]
    fn unhealthy_pods_go_if_the_budget_is_met_or_says_so() {
        assert!(lets_unhealthy_go(&budget(json!({"currentHealthy": 2, "desiredHealthy": 2}))));
        assert!(!lets_unhealthy_go(&budget(json!({"currentHealthy": 1, "desiredHealthy": 2}))));
        let mut always = budget(json!({"currentHealthy": 0, "desiredHealthy": 2}));
        always.spec.get_or_insert_default().unhealthy_pod_eviction_policy = Some("AlwaysAllow".into());
        assert!(lets_unhealthy_go(&always));
    }
}
