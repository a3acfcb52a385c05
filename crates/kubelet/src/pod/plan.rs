//! What to do next for a pod that should run: a plain function of its specification and of what was
//! observed. It is called again after each round of actions until it asks for nothing.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};

use super::backoff::Backoff;
use super::observed::{Observed, Seen};
use super::sizes::{Change, Ledger};
use super::spec::{self, Role};
use crate::labels;
use crate::probe::Verdicts;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stop a sandbox with all in it; a new one follows.
    StopSandbox(String),
    /// Make the sandbox.
    CreateSandbox {
        /// Which attempt.
        attempt: u32,
    },
    /// Stop a container that runs; it is started again in a later round.
    Kill {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// Why, for the event.
        why: String,
        /// Grace in seconds that the failed probe asks for.
        grace: Option<i64>,
    },
    /// Tell the runtime the new sizes of containers that run.
    Resize(Vec<Resize>),
    /// Start a container.
    Start {
        /// Its name.
        name: String,
        /// What it is.
        role: Role,
        /// How often it was started before.
        restarts: i32,
    },
}

/// A container that runs at another size from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resize {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What to do, what to say, and when to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub actions: Vec<Action>,
    /// Containers that wait out a back-off: name and text.
    pub waiting: HashMap<String, String>,
    /// When the first back-off ends.
    pub wake: Option<SignedDuration>,
}

/// What deciding looks at beside the pod.
pub struct Inputs<'a> {
    /// The runtime's view.
    pub observed: &'a Observed,
    /// What the probes say.
    pub verdicts: &'a Verdicts,
    /// Restarts so far.
    pub backoff: &'a Backoff,
    /// What the pod was given, and what the runtime was told.
    pub ledger: &'a Ledger,
    /// Containers that were stopped to start at another size, by id.
    pub stopped: &'a HashSet<String>,
    /// The clock.
    pub now: Timestamp,
}

/// Whether every init container is done or, being a sidecar, started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inits {
    Done,
    Pending,
    Failed,
}

/// Decides.
#[must_use]
pub fn plan(pod: &Pod, inputs: &Inputs<'_>) -> Plan {
    let spec = spec::of(pod);
    let mut plan = Plan::default();
    let ready = inputs.observed.sandboxes.iter().filter(|s| s.ready).count();
    let usable = ready == 1 && inputs.observed.sandbox().is_some_and(|s| spec::host_network(spec) || !s.ips.is_empty());
    if usable {
        ephemerals(&mut plan, spec, inputs);
        match inits(&mut plan, pod, spec, inputs) {
            Inits::Done => apps(&mut plan, pod, spec, inputs),
            Inits::Pending | Inits::Failed => {}
        }
    } else {
        sandbox(&mut plan, spec, inputs);
    }
    plan
}

/// Replaces the sandbox if there is something left to run in it.
fn sandbox(plan: &mut Plan, spec: &PodSpec, inputs: &Inputs<'_>) {
    let observed = inputs.observed;
    let attempt = observed.sandboxes.first().map_or(0, |s| s.attempt + 1);
    let seen_any = observed.each().next().is_some();
    if spec::restart_policy(spec) == "Never" && attempt > 0 && seen_any {
        return;
    }
    let done = |c: &Container| {
        spec::restart_policy(spec) == "OnFailure"
            && observed.newest(&c.name).is_some_and(|s| s.is_exited() && s.status.exit_code == 0)
    };
    if spec.containers.iter().all(done) {
        return;
    }
    for sandbox in observed.sandboxes.iter().filter(|s| s.ready) {
        plan.actions.push(Action::StopSandbox(sandbox.id.clone()));
    }
    plan.actions.push(Action::CreateSandbox { attempt });
}

/// Those that joined start at once, whatever the pod waits for, and never again.
fn ephemerals(plan: &mut Plan, spec: &PodSpec, inputs: &Inputs<'_>) {
    for container in spec::ephemerals(spec) {
        let begun = |seen: &Seen| seen.is_running() || seen.is_exited();
        if !inputs.observed.all(&container.name).iter().any(begun) {
            let (name, role) = (container.name.clone(), Role::Ephemeral);
            plan.actions.push(Action::Start { name, role, restarts: 0 });
        }
    }
}

fn inits(plan: &mut Plan, pod: &Pod, spec: &PodSpec, inputs: &Inputs<'_>) -> Inits {
    let observed = inputs.observed;
    let current = observed.sandbox().map(|s| s.id.as_str()).unwrap_or_default();
    let here = |seen: &&Seen| seen.sandbox == current;
    // Once an app container was made here, init containers have run, even if they were cleaned up since.
    let initialised = spec.containers.iter().any(|c| observed.all(&c.name).iter().any(|s| here(&s)));
    for container in spec::inits(spec) {
        let newest = observed.newest(&container.name);
        let seen = newest.filter(here);
        let sidecar = spec::is_sidecar(container);
        match seen {
            Some(seen) if seen.is_running() && sidecar => {
                if kill_unhealthy(plan, container, seen, inputs) {
                    return if initialised { continue } else { Inits::Pending };
                }
                if resize(plan, container, seen, inputs) {
                    return if initialised { continue } else { Inits::Pending };
                }
                if !initialised && !inputs.verdicts.started(&container.name, &seen.status.id) {
                    return Inits::Pending;
                }
            }
            Some(seen) if seen.is_running() => {
                resize(plan, container, seen, inputs);
                return Inits::Pending;
            }
            _ if !sidecar && initialised => {}
            Some(seen) if !sidecar && seen.is_exited() && seen.status.exit_code == 0 => {}
            Some(seen) if !sidecar && seen.is_exited() && spec::restart_policy(spec) == "Never" => {
                return Inits::Failed;
            }
            _ => {
                let role = if sidecar { Role::Sidecar } else { Role::Init };
                // One that ended in an older sandbox starts over without waiting.
                start(plan, pod, container, role, newest, seen.is_some(), inputs);
                if !initialised {
                    return Inits::Pending;
                }
            }
        }
    }
    Inits::Done
}

