//! The state of a pod in a word, as people know it from `kubectl get pods`: `Init:0/1`, `Running`,
//! `CrashLoopBackOff`, `Completed`, `Terminating` …

use jiff::Timestamp;
use nakhoda_api::kinds::core::{Container, ContainerStateTerminated, ContainerStatus, Pod, PodStatus};

use crate::rules::check::{list, text};

/// What a row tells of a pod's containers.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Summary {
    pub(super) ready: usize,
    pub(super) total: usize,
    pub(super) restarts: i64,
    pub(super) last_restart: Option<Timestamp>,
    pub(super) reason: String,
}

/// Restarts that were counted so far.
#[derive(Default, Clone, Copy)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

// === impl Summary ===

impl Summary {
    pub(super) fn of(pod: &Pod) -> Self {
        let none = PodStatus::default();
        let status = pod.status.as_ref().unwrap_or(&none);
        let init = pod.spec.as_ref().map_or(&[][..], |s| list(&s.init_containers));
        let total = pod.spec.as_ref().map_or(0, |s| s.containers.len()) + init.iter().filter(|c| is_sidecar(c)).count();
        let mut summary = Self { total, reason: base(status), ..Self::default() };
        let (initializing, all, sidecars) = summary.init(status, init);
        let initialized = list(&status.conditions).iter().find(|c| c.type_ == "Initialized");
        let mut restarts = all;
        if !initializing || initialized.is_some_and(|c| c.status == "True") {
            restarts = sidecars;
            summary.main(status, &mut restarts);
        }
        summary.restarts = restarts.count;
        summary.last_restart = restarts.last;
        if pod.metadata.deletion_timestamp.is_some() {
            if text(&status.reason) == "NodeLost" {
                summary.reason = "Unknown".into();
            } else if !["Failed", "Succeeded"].contains(&text(&status.phase)) {
                summary.reason = "Terminating".into();
            }
        }
        summary
    }

    /// Goes over init containers until the first that is not done: whether there is one, all restarts,
    /// and those of containers that go on running.
    fn init(&mut self, status: &PodStatus, specs: &[Container]) -> (bool, Restarts, Restarts) {
        let (mut all, mut sidecars) = (Restarts::default(), Restarts::default());
        for (i, container) in list(&status.init_container_statuses).iter().enumerate() {
            let sidecar = specs.iter().any(|c| c.name == container.name && is_sidecar(c));
            all.add(container);
            if sidecar {
                sidecars.add(container);
            }
            let terminated = terminated(container);
            if terminated.is_some_and(|t| t.exit_code == 0) {
                continue;
            }
            if sidecar && container.started == Some(true) {
                self.ready += usize::from(container.ready);
                continue;
            }
            self.reason = match (terminated, waiting(container)) {
                (Some(t), _) => format!("Init:{}", ended(t)),
                (None, reason) if !reason.is_empty() && reason != "PodInitializing" => format!("Init:{reason}"),
                _ => format!("Init:{i}/{}", specs.len()),
            };
            return (true, all, sidecars);
        }
        (false, all, sidecars)
    }

    /// Goes over the containers from the last to the first: the first one's reason wins.
    fn main(&mut self, status: &PodStatus, restarts: &mut Restarts) {
        let (mut running, mut failure) = (false, None);
        for container in list(&status.container_statuses).iter().rev() {
            restarts.add(container);
            let waiting = waiting(container);
            if !waiting.is_empty() {
                self.reason = waiting.into();
            } else if let Some(terminated) = terminated(container) {
                self.reason = ended(terminated);
                if terminated.exit_code != 0 {
                    failure = Some(self.reason.clone());
                }
            } else if container.ready && container.state.as_ref().is_some_and(|s| s.running.is_some()) {
                running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" {
            let ready = list(&status.conditions).iter().any(|c| c.type_ == "Ready" && c.status == "True");
            self.reason = match (running, failure) {
                (true, _) if ready => "Running".into(),
                (_, Some(failure)) => failure,
                (true, None) => "NotReady".into(),
                (false, None) => "Completed".into(),
            };
        }
    }
}

// === impl Restarts ===

impl Restarts {
    fn add(&mut self, container: &ContainerStatus) {
        self.count += i64::from(container.restart_count);
        let before = container.last_state.as_ref().and_then(|s| s.terminated.as_ref());
        self.last = self.last.max(before.and_then(|t| t.finished_at.as_ref()).map(|t| t.0));
    }
}

fn base(status: &PodStatus) -> String {
    let gated =
        |c: &&nakhoda_api::kinds::core::PodCondition| c.type_ == "PodScheduled" && text(&c.reason) == "SchedulingGated";
    match (list(&status.conditions).iter().find(gated), text(&status.reason)) {
        (Some(_), _) => "SchedulingGated".into(),
        (None, "") => text(&status.phase).into(),
        (None, reason) => reason.into(),
    }
}

fn is_sidecar(container: &Container) -> bool {
    text(&container.restart_policy) == "Always"
}

fn terminated(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    container.state.as_ref()?.terminated.as_ref()
}

fn waiting(container: &ContainerStatus) -> &str {
    container.state.as_ref().and_then(|s| s.waiting.as_ref()).map_or("", |w| text(&w.reason))
}

fn ended(terminated: &ContainerStateTerminated) -> String {
    match (text(&terminated.reason), terminated.signal.unwrap_or(0)) {
        ("", 0) => format!("ExitCode:{}", terminated.exit_code),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.into(),
    }
}
