//! The conditions that a kubelet owns; conditions of others are never touched (the patch merges by type).

use k8s_openapi::api::core::v1::{ContainerStatus, PodCondition, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Inputs;
use crate::pod::spec;

struct Judged {
    kind: &'static str,
    truth: bool,
    reason: &'static str,
    message: String,
}

pub(super) fn all(inputs: &Inputs<'_>, status: &PodStatus, old: &[PodCondition]) -> Vec<PodCondition> {
    let network =
        inputs.observed.sandbox().is_some_and(|s| !s.ips.is_empty() || spec::host_network(spec::of(inputs.pod)));
    let containers = containers_ready(inputs, status);
    let judged = [
        plain("PodReadyToStartContainers", network),
        initialized(inputs, status),
        ready(inputs, &containers, old),
        containers,
        plain("PodScheduled", true),
    ];
    judged
        .into_iter()
        .map(|judged| finish(inputs, judged, old))
        .chain(inputs.resize.iter().cloned())
        .chain(disruption(inputs, old))
        .collect()
}

/// The node has ended the pod for its own sake.
fn disruption(inputs: &Inputs<'_>, old: &[PodCondition]) -> Option<PodCondition> {
    let failure = inputs.failure.filter(|failure| failure.is_disruption)?;
    let message = failure.message.clone();
    let judged = Judged { kind: "DisruptionTarget", truth: true, reason: "TerminationByKubelet", message };
    Some(finish(inputs, judged, old))
}

fn plain(kind: &'static str, truth: bool) -> Judged {
    Judged { kind, truth, reason: "", message: String::new() }
}

fn initialized(inputs: &Inputs<'_>, status: &PodStatus) -> Judged {
    const KIND: &str = "Initialized";
    let spec = spec::of(inputs.pod);
    if spec::inits(spec).is_empty() {
        return plain(KIND, true);
    }
    if status.phase.as_deref() == Some("Succeeded") {
        return Judged { kind: KIND, truth: true, reason: "PodCompleted", message: String::new() };
    }
    let past = status.container_statuses.iter().flatten().any(|s| s.container_id.is_some());
    let done = |told: &ContainerStatus| {
        let sidecar = spec::inits(spec).iter().any(|c| c.name == told.name && spec::is_sidecar(c));
        if sidecar { told.started == Some(true) } else { told.ready }
    };
    let incomplete: Vec<&str> =
        status.init_container_statuses.iter().flatten().filter(|s| !done(s)).map(|s| s.name.as_str()).collect();
    if past || incomplete.is_empty() {
        return plain(KIND, true);
    }
    let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
    Judged { kind: KIND, truth: false, reason: "ContainersNotInitialized", message }
}

fn containers_ready(inputs: &Inputs<'_>, status: &PodStatus) -> Judged {
    const KIND: &str = "ContainersReady";
    let fault = |reason, message| Judged { kind: KIND, truth: false, reason, message };
    match status.phase.as_deref() {
        Some("Succeeded") => return fault("PodCompleted", String::new()),
        Some("Failed") => return fault("PodFailed", String::new()),
        _ => {}
    }
    let sidecars = spec::inits(spec::of(inputs.pod)).iter().filter(|c| spec::is_sidecar(c)).map(|c| &c.name);
    let sidecars: Vec<_> = sidecars.collect();
    let counted = status.init_container_statuses.iter().flatten().filter(|s| sidecars.contains(&&s.name));
    let unready: Vec<&str> = counted
        .chain(status.container_statuses.iter().flatten())
        .filter(|s| !s.ready)
        .map(|s| s.name.as_str())
        .collect();
    if unready.is_empty() {
        return plain(KIND, true);
    }
    fault("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" ")))
}

fn ready(inputs: &Inputs<'_>, containers: &Judged, old: &[PodCondition]) -> Judged {
    const KIND: &str = "Ready";
    if !containers.truth {
        return Judged { kind: KIND, truth: false, reason: containers.reason, message: containers.message.clone() };
    }
    let gates = spec::of(inputs.pod).readiness_gates.iter().flatten();
    let faults: Vec<String> = gates
        .filter_map(|gate| match old.iter().find(|c| c.type_ == gate.condition_type) {
            None => Some(format!(
                "corresponding condition of pod readiness gate \"{}\" does not exist.",
                gate.condition_type
            )),
            Some(c) if c.status != "True" => Some(format!(
                "the status of pod readiness gate \"{}\" is not \"True\", but {}",
                gate.condition_type, c.status
            )),
            Some(_) => None,
        })
        .collect();
    if faults.is_empty() {
        return plain(KIND, true);
    }
    Judged { kind: KIND, truth: false, reason: "ReadinessGatesNotReady", message: faults.join(", ") }
}

fn finish(inputs: &Inputs<'_>, judged: Judged, old: &[PodCondition]) -> PodCondition {
    let status = if judged.truth { "True" } else { "False" };
    let before = old.iter().find(|c| c.type_ == judged.kind && c.status == status);
    PodCondition {
        type_: judged.kind.into(),
        status: status.into(),
        reason: (!judged.reason.is_empty()).then(|| judged.reason.into()),
        message: (!judged.message.is_empty()).then_some(judged.message),
        last_transition_time: before.and_then(|c| c.last_transition_time.clone()).or(Some(Time(inputs.now))),
        last_probe_time: None,
        observed_generation: inputs.pod.metadata.generation,
    }
}
