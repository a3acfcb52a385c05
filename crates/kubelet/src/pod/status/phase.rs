//! The phase of a pod, out of its containers' statuses.

use k8s_openapi::api::core::v1::{ContainerStatus, PodSpec, PodStatus};

use crate::pod::spec;

#[derive(Default)]
struct Count {
    waiting: usize,
    running: usize,
    stopped: usize,
    succeeded: usize,
}

/// The phase. `over` says that nothing runs and nothing will.
pub(super) fn of(spec: &PodSpec, status: &PodStatus, over: bool) -> &'static str {
    let mut pending_init = false;
    for (container, told) in spec::inits(spec).iter().zip(status.init_container_statuses.iter().flatten()) {
        if spec::is_sidecar(container) {
            pending_init |= told.started != Some(true) && !has_apps(status);
            continue;
        }
        match exit_code(told) {
            Some(0) => {}
            Some(_) if spec::restart_policy(spec) == "Never" || over => return "Failed",
            _ => pending_init = true,
        }
    }
    let count = count(status);
    if pending_init && !over && !has_apps(status) {
        return "Pending";
    }
    if over {
        return if count.stopped == spec.containers.len() && count.stopped == count.succeeded {
            "Succeeded"
        } else {
            "Failed"
        };
    }
    match (count.waiting, count.running, count.stopped) {
        (1.., _, _) => "Pending",
        (0, 1.., _) => "Running",
        (0, 0, 1..) => match spec::restart_policy(spec) {
            "Always" => "Running",
            _ if count.stopped == count.succeeded => "Succeeded",
            "Never" => "Failed",
            _ => "Running",
        },
        (0, 0, 0) => "Pending",
    }
}

fn count(status: &PodStatus) -> Count {
    let mut count = Count::default();
    for told in status.container_statuses.iter().flatten() {
        let state = told.state.as_ref();
        if state.is_some_and(|s| s.running.is_some()) {
            count.running += 1;
        } else if state.is_some_and(|s| s.terminated.is_some()) {
            count.stopped += 1;
            count.succeeded += usize::from(exit_code(told) == Some(0));
        } else if told.last_state.as_ref().is_some_and(|s| s.terminated.is_some()) {
            count.stopped += 1;
        } else {
            count.waiting += 1;
        }
    }
    count
}

/// Whether some app container was ever made: then the pod is past its initialisation.
fn has_apps(status: &PodStatus) -> bool {
    status.container_statuses.iter().flatten().any(|told| told.container_id.as_ref().is_some_and(|id| !id.is_empty()))
}

fn exit_code(told: &ContainerStatus) -> Option<i32> {
    told.state.as_ref().and_then(|s| s.terminated.as_ref()).map(|t| t.exit_code)
}
