//! What is printed of an autoscaler.

use nakhoda_api::kinds::Quantity;
use nakhoda_api::kinds::autoscaling::{
    HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus,
};

use crate::rules::check::list;

const UNKNOWN: &str = "<unknown>";
/// How many metrics are printed.
const SHOWN: usize = 2;

/// Kind and name of the target.
pub(crate) fn reference(hpa: &HorizontalPodAutoscaler) -> String {
    format!("{}/{}", hpa.spec.scale_target_ref.kind, hpa.spec.scale_target_ref.name)
}

/// The lower bound.
pub(crate) fn least(hpa: &HorizontalPodAutoscaler) -> String {
    hpa.spec.min_replicas.map_or_else(|| "<unset>".into(), |n| n.to_string())
}

/// What is measured and what it should be, for the first metrics.
pub(crate) fn targets(hpa: &HorizontalPodAutoscaler) -> String {
    let specs = list(&hpa.spec.metrics);
    let statuses = hpa.status.as_ref().map_or(&[][..], |s| list(&s.current_metrics));
    if specs.is_empty() {
        return "<none>".into();
    }
    let shown: Vec<String> =
        specs.iter().enumerate().take(SHOWN).map(|(i, spec)| metric(spec, statuses.get(i))).collect();
    match specs.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} + {more} more...", shown.join(", ")),
    }
}

fn metric(spec: &MetricSpec, status: Option<&MetricStatus>) -> String {
    match spec.type_.as_str() {
        "External" => {
            spec.external.as_ref().map(|s| raw(&s.target, status.and_then(|s| s.external.as_ref()).map(|s| &s.current)))
        }
        "Object" => {
            spec.object.as_ref().map(|s| raw(&s.target, status.and_then(|s| s.object.as_ref()).map(|s| &s.current)))
        }
        "Pods" => spec.pods.as_ref().map(|s| {
            let current = status.and_then(|s| s.pods.as_ref()).map(|s| &s.current);
            average(&s.target, current)
        }),
        "Resource" => spec
            .resource
            .as_ref()
            .map(|s| share(&s.name, &s.target, status.and_then(|s| s.resource.as_ref()).map(|s| &s.current))),
        "ContainerResource" => spec
            .container_resource
            .as_ref()
            .map(|s| share(&s.name, &s.target, status.and_then(|s| s.container_resource.as_ref()).map(|s| &s.current))),
        _ => None,
    }
    .unwrap_or_else(|| "<unknown type>".into())
}

fn raw(target: &MetricTarget, current: Option<&MetricValueStatus>) -> String {
    match &target.average_value {
        Some(_) => format!("{} (avg)", average(target, current)),
        None => format!("{}/{}", amount(current.map(|c| c.value.as_ref())), amount(Some(target.value.as_ref()))),
    }
}

fn average(target: &MetricTarget, current: Option<&MetricValueStatus>) -> String {
    let current = current.and_then(|c| c.average_value.as_ref()).map(|q| q.0.as_str());
    format!("{}/{}", current.unwrap_or(UNKNOWN), amount(Some(target.average_value.as_ref())))
}

fn share(name: &str, target: &MetricTarget, current: Option<&MetricValueStatus>) -> String {
    if target.average_value.is_some() {
        return format!("{name}: {}", average(target, current));
    }
    let percent = |share: Option<i32>, none: &str| share.map_or_else(|| none.into(), |n| format!("{n}%"));
    let current = percent(current.and_then(|c| c.average_utilization), UNKNOWN);
    format!("{name}: {current}/{}", percent(target.average_utilization, "<auto>"))
}

/// A quantity; one that should be there and is not prints as Go prints it.
fn amount(quantity: Option<Option<&Quantity>>) -> &str {
    quantity.map_or(UNKNOWN, |q| q.map_or("<nil>", |q| q.0.as_str()))
}
