//! The status of a budget: how many pods there should be, how many are well, and so how many may go.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::{Condition, LabelSelector, Time};
use nakhoda_api::kinds::policy::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use nakhoda_client::Resource;

use crate::pods::is_ready;
use crate::share::scaled;

/// How long an evicted pod may still be there before it counts again.
pub const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);
/// The condition.
const ALLOWED: &str = "DisruptionAllowed";

/// When pods were evicted, by name.
pub type Disrupted = BTreeMap<String, Time>;

/// Whether the number of pods that there should be is that of their owners. A plain `minAvailable`
/// counts the pods there are.
#[must_use]
pub fn needs_scale(budget: &PodDisruptionBudget) -> bool {
    let Some(spec) = &budget.spec else { return false };
    spec.max_unavailable.is_some() || matches!(spec.min_available, Some(IntOrString::String(_)))
}

/// The evicted pods that are still there and not going, and those of them that should have gone by now.
#[must_use]
pub fn disrupted(budget: &PodDisruptionBudget, pods: &[Arc<Pod>], now: Timestamp) -> (Disrupted, Vec<Arc<Pod>>) {
    let told = budget.status.as_ref().and_then(|s| s.disrupted_pods.clone()).unwrap_or_default();
    let (mut waiting, mut late) = (Disrupted::new(), Vec::new());
    for pod in pods.iter().filter(|p| !p.is_terminating()) {
        match told.get(pod.name()) {
            Some(since) if now.duration_since(since.0) > TIMEOUT => late.push(pod.clone()),
            Some(since) => drop(waiting.insert(pod.name().into(), since.clone())),
            None => {}
        }
    }
    (waiting, late)
}

