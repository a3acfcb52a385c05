//! PodDisruptionBudget: how many pods of a set may be missing by the will of somebody.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::policy::{PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus};

use crate::kind::{NameRule, Columns, Cx, Info, Kind, STATUS};
use crate::rules::check::{keep_status, list, nonnegative, selector, supported};
use crate::rules::conditions::conditions;
use crate::rules::workload;

/// The kind.
pub struct PodDisruptionBudgets;

impl Kind for PodDisruptionBudgets {
    type Object = PodDisruptionBudget;

    fn info() -> Info {
        Info {
            short: &["pdb"],
            subresources: &[STATUS],
            generation: true,
            unconditional_update: false,
            names: NameRule::Segment,
            ..Info::of::<PodDisruptionBudget>("poddisruptionbudgets", "poddisruptionbudget", Scope::Namespaced)
        }
    }

    fn prepare(cx: &Cx, new: &mut PodDisruptionBudget, old: Option<&PodDisruptionBudget>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
    }

    fn validate(cx: &Cx, new: &PodDisruptionBudget, _: Option<&PodDisruptionBudget>, errors: &mut Errors) {
        if cx.subresource == "status" {
            status(errors, &Path::new("status"), new.status.as_ref());
        } else if let Some(given) = &new.spec {
            spec(errors, &Path::new("spec"), given);
        }
    }

    fn columns() -> Columns<PodDisruptionBudget> {
        fn part(
            budget: &PodDisruptionBudget,
            of: fn(&PodDisruptionBudgetSpec) -> Option<&IntOrString>,
        ) -> serde_json::Value {
            match budget.spec.as_ref().and_then(of) {
                Some(IntOrString::Int(count)) => count.to_string().into(),
                Some(IntOrString::String(share)) => share.as_str().into(),
                None => "N/A".into(),
            }
        }
        Columns::<PodDisruptionBudget>::named()
            .text("Min Available", |b, _| part(b, |s| s.min_available.as_ref()))
            .text("Max Unavailable", |b, _| part(b, |s| s.max_unavailable.as_ref()))
            .number("Allowed Disruptions", |b, _| {
                b.status.as_ref().and_then(|s| s.disruptions_allowed).unwrap_or_default().into()
            })
            .age()
    }
}

fn spec(errors: &mut Errors, path: &Path, spec: &PodDisruptionBudgetSpec) {
    if spec.min_available.is_some() && spec.max_unavailable.is_some() {
        let shown = serde_json::to_value(spec).unwrap_or_default();
        errors.invalid(path, shown, "minAvailable and maxUnavailable cannot be both set");
    }
    for (name, value) in [("minAvailable", &spec.min_available), ("maxUnavailable", &spec.max_unavailable)] {
        if let Some(value) = value {
            workload::int_or_percent(errors, &path.child(name), value);
            workload::at_most_all(errors, &path.child(name), value);
        }
    }
    selector(errors, &path.child("selector"), spec.selector.as_ref());
    if let Some(policy) = &spec.unhealthy_pod_eviction_policy {
        supported(errors, &path.child("unhealthyPodEvictionPolicy"), policy, &["AlwaysAllow", "IfHealthyBudget"]);
    }
}

fn status(errors: &mut Errors, path: &Path, status: Option<&PodDisruptionBudgetStatus>) {
    let Some(status) = status else { return };
    conditions(errors, &path.child("conditions"), list(&status.conditions));
    nonnegative(errors, &path.child("disruptionsAllowed"), status.disruptions_allowed);
    nonnegative(errors, &path.child("currentHealthy"), status.current_healthy);
    nonnegative(errors, &path.child("desiredHealthy"), status.desired_healthy);
    nonnegative(errors, &path.child("expectedPods"), status.expected_pods);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn faults(given: Value) -> String {
        let mut errors = Errors::default();
        spec(&mut errors, &Path::new("spec"), &serde_json::from_value(given).expect("a spec"));
        errors.to_string()
    }

    #[test]
    fn a_budget_says_one_number_that_makes_sense() {
        assert_eq!(faults(json!({"minAvailable": "50%"})), "");
        assert!(faults(json!({"minAvailable": 1, "maxUnavailable": 1})).contains("cannot be both set"));
        assert!(faults(json!({"minAvailable": -1})).contains("must be greater than or equal to 0"));
        assert!(faults(json!({"maxUnavailable": "101%"})).contains("must not be greater than 100%"));
        assert!(faults(json!({"unhealthyPodEvictionPolicy": "Never"})).contains("Unsupported value"));
    }
}
