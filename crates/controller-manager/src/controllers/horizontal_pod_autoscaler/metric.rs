//! One metric of an autoscaler: what it proposes, what the status tells of it, and how it fails.

use nakhoda_api::kinds::Quantity;
use nakhoda_api::kinds::autoscaling::{
    ContainerResourceMetricStatus, ExternalMetricStatus, MetricIdentifier, MetricSpec, MetricStatus, MetricTarget,
    MetricValueStatus, ObjectMetricStatus, PodsMetricStatus, ResourceMetricStatus,
};
use nakhoda_api::quantity::{self, Format};

use super::calculate::{self, Proposal, Scene};
use super::sample::{Samples, milli};

/// What was read for a metric, or why it could not be.
pub type Reading = Result<Values, String>;

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Of each pod.
    Pods(Samples),
    /// One for all, in thousandths.
    Whole(i64),
}

/// What a metric comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// So many replicas.
    pub replicas: i32,
    /// How the metric is called in events.
    pub name: String,
    /// What the status tells of it.
    pub status: MetricStatus,
}

/// Why a metric comes to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A word for the event and the condition.
    pub reason: &'static str,
    /// A sentence for both.
    pub message: String,
    /// The same, in the words in which the failure of the whole is told.
    pub told: String,
}

const NO_RESOURCE_TARGET: &str =
    "invalid resource metric source: neither an average utilization target nor an average value target was set";
const NO_USAGE_TARGET: &str =
    "invalid resource metric source: neither an average utilization target nor an average value (usage) target was set";
const NO_OBJECT_TARGET: &str =
    "invalid object metric source: neither a value target nor an average value target was set";
const NO_EXTERNAL_TARGET: &str =
    "invalid external metric source: neither a value target nor an average value target was set";

/// What a metric proposes.
pub fn propose(scene: &Scene<'_>, spec: &MetricSpec, reading: Reading) -> Result<Outcome, Failure> {
    let (reason, whole) = words(spec);
    let failed = |message: String| Failure { reason, told: format!("{whole}: {message}"), message };
    // the failure of the whole has a sentence more
    let nested = |within: Option<String>, message: String| {
        let within = within.map(|within| format!("{within}: ")).unwrap_or_default();
        Failure { reason, told: format!("{whole}: {within}{message}"), message }
    };
    let mut status = MetricStatus { type_: spec.type_.clone(), ..MetricStatus::default() };
    let (replicas, name) = if let Some(source) = &spec.resource {
        let of = (source.name.as_str(), "");
        let (proposal, aim) = resource(scene, &source.target, of, reading).map_err(failed)?;
        let current = usage_of(&source.name, &proposal);
        status.resource = Some(ResourceMetricStatus { name: source.name.clone(), current });
        (proposal.replicas, format!("{} resource{aim}", source.name))
    } else if let Some(source) = &spec.container_resource {
        let of = (source.name.as_str(), source.container.as_str());
        let (proposal, aim) = resource(scene, &source.target, of, reading).map_err(failed)?;
        let (name, container) = (source.name.clone(), source.container.clone());
        let current = usage_of(&name, &proposal);
        status.container_resource = Some(ContainerResourceMetricStatus { container, current, name });
        let container = if aim.is_empty() { "" } else { " container" };
        (proposal.replicas, format!("{}{container} resource{aim}", source.name))
    } else if let Some(source) = &spec.pods {
        let target = source.target.average_value.as_ref().map_or(0, |target| milli(&target.0));
        let proposal = of_pods(scene, reading, "", target).map_err(failed)?;
        status.pods = Some(PodsMetricStatus { metric: source.metric.clone(), current: average(&proposal) });
        (proposal.replicas, format!("pods metric {}", source.metric.name))
    } else if let Some(source) = &spec.object {
        let within = source
            .target
            .average_value
            .is_some()
            .then(|| format!("failed to get {} object metric", source.metric.name));
        let read = total(reading).and_then(|total| shared(scene, &source.target, total, NO_OBJECT_TARGET));
        let (proposal, current) = read.map_err(|why| nested(within, why))?;
        let (metric, described_object) = (source.metric.clone(), source.described_object.clone());
        status.object = Some(ObjectMetricStatus { current, described_object, metric });
        let name = match source.target.average_value.is_some() {
            true => external_name(&source.metric),
            false => format!("{} metric {}", source.described_object.kind, source.metric.name),
        };
        (proposal.replicas, name)
    } else if let Some(source) = &spec.external {
        let within = match source.target.average_value.is_some() {
            true => format!("failed to get {} external metric", source.metric.name),
            false => format!("failed to get external metric {}", source.metric.name),
        };
        let read = total(reading).and_then(|total| shared(scene, &source.target, total, NO_EXTERNAL_TARGET));
        let (proposal, current) = read.map_err(|why| nested(Some(within), why))?;
        status.external = Some(ExternalMetricStatus { current, metric: source.metric.clone() });
        (proposal.replicas, external_name(&source.metric))
    } else {
        let message = format!("unknown metric source type {:?}", spec.type_);
        return Err(Failure { reason, told: message.clone(), message });
    };
    Ok(Outcome { replicas, name, status })
}