/// The status.
#[must_use]
pub fn status(
    budget: &PodDisruptionBudget,
    pods: &[Arc<Pod>],
    expected: i32,
    disrupted: Disrupted,
    now: Timestamp,
) -> PodDisruptionBudgetStatus {
    let (expected, desired) = desired(budget, expected);
    let well = |p: &&Arc<Pod>| !p.is_terminating() && !disrupted.contains_key(p.name()) && is_ready(p);
    let healthy = i32::try_from(pods.iter().filter(well).count()).unwrap_or(i32::MAX);
    let allowed = if expected <= 0 { 0 } else { (healthy - desired).max(0) };
    let generation = budget.metadata.generation;
    let (state, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
    PodDisruptionBudgetStatus {
        current_healthy: Some(healthy),
        desired_healthy: Some(desired),
        expected_pods: Some(expected),
        disruptions_allowed: Some(allowed),
        disrupted_pods: Some(disrupted).filter(|d| !d.is_empty()),
        observed_generation: generation,
        conditions: Some(conditions(budget, state, reason, "", generation, now)),
    }
}

/// The status of a budget whose pods cannot be counted.
#[must_use]
pub fn failed(budget: &PodDisruptionBudget, why: &str, now: Timestamp) -> PodDisruptionBudgetStatus {
    let before = budget.status.clone().unwrap_or_default();
    let conditions = conditions(budget, "False", "SyncFailed", why, before.observed_generation, now);
    PodDisruptionBudgetStatus { disruptions_allowed: Some(0), conditions: Some(conditions), ..before }
}

/// What to tell about pods that nobody owns.
#[must_use]
pub fn unmanaged(budget: &PodDisruptionBudget) -> String {
    let selector = budget.spec.as_ref().and_then(|s| s.selector.clone()).unwrap_or_default();
    format!(
        "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.",
        go_text(&selector)
    )
}

/// How many pods there should be, and how many of them well.
fn desired(budget: &PodDisruptionBudget, expected: i32) -> (i32, i32) {
    let Some(spec) = &budget.spec else { return (0, 0) };
    match (&spec.max_unavailable, &spec.min_available) {
        (Some(most), _) => (expected, (expected - scaled(Some(most), expected, true)).max(0)),
        (None, Some(least)) => (expected, scaled(Some(least), expected, true)),
        (None, None) => (0, 0),
    }
}

fn conditions(
    budget: &PodDisruptionBudget,
    status: &str,
    reason: &str,
    message: &str,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let mut all = budget.status.as_ref().and_then(|s| s.conditions.clone()).unwrap_or_default();
    let before = all.iter().position(|c| c.type_ == ALLOWED);
    let since = before.map(|at| &all[at]).filter(|c| c.status == status).map(|c| c.last_transition_time.clone());
    let next = Condition {
        type_: ALLOWED.into(),
        status: status.into(),
        reason: reason.into(),
        message: message.into(),
        observed_generation: generation.filter(|g| *g != 0),
        last_transition_time: since.unwrap_or(Time(now)),
    };
    match before {
        Some(at) => all[at] = next,
        None => all.push(next),
    }
    all
}

/// A selector as upstream prints it.
fn go_text(selector: &LabelSelector) -> String {
    let mut text = "&LabelSelector{MatchLabels:map[string]string{".to_owned();
    for (key, value) in selector.match_labels.iter().flatten() {
        write!(text, "{key}: {value},").expect("a String takes all");
    }
    text += "},MatchExpressions:[]LabelSelectorRequirement{";
    for r in selector.match_expressions.iter().flatten() {
        let values = r.values.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        let (key, operator) = (&r.key, &r.operator);
        write!(text, "LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{values}],}},")
            .expect("a String takes all");
    }
    text + "},}"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::fixtures::pod;
    use nakhoda_api::kinds::policy::PodDisruptionBudgetSpec;

    fn budget(least: Option<&str>, most: Option<&str>) -> PodDisruptionBudget {
        let value = |text: &str| {
            text.parse().map_or_else(|_| IntOrString::String(text.into()), IntOrString::Int)
        };
        let spec = PodDisruptionBudgetSpec {
            min_available: least.map(value),
            max_unavailable: most.map(value),
            ..PodDisruptionBudgetSpec::default()
        };
        PodDisruptionBudget { spec: Some(spec), ..PodDisruptionBudget::default() }
    }

    fn pods(ready: usize, unready: usize) -> Vec<Arc<Pod>> {
        let name = |n: usize| format!("p{n}");
        (0..ready + unready).map(|n| Arc::new(pod(&name(n), "10.0.0.1", n < ready))).collect()
    }

    #[test]
    fn as_many_may_go_as_are_well_beyond_what_is_desired() {
        let table = [
            (budget(Some("2"), None), 3, 0, 3, (2, 1)),
            (budget(Some("2"), None), 1, 2, 3, (2, 0)),
            (budget(Some("50%"), None), 3, 0, 5, (3, 0)),
            (budget(None, Some("1")), 3, 0, 3, (2, 1)),
            (budget(None, Some("30%")), 5, 0, 5, (3, 2)),
            (budget(None, Some("9")), 3, 0, 3, (0, 3)),
            (budget(None, Some("1")), 0, 0, 0, (0, 0)),
            (budget(None, None), 3, 0, 3, (0, 0)),
        ];
        for (budget, ready, unready, expected, (desired, allowed)) in table {
            let status =
                status(&budget, &pods(ready, unready), expected, Disrupted::new(), Timestamp::UNIX_EPOCH);
            let found = (status.desired_healthy, status.disruptions_allowed);
            assert_eq!(found, (Some(desired), Some(allowed)), "{:?}", budget.spec);
        }
    }

    #[test]
    fn an_evicted_pod_counts_as_gone_for_two_minutes() {
        let (mut budget, pods) = (budget(Some("1"), None), pods(2, 0));
        let since = Disrupted::from([("p0".to_owned(), Time(Timestamp::UNIX_EPOCH))]);
        budget.status.get_or_insert_default().disrupted_pods = Some(since);
        let soon = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60);
        let (waiting, late) = disrupted(&budget, &pods, soon);
        assert_eq!((waiting.len(), late.len()), (1, 0));
        assert_eq!(status(&budget, &pods, 2, waiting, soon).current_healthy, Some(1));
        let (waiting, late) = disrupted(&budget, &pods, soon + TIMEOUT);
        assert_eq!((waiting.len(), late.len()), (0, 1));
    }

    #[test]
    fn a_failure_allows_none_and_a_condition_keeps_its_time() {
        let mut budget = budget(Some("1"), None);
        let first = status(&budget, &pods(2, 0), 2, Disrupted::new(), Timestamp::UNIX_EPOCH);
        budget.status = Some(first.clone());
        assert_eq!(status(&budget, &pods(2, 0), 2, Disrupted::new(), Timestamp::MAX), first);
        let failed = failed(&budget, "no", Timestamp::MAX);
        assert_eq!(failed.disruptions_allowed, Some(0));
        assert_eq!(failed.conditions.expect("set")[0].reason, "SyncFailed");
    }
}
