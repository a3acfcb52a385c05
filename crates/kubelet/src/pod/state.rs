//! The life of a pod on its node.
//!
//! ```text
//! Syncing ──(deleted, gone, phase final, deadline)──► Terminating ──(all has stopped)──► Terminated
//! ```
//!
//! There is no way back: a pod that began to end is never started again, whatever its specification says.

use jiff::Timestamp;

/// Where a pod is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Brought to what its specification says. ## Syncing => Terminating
    Syncing,
    /// Being stopped. ## Terminating => Terminated
    Terminating(Ending),
    /// Nothing of it runs; its volumes and cgroup are gone.
    Terminated,
}

/// Why a pod ends, and until when it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// When the kill comes.
    pub deadline: Timestamp,
    /// A phase that is told from now on (a deadline, an eviction).
    pub failure: Option<Failure>,
}

/// What a failed pod's status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In a word.
    pub reason: String,
    /// For people.
    pub message: String,
    /// Whether the node did it for its own sake: then the pod has the condition `DisruptionTarget`.
    pub is_disruption: bool,
}
