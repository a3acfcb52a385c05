//! Probes: what they say about containers, and the tasks that ask.

pub mod check;
pub mod grpc;
pub mod http;
pub mod keeper;

use std::collections::HashMap;

/// What the probes say about each container, by name. An entry counts only for the container id it
/// was made for: a restarted container starts anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    entries: HashMap<String, Verdict>,
}

/// What the probes say about one container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Which container.
    pub id: String,
    /// Startup has succeeded, or there is no startup probe.
    pub started: bool,
    /// Readiness has succeeded, or there is no readiness probe.
    pub ready: bool,
    /// The probe for whose failure the container must be restarted: `liveness` or `startup`.
    pub failed: Option<&'static str>,
}

// === impl Verdicts ===

impl Verdicts {
    /// Whether this container has started.
    #[must_use]
    pub fn started(&self, name: &str, id: &str) -> bool {
        self.of(name, id).is_some_and(|v| v.started)
    }

    /// Whether this container is ready.
    #[must_use]
    pub fn ready(&self, name: &str, id: &str) -> bool {
        self.of(name, id).is_some_and(|v| v.started && v.ready)
    }

    /// Which probe wants this container restarted.
    #[must_use]
    pub fn failed(&self, name: &str, id: &str) -> Option<&'static str> {
        self.of(name, id).and_then(|v| v.failed)
    }

    /// Says that a container has started and is ready: it has no probes.
    pub fn set_started(&mut self, name: &str, id: &str) {
        self.set(name, Verdict { id: id.into(), started: true, ready: true, failed: None });
    }

    /// Replaces what is said about a container.
    pub fn set(&mut self, name: &str, verdict: Verdict) {
        self.entries.insert(name.into(), verdict);
    }

    /// Changes what is said about a container that is still that one; false if nothing changed.
    pub fn change(&mut self, name: &str, id: &str, change: impl FnOnce(&mut Verdict)) -> bool {
        let Some(verdict) = self.entries.get_mut(name).filter(|v| v.id == id) else { return false };
        let before = verdict.clone();
        change(verdict);
        *verdict != before
    }

    fn of(&self, name: &str, id: &str) -> Option<&Verdict> {
        self.entries.get(name).filter(|v| v.id == id)
    }
}