fn apps(plan: &mut Plan, pod: &Pod, spec: &PodSpec, inputs: &Inputs<'_>) {
    for container in &spec.containers {
        match inputs.observed.newest(&container.name) {
            Some(seen) if seen.is_running() => {
                if labels::is_outdated(&seen.status, container) {
                    let why = format!("Container {} definition changed, will be restarted", container.name);
                    kill(plan, container, seen, why, None);
                } else if !kill_unhealthy(plan, container, seen, inputs) {
                    resize(plan, container, seen, inputs);
                }
            }
            Some(seen) if seen.is_exited() && !should_restart(spec, seen) && !is_stopped(seen, inputs) => {}
            newest => start(plan, pod, container, Role::App, newest, true, inputs),
        }
    }
}

/// Whether it was stopped to start at another size.
fn is_stopped(seen: &Seen, inputs: &Inputs<'_>) -> bool {
    inputs.stopped.contains(&seen.status.id)
}

/// Brings a running container to its size; whether it is stopped for it.
fn resize(plan: &mut Plan, container: &Container, seen: &Seen, inputs: &Inputs<'_>) -> bool {
    match inputs.ledger.change(container) {
        Change::None => return false,
        Change::Restart => {
            let why = format!("Container {} resize requires restart", container.name);
            kill(plan, container, seen, why, None);
            return true;
        }
        Change::Update => {}
    }
    let change = Resize { id: seen.status.id.clone(), name: container.name.clone() };
    let known = plan.actions.iter_mut().find_map(|action| match action {
        Action::Resize(all) => Some(all),
        _ => None,
    });
    match known {
        Some(all) => all.push(change),
        None => plan.actions.push(Action::Resize(vec![change])),
    }
    false
}

/// Whether a container that has ended runs again.
#[must_use]
pub fn should_restart(spec: &PodSpec, seen: &Seen) -> bool {
    match spec::restart_policy(spec) {
        "Never" => false,
        "OnFailure" => seen.status.exit_code != 0,
        _ => true,
    }
}

fn start(
    plan: &mut Plan,
    pod: &Pod,
    container: &Container,
    role: Role,
    newest: Option<&Seen>,
    waits: bool,
    inputs: &Inputs<'_>,
) {
    let restarts = newest.map_or(0, |seen| labels::restarts(&seen.status) + i32::from(seen.is_exited()));
    if waits
        && let Some(seen) = newest.filter(|s| s.is_exited() && !is_stopped(s, inputs))
        && let Some(left) = inputs.backoff.remaining(&key(container), finished(seen), inputs.now)
    {
        let wait = inputs.backoff.wait(&key(container));
        let text = format!(
            "back-off {} restarting failed container={} pod={}",
            go_duration(wait),
            container.name,
            spec::full_name(pod)
        );
        plan.waiting.insert(container.name.clone(), text);
        plan.wake = Some(plan.wake.map_or(left, |wake| wake.min(left)));
        return;
    }
    plan.actions.push(Action::Start { name: container.name.clone(), role, restarts });
}

fn kill_unhealthy(plan: &mut Plan, container: &Container, seen: &Seen, inputs: &Inputs<'_>) -> bool {
    let Some(failed) = inputs.verdicts.failed(&container.name, &seen.status.id) else { return false };
    let why = format!("Container {} failed {failed} probe, will be restarted", container.name);
    let probe = if failed == "startup" { &container.startup_probe } else { &container.liveness_probe };
    let grace = probe.as_ref().and_then(|p| p.termination_grace_period_seconds);
    kill(plan, container, seen, why, grace);
    true
}

fn kill(plan: &mut Plan, container: &Container, seen: &Seen, why: String, grace: Option<i64>) {
    plan.actions.push(Action::Kill { id: seen.status.id.clone(), name: container.name.clone(), why, grace });
}

/// The back-off key of a container: another image starts over.
#[must_use]
pub fn key(container: &Container) -> String {
    format!("{}/{}", container.name, container.image.as_deref().unwrap_or_default())
}

/// When a container ended.
#[must_use]
pub fn finished(seen: &Seen) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(seen.status.finished_at)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `10s`, `1m20s`, as Go prints durations.
#[must_use]
pub fn go_duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, s) => format!("{s}s"),
        (m, s) => format!("{m}m{s}s"),
    }
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
