//! Audit: who asked for what, when, and what came of it, as `audit.k8s.io/v1` events by a policy
//! (`--audit-policy-file`), to a file and to a webhook.
//!
//! Every request from outside passes here, whichever front it came through, refused ones and those of callers that nobody
//! knows too. Requests of this process to itself do not. Bodies of Secrets, of tokens and of token reviews are never written,
//! whatever the policy says: they are credentials. Absent: truncation of large events, and the forms that a body was
//! converted to for its reader (a Table is written as the objects in it).

use std::sync::Arc;

pub mod event;
pub mod log;
pub mod policy;
pub mod trail;
pub mod webhook;

pub use event::Event;
pub use policy::{Level, Policy, PolicyError, Stage};
pub use trail::Trail;

/// Decides which requests are told of, and tells. Cheap to clone.
#[derive(Clone)]
pub struct Auditor {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Policy,
    sinks: Vec<Box<dyn Sink>>,
}

/// Where events go.
pub trait Sink: Send + Sync {
    /// Takes one event. What goes wrong is told in the log.
    fn take(&self, event: &Event);
}

// === impl Auditor ===

impl Auditor {
    /// By a policy, into these.
    #[must_use]
    pub fn new(policy: Policy, sinks: Vec<Box<dyn Sink>>) -> Self {
        Self { inner: Arc::new(Inner { policy, sinks }) }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    /// Tells of one stage.
    pub fn tell(&self, event: &Event) {
        self.inner.sinks.iter().for_each(|sink| sink.take(event));
    }
}

#[cfg(test)]
mod tests;
