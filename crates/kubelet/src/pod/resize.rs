//! Changing a pod's size while it runs: what the node gives, and what is said of it, in upstream's words.
//! `actuate` tells the runtime.

use std::collections::HashSet;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod, PodCondition, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::Serialize;

use super::admission;
use super::core::Core;
use super::sizes::{self, Change, Ledger, Sizes};
use super::spec::{self, Role};
use crate::host::Host;
use crate::source::Severity;

/// The resize as a whole, where failures are kept by container: no container has such a name.
pub(super) const ALL: &str = "resize/";
/// Neither told nor done yet.
pub const PENDING: &str = "PodResizePending";
/// Given, and not done yet.
pub const IN_PROGRESS: &str = "PodResizeInProgress";

/// Where a pod's sizes stand.
#[derive(Debug, Default)]
pub(super) struct Sizing {
    /// What the specification asks for.
    pub(super) wanted: Sizes,
    /// What was given and done.
    pub(super) ledger: Ledger,
    /// Whether the node has taken the pod.
    pub(super) is_taken: bool,
    /// Containers that were stopped to start at another size, by id.
    pub(super) stopped: HashSet<String>,
    pending: Option<PodCondition>,
    pub(super) progress: Option<PodCondition>,
}

/// What events tell of a pod's sizes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    init_containers: Vec<Size<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    containers: Vec<Size<'a>>,
    generation: i64,
    #[serde(skip_serializing_if = "str::is_empty")]
    error: &'a str,
}

#[derive(Serialize)]
struct Size<'a> {
    name: &'a str,
    resources: ResourceRequirements,
}

// === impl Sizing ===

impl Sizing {
    /// Of a pod that may have been here before.
    pub(super) fn of(host: &Host, pod: &Pod) -> Self {
        let (wanted, path) = (sizes::of(spec::of(pod)), host.paths.sizes(spec::uid(pod)));
        let begun = pod.status.as_ref().is_some_and(|s| s.start_time.is_some());
        let known = Ledger::load(&path);
        let is_taken = known.is_some() || begun || spec::is_deleted(pod);
        // What runs already without a note of it was started at the size that its specification has.
        let actuated = if begun { wanted.clone() } else { Sizes::new() };
        let ledger = known.unwrap_or_else(|| Ledger { allocated: wanted.clone(), actuated });
        Self { wanted, ledger, is_taken, ..Self::default() }
    }

    /// What the status says of a change that is not done.
    pub(super) fn conditions(&self) -> Vec<PodCondition> {
        self.pending.iter().chain(&self.progress).cloned().collect()
    }
}

impl Core {
    /// Asks the node for the size that the specification wants.
    pub(super) fn allocate(&mut self) {
        if self.sizing.wanted == self.sizing.ledger.allocated {
            self.sizing.pending = None;
            return;
        }
        let mut wanted = Pod::clone(&self.pod);
        sizes::apply(&mut wanted, &self.sizing.wanted);
        let node = self.host.cluster.node(&self.host.name);
        let room = admission::room(node.as_deref(), self.host.capacity);
        match self.host.allocations.resize(&wanted, &room, &self.waker) {
            Ok(()) => {
                self.sizing.ledger.allocated.clone_from(&self.sizing.wanted);
                (self.sizing.pending, self.sizing.progress) = (None, None);
                self.progress("", "");
                self.event(None, Severity::Normal, "ResizeStarted", told("Pod resize started", &wanted, ""));
                self.troubles.remove(ALL);
                self.pod = wanted.into();
                self.keep_ledger();
            }
            Err(failure) => self.defer(&wanted, &failure.message),
        }
    }

    fn defer(&mut self, wanted: &Pod, why: &str) {
        let before = self.sizing.pending.take();
        let now = condition(PENDING, before.as_ref(), "Deferred", why, self.pod.metadata.generation);
        if before.is_none_or(|b| b.observed_generation != now.observed_generation) {
            self.event(None, Severity::Warning, "ResizeDeferred", told("Pod resize Deferred", wanted, why));
        }
        self.sizing.pending = Some(now);
    }