/// The reason of a metric's failure, and what the failure of the whole begins with.
fn words(spec: &MetricSpec) -> (&'static str, String) {
    if let Some(source) = &spec.resource {
        ("FailedGetResourceMetric", format!("failed to get {} resource metric value", source.name))
    } else if let Some(source) = &spec.container_resource {
        ("FailedGetContainerResourceMetric", format!("failed to get {} container metric value", source.container))
    } else if spec.pods.is_some() {
        ("FailedGetPodsMetric", "failed to get pods metric value".into())
    } else if spec.object.is_some() {
        ("FailedGetObjectMetric", "failed to get object metric value".into())
    } else if let Some(source) = &spec.external {
        ("FailedGetExternalMetric", format!("failed to get {} external metric value", source.metric.name))
    } else {
        ("InvalidMetricSourceType", String::new())
    }
}

fn resource(
    scene: &Scene<'_>,
    target: &MetricTarget,
    (name, container): (&str, &str),
    reading: Reading,
) -> Result<(Proposal, &'static str), String> {
    if let Some(target) = &target.average_value {
        let proposal = of_pods(scene, reading, name, milli(&target.0));
        return Ok((proposal.map_err(|why| format!("failed to get {name} usage: {why}"))?, ""));
    }
    let Some(utilization) = target.average_utilization else {
        return Err(if container.is_empty() { NO_USAGE_TARGET } else { NO_RESOURCE_TARGET }.into());
    };
    let proposal = samples(reading)
        .and_then(|samples| calculate::utilization(scene, samples, (name, container), utilization))
        .map_err(|why| format!("failed to get {name} utilization: {why}"))?;
    Ok((proposal, " utilization (percentage of request)"))
}

fn of_pods(scene: &Scene<'_>, reading: Reading, resource: &str, target: i64) -> Result<Proposal, String> {
    calculate::average(scene, samples(reading)?, resource, target)
}

fn shared(
    scene: &Scene<'_>,
    target: &MetricTarget,
    total: i64,
    neither: &str,
) -> Result<(Proposal, MetricValueStatus), String> {
    if let Some(aim) = &target.average_value {
        let proposal = calculate::value_per_replica(scene, total, milli(&aim.0));
        return Ok((proposal, average(&proposal)));
    }
    let aim = target.value.as_ref().ok_or(neither)?;
    let proposal = calculate::value(scene, total, milli(&aim.0))?;
    let value = Some(amount(proposal.usage, Format::DecimalSi));
    Ok((proposal, MetricValueStatus { value, ..MetricValueStatus::default() }))
}

fn external_name(metric: &MetricIdentifier) -> String {
    format!("external metric {}({})", metric.name, super::read::go_selector(metric.selector.as_ref()))
}

fn samples(reading: Reading) -> Result<Samples, String> {
    match reading? {
        Values::Pods(samples) => Ok(samples),
        Values::Whole(_) => Err("a value of each pod is needed".into()),
    }
}

fn total(reading: Reading) -> Result<i64, String> {
    match reading? {
        Values::Whole(value) => Ok(value),
        Values::Pods(_) => Err("one value for all pods is needed".into()),
    }
}

fn average(proposal: &Proposal) -> MetricValueStatus {
    let average_value = Some(amount(proposal.usage, Format::DecimalSi));
    MetricValueStatus { average_value, ..MetricValueStatus::default() }
}

fn usage_of(resource: &str, proposal: &Proposal) -> MetricValueStatus {
    let format = if resource == "memory" { Format::BinarySi } else { Format::DecimalSi };
    let average_value = Some(amount(proposal.usage, format));
    MetricValueStatus { average_utilization: proposal.utilization, average_value, value: None }
}

fn amount(milli: i64, format: Format) -> Quantity {
    let whole = milli / 1000;
    match format {
        Format::BinarySi if milli % 1000 == 0 => Quantity(quantity::Quantity::new(whole, format).to_string()),
        _ => Quantity(quantity::Quantity::from_milli(milli).to_string()),
    }
}
