//! Defaults of containers.

use nakhoda_api::kinds::core::{
    Container, ContainerPort, ContainerStatus, EnvVar, EphemeralContainer, HTTPGetAction, Lifecycle, Probe,
    ResourceRequirements,
};

use super::{fill, pull_policy, quantities};

pub(super) fn container(container: &mut Container) {
    let policy = pull_policy(container.image.as_deref().unwrap_or_default());
    fill(&mut container.image_pull_policy, policy);
    fill(&mut container.termination_message_path, "/dev/termination-log");
    fill(&mut container.termination_message_policy, "File");
    parts(&mut container.ports, &mut container.env, &mut container.lifecycle);
    let probes = [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe];
    probes.into_iter().flatten().for_each(probe);
    resources(container.resources.get_or_insert_default());
}

pub(super) fn ephemeral(container: &mut EphemeralContainer) {
    let policy = pull_policy(container.image.as_deref().unwrap_or_default());
    fill(&mut container.image_pull_policy, policy);
    fill(&mut container.termination_message_path, "/dev/termination-log");
    fill(&mut container.termination_message_policy, "File");
    parts(&mut container.ports, &mut container.env, &mut container.lifecycle);
    resources(container.resources.get_or_insert_default());
}

/// Amounts that the kubelet tells.
pub(super) fn status(status: &mut ContainerStatus) {
    quantities(&mut status.allocated_resources);
    if let Some(given) = &mut status.resources {
        resources(given);
    }
}

fn parts(ports: &mut Option<Vec<ContainerPort>>, env: &mut Option<Vec<EnvVar>>, lifecycle: &mut Option<Lifecycle>) {
    for port in ports.iter_mut().flatten() {
        fill(&mut port.protocol, "TCP");
    }
    for source in env.iter_mut().flatten().filter_map(|e| e.value_from.as_mut()) {
        if let Some(field) = &mut source.field_ref {
            fill(&mut field.api_version, "v1");
        }
        if let Some(file) = &mut source.file_key_ref {
            file.optional.get_or_insert(false);
        }
    }
    if let Some(lifecycle) = lifecycle {
        for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
            handler.http_get.iter_mut().for_each(http_get);
        }
    }
}

pub(super) fn resources(resources: &mut ResourceRequirements) {
    quantities(&mut resources.limits);
    quantities(&mut resources.requests);
}

fn probe(probe: &mut Probe) {
    for (slot, value) in [
        (&mut probe.timeout_seconds, 1),
        (&mut probe.period_seconds, 10),
        (&mut probe.success_threshold, 1),
        (&mut probe.failure_threshold, 3),
    ] {
        if slot.unwrap_or(0) == 0 {
            *slot = Some(value);
        }
    }
    probe.http_get.iter_mut().for_each(http_get);
    if let Some(grpc) = &mut probe.grpc {
        grpc.service.get_or_insert_default();
    }
}

fn http_get(action: &mut HTTPGetAction) {
    fill(&mut action.path, "/");
    fill(&mut action.scheme, "HTTP");
}