    /// Says that a change is under way, if one is, and that it is done, if one was.
    pub(super) fn settle(&mut self) {
        let pod = self.pod.clone();
        let open = spec::containers(spec::of(&pod)).any(|(_, container)| {
            let running = self.observed.newest(&container.name).is_some_and(|seen| seen.is_running());
            running && self.sizing.ledger.change(container) != Change::None
        });
        if open {
            if self.sizing.progress.is_none() {
                self.progress("", "");
            }
        } else if self.sizing.progress.take().is_some() {
            self.event(None, Severity::Normal, "ResizeCompleted", told("Pod resize completed", &pod, ""));
        }
    }

    pub(super) fn progress(&mut self, reason: &str, message: &str) {
        let before = self.sizing.progress.take();
        let generation = before.as_ref().map_or(self.pod.metadata.generation, |b| b.observed_generation);
        self.sizing.progress = Some(condition(IN_PROGRESS, before.as_ref(), reason, message, generation));
    }

    /// Notes the size that a container was started at.
    pub(super) fn note_size(&mut self, container: &Container, role: Role) {
        if role == Role::Ephemeral {
            return;
        }
        let size = container.resources.clone().unwrap_or_default();
        if self.sizing.ledger.actuated.get(&container.name) != Some(&size) {
            self.sizing.ledger.actuated.insert(container.name.clone(), size);
            self.keep_ledger();
        }
    }

    pub(super) fn keep_ledger(&self) {
        let path = self.host.paths.sizes(spec::uid(&self.pod));
        if let Err(error) = self.sizing.ledger.save(&path) {
            tracing::warn!(%error, pod = spec::full_name(&self.pod), "the pod's sizes are not kept");
        }
    }
}

/// A condition that holds on where it said the same before.
fn condition(
    kind: &str,
    before: Option<&PodCondition>,
    reason: &str,
    why: &str,
    generation: Option<i64>,
) -> PodCondition {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let same = before.filter(|b| b.reason == text(reason));
    let now = Some(Time(Timestamp::now()));
    PodCondition {
        type_: kind.into(),
        status: "True".into(),
        reason: text(reason),
        message: text(why),
        last_probe_time: same.filter(|b| b.message == text(why)).map_or(now.clone(), |b| b.last_probe_time.clone()),
        last_transition_time: same.map_or(now, |b| b.last_transition_time.clone()),
        observed_generation: generation,
    }
}

pub(super) fn told(what: &str, pod: &Pod, error: &str) -> String {
    let sizes = |init: bool| {
        let chosen = spec::containers(spec::of(pod)).filter(|(role, _)| (*role != Role::App) == init);
        chosen.map(|(_, c)| Size { name: &c.name, resources: c.resources.clone().unwrap_or_default() }).collect()
    };
    let generation = pod.metadata.generation.unwrap_or(0);
    let summary = Summary { init_containers: sizes(true), containers: sizes(false), generation, error };
    serde_json::to_string(&summary).map_or_else(|_| what.to_owned(), |summary| format!("{what}: {summary}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_tell_the_sizes() {
        let container = json!({"name": "c", "resources": {"requests": {"cpu": "1"}}});
        let pod = json!({"metadata": {"generation": 2}, "spec": {"containers": [container]}});
        let pod = serde_json::from_value(pod).expect("a pod");
        assert_eq!(
            told("Pod resize started", &pod, ""),
            r#"Pod resize started: {"containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}],"generation":2}"#
        );
    }

    #[test]
    fn a_condition_keeps_its_transition_while_it_says_the_same() {
        let first = condition(PENDING, None, "Deferred", "a", Some(1));
        let old = PodCondition { last_transition_time: Some(Time(Timestamp::UNIX_EPOCH)), ..first };
        let next = condition(PENDING, Some(&old), "Deferred", "b", Some(2));
        assert_eq!((next.last_transition_time, next.observed_generation), (old.last_transition_time.clone(), Some(2)));
        let other = condition(PENDING, Some(&old), "Infeasible", "b", Some(2));
        assert_ne!(other.last_transition_time, old.last_transition_time);
    }
}
