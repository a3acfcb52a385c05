//! HorizontalPodAutoscaler `autoscaling/v2`: how many pods a target has, by what is measured. This is the stored form.

pub(crate) mod cells;
pub(crate) mod metrics;
pub(crate) mod rules;

use nakhoda_api::Scope;
use nakhoda_api::field::Errors;
use nakhoda_api::kinds::autoscaling::{
    HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior, MetricSpec,
    MetricTarget, ResourceMetricSource,
};

use crate::kind::{Columns, Cx, Info, Kind, STATUS};
use crate::rules::check::{keep_status, list};

/// The kind.
pub struct HorizontalPodAutoscalers;

/// The share of what is asked for that pods are to use if nothing is said, in percent.
pub(crate) const CPU_UTILIZATION: i32 = 80;
/// Annotations in which `autoscaling/v1` keeps what it has no fields for.
pub(crate) const ANNOTATIONS: [&str; 6] = [
    "autoscaling.alpha.kubernetes.io/metrics",
    "autoscaling.alpha.kubernetes.io/behavior",
    "autoscaling.alpha.kubernetes.io/current-metrics",
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/scale-down-tolerance",
    "autoscaling.alpha.kubernetes.io/scale-up-tolerance",
];

impl Kind for HorizontalPodAutoscalers {
    type Object = HorizontalPodAutoscaler;

    fn info() -> Info {
        Info {
            short: &["hpa"],
            categories: &["all"],
            subresources: &[STATUS],
            ..Info::of::<HorizontalPodAutoscaler>(
                "horizontalpodautoscalers",
                "horizontalpodautoscaler",
                Scope::Namespaced,
            )
        }
    }

    fn default(hpa: &mut HorizontalPodAutoscaler) {
        if let Some(annotations) = &mut hpa.metadata.annotations {
            annotations.retain(|key, _| !ANNOTATIONS.contains(&key.as_str()));
        }
        let spec = &mut hpa.spec;
        spec.min_replicas.get_or_insert(1);
        if list(&spec.metrics).is_empty() {
            spec.metrics = Some(vec![cpu(CPU_UTILIZATION)]);
        }
        if let Some(behavior) = &mut spec.behavior {
            default_behavior(behavior);
        }
    }

    fn prepare(cx: &Cx, new: &mut HorizontalPodAutoscaler, old: Option<&HorizontalPodAutoscaler>) {
        keep_status(cx, &mut new.status, old.map(|o| &o.status));
    }

    fn validate(cx: &Cx, new: &HorizontalPodAutoscaler, old: Option<&HorizontalPodAutoscaler>, errors: &mut Errors) {
        if cx.subresource == "status" { rules::status(errors, new) } else { rules::spec(errors, new, old) }
    }

    fn columns() -> Columns<HorizontalPodAutoscaler> {
        Columns::named()
            .text("Reference", |h: &HorizontalPodAutoscaler, _| cells::reference(h).into())
            .text("Targets", |h, _| cells::targets(h).into())
            .text("MinPods", |h, _| cells::least(h).into())
            .text("MaxPods", |h, _| h.spec.max_replicas.into())
            .text("Replicas", |h, _| h.status.as_ref().and_then(|s| s.current_replicas).unwrap_or(0).into())
            .age()
    }
}

/// The share of the CPU that pods ask for.
pub(crate) fn cpu(percent: i32) -> MetricSpec {
    let target =
        MetricTarget { type_: "Utilization".into(), average_utilization: Some(percent), ..MetricTarget::default() };
    MetricSpec {
        type_: "Resource".into(),
        resource: Some(ResourceMetricSource { name: "cpu".into(), target }),
        ..MetricSpec::default()
    }
}

fn default_behavior(behavior: &mut HorizontalPodAutoscalerBehavior) {
    let up = behavior.scale_up.get_or_insert_with(HPAScalingRules::default);
    up.stabilization_window_seconds.get_or_insert(0);
    fill(up, &[("Pods", 4), ("Percent", 100)]);
    fill(behavior.scale_down.get_or_insert_with(HPAScalingRules::default), &[("Percent", 100)]);
}

fn fill(rules: &mut HPAScalingRules, policies: &[(&str, i32)]) {
    rules.select_policy.get_or_insert_with(|| "Max".into());
    rules.policies.get_or_insert_with(|| {
        let one = |(type_, value): &(&str, i32)| HPAScalingPolicy {
            type_: (*type_).into(),
            value: *value,
            period_seconds: 15,
        };
        policies.iter().map(one).collect()
    });
}

#[cfg(test)]
mod tests;
