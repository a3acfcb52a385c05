//! [`Told`]: an event as a plan gives it.

use nakhoda_client::{EventType, Recorder, Resource, reference};

/// An event about the object that a plan is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether a person should look.
    pub warning: bool,
    /// One word.
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
}

// === impl Told ===

impl Told {
    /// All is well.
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { warning: false, reason, message: message.into() }
    }

    /// Something is not.
    pub fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self { warning: true, reason, message: message.into() }
    }

    /// Tells it.
    pub fn about<K: Resource>(self, object: &K, recorder: &Recorder) {
        let kind = if self.warning { EventType::Warning } else { EventType::Normal };
        recorder.event(&reference(object), kind, self.reason, self.message);
    }
}
