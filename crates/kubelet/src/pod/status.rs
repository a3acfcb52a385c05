//! The status that the API shows, from what was observed. Pure: reading termination messages is left
//! to a function that is passed in. Texts, reasons and rules are upstream's.

mod conditions;
mod containers;
mod phase;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{HostIP, Pod, PodCondition, PodIP, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::observed::{Observed, Seen};
use super::sizes::Sizes;
use super::spec::{self, Role};
use super::state::Failure;
use crate::probe::Verdicts;
use crate::resources::Qos;
use std::collections::HashMap;

/// Why a container waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// In a word: `CrashLoopBackOff`, `ErrImagePull`, …
    pub reason: String,
    /// For people.
    pub message: String,
}

/// What a status is computed from.
pub struct Inputs<'a> {
    /// The pod with the status that was told last.
    pub pod: &'a Pod,
    /// The runtime's view.
    pub observed: &'a Observed,
    /// What the probes say.
    pub verdicts: &'a Verdicts,
    /// Why containers wait, by name.
    pub waiting: &'a HashMap<String, Waiting>,
    /// Set once nothing of the pod runs and nothing will.
    pub over: bool,
    /// Set once the node has failed the pod.
    pub failure: Option<&'a Failure>,
    /// What the runtime was told of sizes, by container.
    pub actuated: &'a Sizes,
    /// What is said of a change of sizes that is not done.
    pub resize: &'a [PodCondition],
    /// Addresses of the node.
    pub host_ips: &'a [String],
    /// The clock.
    pub now: Timestamp,
    /// Reads a container's termination message.
    pub message: &'a dyn Fn(&Seen) -> Option<String>,
}

/// The status to tell.
#[must_use]
pub fn compute(inputs: &Inputs<'_>) -> PodStatus {
    let (pod, spec) = (inputs.pod, spec::of(inputs.pod));
    let old = pod.status.clone().unwrap_or_default();
    let mut status = PodStatus {
        qos_class: Some(Qos::of(spec).name().into()),
        start_time: Some(old.start_time.clone().unwrap_or(Time(inputs.now))),
        observed_generation: pod.metadata.generation,
        nominated_node_name: old.nominated_node_name.clone(),
        resize: old.resize.clone(),
        ..PodStatus::default()
    };
    addresses(&mut status, inputs, &old);
    let joined = spec::ephemerals(spec).iter().map(spec::as_container);
    let joined: Vec<_> = joined.map(|c| containers::status(inputs, Role::Ephemeral, &c, &old)).collect();
    status.ephemeral_container_statuses = (!joined.is_empty()).then_some(joined);
    let list = |role_is: fn(Role) -> bool| {
        spec::containers(spec)
            .filter(|(role, _)| role_is(*role))
            .map(|(role, c)| containers::status(inputs, role, c, &old))
            .collect::<Vec<_>>()
    };
    let inits = list(|role| role != Role::App);
    status.init_container_statuses = (!inits.is_empty()).then_some(inits);
    status.container_statuses = Some(list(|role| role == Role::App));
    status.phase = Some(match old.phase.as_deref() {
        Some(last @ ("Succeeded" | "Failed")) => last.into(),
        _ if inputs.failure.is_some() => "Failed".into(),
        _ => phase::of(spec, &status, inputs.over).into(),
    });
    match inputs.failure {
        Some(failure) => {
            status.reason = Some(failure.reason.clone());
            status.message = Some(failure.message.clone());
        }
        None if spec::is_terminal(old.phase.as_deref()) => {
            status.reason = old.reason.clone();
            status.message = old.message.clone();
        }
        None => {}
    }
    status.conditions = Some(conditions::all(inputs, &status, old.conditions.as_deref().unwrap_or_default()));
    status
}

fn addresses(status: &mut PodStatus, inputs: &Inputs<'_>, old: &PodStatus) {
    status.host_ip = inputs.host_ips.first().cloned();
    status.host_ips = Some(inputs.host_ips.iter().map(|ip| HostIP { ip: ip.clone() }).collect());
    let seen = inputs.observed.sandbox().map(|s| s.ips.clone()).unwrap_or_default();
    let ips = if spec::host_network(spec::of(inputs.pod)) { inputs.host_ips.to_vec() } else { seen };
    if ips.is_empty() {
        // The address stays told until another takes its place, as upstream's does.
        status.pod_ip = old.pod_ip.clone();
        status.pod_ips = old.pod_ips.clone();
    } else {
        status.pod_ip = ips.first().cloned();
        status.pod_ips = Some(ips.into_iter().map(|ip| PodIP { ip }).collect());
    }
}

#[cfg(test)]
#[path = "status/tests.rs"]
mod tests;
