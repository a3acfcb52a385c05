//! The status of one container.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    PodStatus, VolumeMountStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Inputs;
use crate::labels;
use crate::pod::observed::Seen;
use crate::pod::spec::{self, Role};

pub(super) fn status(inputs: &Inputs<'_>, role: Role, container: &Container, old: &PodStatus) -> ContainerStatus {
    let told = match role {
        Role::App => old.container_statuses.as_ref(),
        Role::Init | Role::Sidecar => old.init_container_statuses.as_ref(),
        Role::Ephemeral => old.ephemeral_container_statuses.as_ref(),
    };
    let before = told.into_iter().flatten().find(|s| s.name == container.name);
    let all = inputs.observed.all(&container.name);
    match all.first() {
        Some(seen) => of_seen(inputs, role, container, seen, all.get(1), before),
        None => unseen(inputs, role, container, before),
    }
}

fn of_seen(
    inputs: &Inputs<'_>,
    role: Role,
    container: &Container,
    seen: &Seen,
    older: Option<&Seen>,
    before: Option<&ContainerStatus>,
) -> ContainerStatus {
    let runtime = &seen.status;
    let mut status = ContainerStatus {
        name: container.name.clone(),
        image: runtime.image.as_ref().map(|i| i.image.clone()).unwrap_or_default(),
        image_id: runtime.image_ref.clone(),
        container_id: Some(format!("containerd://{}", runtime.id)),
        restart_count: labels::restarts(runtime).max(before.map_or(0, |b| b.restart_count)),
        volume_mounts: mounts(container),
        ..ContainerStatus::default()
    };
    let last = older.filter(|o| o.is_exited()).map(|o| terminated(inputs, o));
    let waiting = inputs.waiting.get(&container.name).filter(|_| !inputs.over);
    let (state, last) = if seen.is_running() {
        (running(seen), last)
    } else if seen.is_exited() {
        match waiting {
            Some(w) => (waits(&w.reason, &w.message), Some(terminated(inputs, seen))),
            None => (terminated(inputs, seen), last),
        }
    } else {
        match waiting {
            Some(w) => (waits(&w.reason, &w.message), last),
            None => (waits(default_reason(inputs), ""), last),
        }
    };
    if role != Role::Ephemeral {
        let actual = inputs.actuated.get(&container.name).filter(|_| seen.is_running());
        status.resources = actual.cloned().or_else(|| container.resources.clone());
        status.allocated_resources = container.resources.as_ref().and_then(|r| r.requests.clone());
    }
    let kept = before.and_then(|b| b.last_state.clone()).filter(|s| s.terminated.is_some());
    status.last_state = last.or(kept).or_else(|| Some(ContainerState::default()));
    let started = seen.is_running() && inputs.verdicts.started(&container.name, &runtime.id);
    status.started = (role != Role::Ephemeral).then_some(started && role != Role::Init);
    status.ready = match role {
        Role::Init => seen.is_exited() && runtime.exit_code == 0,
        Role::Ephemeral => false,
        Role::Sidecar | Role::App => seen.is_running() && inputs.verdicts.ready(&container.name, &runtime.id),
    };
    status.state = Some(state);
    status
}

/// A container that the runtime does not have: not made yet, or cleaned up since.
fn unseen(inputs: &Inputs<'_>, role: Role, container: &Container, before: Option<&ContainerStatus>) -> ContainerStatus {
    let ended = before.filter(|b| b.state.as_ref().is_some_and(|s| s.terminated.is_some()));
    let mut status = ended.cloned().unwrap_or_else(|| ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        restart_count: before.map_or(0, |b| b.restart_count),
        last_state: Some(before.and_then(|b| b.last_state.clone()).unwrap_or_default()),
        volume_mounts: mounts(container),
        ..ContainerStatus::default()
    });
    status.ready = ended.is_some_and(|b| b.ready);
    status.started = (role != Role::Ephemeral).then_some(false);
    if ended.is_none() || inputs.waiting.contains_key(&container.name) {
        status.state = Some(match inputs.waiting.get(&container.name) {
            Some(waiting) => waits(&waiting.reason, &waiting.message),
            None => waits(default_reason(inputs), ""),
        });
    }
    status
}

fn default_reason(inputs: &Inputs<'_>) -> &'static str {
    if spec::inits(spec::of(inputs.pod)).is_empty() { "ContainerCreating" } else { "PodInitializing" }
}

fn waits(reason: &str, message: &str) -> ContainerState {
    let message = (!message.is_empty()).then(|| message.to_owned());
    let waiting = ContainerStateWaiting { reason: Some(reason.into()), message };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

fn running(seen: &Seen) -> ContainerState {
    let running = ContainerStateRunning { started_at: time(seen.status.started_at) };
    ContainerState { running: Some(running), ..ContainerState::default() }
}

fn terminated(inputs: &Inputs<'_>, seen: &Seen) -> ContainerState {
    let runtime = &seen.status;
    let told = (inputs.message)(seen).or_else(|| Some(runtime.message.clone()));
    let terminated = ContainerStateTerminated {
        exit_code: runtime.exit_code,
        reason: Some(runtime.reason.clone()).filter(|r| !r.is_empty()),
        message: told.filter(|m| !m.is_empty()),
        started_at: time(runtime.started_at),
        finished_at: time(runtime.finished_at),
        container_id: Some(format!("containerd://{}", runtime.id)),
        signal: None,
    };
    ContainerState { terminated: Some(terminated), ..ContainerState::default() }
}

fn mounts(container: &Container) -> Option<Vec<VolumeMountStatus>> {
    let mounts = container.volume_mounts.as_ref().filter(|m| !m.is_empty())?;
    let status = |m: &k8s_openapi::api::core::v1::VolumeMount| VolumeMountStatus {
        name: m.name.clone(),
        mount_path: m.mount_path.clone(),
        read_only: m.read_only.filter(|r| *r),
        recursive_read_only: m.read_only.filter(|r| *r).map(|_| "Disabled".into()),
        ..VolumeMountStatus::default()
    };
    Some(mounts.iter().map(status).collect())
}

/// Whole seconds, as the API has them. The runtime's zero is no time.
fn time(nanoseconds: i64) -> Option<Time> {
    let second = nanoseconds.div_euclid(1_000_000_000);
    (nanoseconds > 0).then(|| Timestamp::from_second(second).ok()).flatten().map(Time)
}
