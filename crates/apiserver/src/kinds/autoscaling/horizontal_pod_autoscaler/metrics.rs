//! Validation of what an autoscaler measures.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::Quantity;
use nakhoda_api::kinds::autoscaling::{
    HorizontalPodAutoscalerSpec, MetricIdentifier, MetricSpec, MetricTarget, ObjectMetricSource,
};
use nakhoda_api::quantity;
use serde_json::Value;

use super::rules::{Version, reference, version_fault};
use crate::rules::check::{label, list, text};
use crate::rules::pod::resources::container_name;
use crate::rules::reference::segment;

/// The types, sorted, with the field of each.
const TYPES: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];

/// All metrics of a specification.
pub(crate) fn check(
    errors: &mut Errors,
    path: &Path,
    spec: &HorizontalPodAutoscalerSpec,
    old: Option<&HorizontalPodAutoscalerSpec>,
) {
    let metrics = list(&spec.metrics);
    for (i, one) in metrics.iter().enumerate() {
        metric(errors, &path.index(i), one, object_version(old));
    }
    let outside = metrics.iter().any(|m| ["Object", "External"].contains(&m.type_.as_str()));
    if spec.min_replicas == Some(0) && !outside {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        errors.forbidden(path, why);
    }
}

/// Versions that were unreadable before may stay so.
fn object_version(old: Option<&HorizontalPodAutoscalerSpec>) -> Version {
    let bad = |m: &MetricSpec| {
        let given = m.object.as_ref().map_or("", |o| text(&o.described_object.api_version));
        m.type_ == "Object" && version_fault(given, Version::Known).is_some()
    };
    if old.is_some_and(|o| list(&o.metrics).iter().any(bad)) { Version::Any } else { Version::Known }
}

fn metric(errors: &mut Errors, path: &Path, spec: &MetricSpec, version: Version) {
    let (at, type_) = (path.child("type"), spec.type_.as_str());
    if type_.is_empty() {
        errors.required(&at, "must specify a metric source type");
    }
    if !TYPES.contains(&type_) {
        errors.not_supported(&at, type_, TYPES);
    }
    let present = present(spec);
    if let Some(first) = present.first() {
        source(errors, &path.child(first), first, spec, version);
    }
    let expected = field(type_);
    match expected {
        Some(field) if !present.contains(&field) => {
            errors.required(&path.child(field), "must populate information for the given metric source");
        }
        Some(_) => {}
        None => errors.not_supported(&at, type_, TYPES),
    }
    if present.len() > 1 {
        for other in present.iter().filter(|name| Some(**name) != expected) {
            errors.forbidden(&path.child(other), "must populate the given metric source only");
        }
    }
}

fn field(type_: &str) -> Option<&'static str> {
    ["containerResource", "external", "object", "pods", "resource"]
        .into_iter()
        .find(|field| field.eq_ignore_ascii_case(type_) && TYPES.contains(&type_))
}

/// The sources that are given, in the order in which they are looked at.
fn present(spec: &MetricSpec) -> Vec<&'static str> {
    [
        ("object", spec.object.is_some()),
        ("external", spec.external.is_some()),
        ("pods", spec.pods.is_some()),
        ("resource", spec.resource.is_some()),
        ("containerResource", spec.container_resource.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, given)| given.then_some(name))
    .collect()
}

fn source(errors: &mut Errors, path: &Path, name: &str, spec: &MetricSpec, version: Version) {
    match name {
        "object" => {
            if let Some(source) = &spec.object {
                object(errors, path, source, version);
            }
        }
        "external" => {
            if let Some(source) = &spec.external {
                identifier(errors, path, &source.metric);
                target(errors, path, &source.target);
                external(errors, path, &source.target);
            }
        }
        "pods" => {
            if let Some(source) = &spec.pods {
                identifier(errors, path, &source.metric);
                target(errors, path, &source.target);
                if source.target.average_value.is_none() {
                    let at = path.child("target").child("averageValue");
                    errors.required(&at, "must specify a positive target averageValue");
                }
            }
        }
        _ => resource(errors, path, spec),
    }
}

fn object(errors: &mut Errors, path: &Path, source: &ObjectMetricSource, version: Version) {
    reference(errors, &path.child("describedObject"), &source.described_object, version);
    identifier(errors, path, &source.metric);
    target(errors, path, &source.target);
    if source.target.value.is_none() && source.target.average_value.is_none() {
        let at = path.child("target").child("averageValue");
        errors.required(&at, "must set either a target value or averageValue");
    }
}

fn external(errors: &mut Errors, path: &Path, target: &MetricTarget) {
    let at = path.child("target");
    match (&target.value, &target.average_value) {
        (None, None) => {
            errors.required(&at.child("averageValue"), "must set either a target value for metric or a per-pod target")
        }
        (Some(_), Some(_)) => {
            errors.forbidden(&at.child("value"), "may not set both a target value for metric and a per-pod target")
        }
        _ => {}
    }
}

/// A resource of whole pods, or of one container of each.
fn resource(errors: &mut Errors, path: &Path, spec: &MetricSpec) {
    let (name, container, goal) = match (&spec.resource, &spec.container_resource) {
        (Some(source), _) => (&source.name, None, &source.target),
        (None, Some(source)) => (&source.name, Some(&source.container), &source.target),
        (None, None) => return,
    };
    match container {
        _ if name.is_empty() => errors.required(&path.child("name"), "must specify a resource name"),
        Some(_) => container_name(errors, &path.child("name"), name),
        None => {}
    }
    match container {
        Some(container) if container.is_empty() => {
            errors.required(&path.child("container"), "must specify a container");
        }
        Some(container) => label(errors, &path.child("container"), container),
        None => {}
    }
    target(errors, path, goal);
    let at = path.child("target");
    match (goal.average_utilization, &goal.average_value) {
        (None, None) => errors
            .required(&at.child("averageUtilization"), "must set either a target raw value or a target utilization"),
        (Some(_), Some(_)) => {
            errors.forbidden(&at.child("averageValue"), "may not set both a target raw value and a target utilization")
        }
        _ => {}
    }
}

fn target(errors: &mut Errors, path: &Path, target: &MetricTarget) {
    let path = path.child("target");
    let type_ = target.type_.as_str();
    if type_.is_empty() {
        errors.required(&path.child("type"), "must specify a metric target type");
    }
    if !["Utilization", "Value", "AverageValue"].contains(&type_) {
        errors.invalid(&path.child("type"), type_, "must be either Utilization, Value, or AverageValue");
    }
    positive(errors, &path.child("value"), target.value.as_ref());
    positive(errors, &path.child("averageValue"), target.average_value.as_ref());
    if let Some(share) = target.average_utilization.filter(|share| *share < 1) {
        errors.invalid(&path.child("averageUtilization"), share, "must be greater than 0");
    }
}

fn positive(errors: &mut Errors, path: &Path, given: Option<&Quantity>) {
    let Some(given) = given else { return };
    if !quantity::Quantity::parse(&given.0).is_ok_and(|q| !q.is_negative() && !q.is_zero()) {
        errors.invalid(path, Value::from(given.0.as_str()), "must be positive");
    }
}

fn identifier(errors: &mut Errors, path: &Path, metric: &MetricIdentifier) {
    let at = path.child("metric").child("name");
    if metric.name.is_empty() {
        return errors.required(&at, "must specify a metric name");
    }
    segment(errors, &at, &metric.name);
}
