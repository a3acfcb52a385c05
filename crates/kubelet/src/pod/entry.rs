//! Taking a pod onto the node, once and for all, or refusing it.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::core::Core;
use super::state::Failure;
use super::{admission, spec};
use crate::resources::Qos;
use crate::source::Severity;

impl Core {
    /// Takes the pod, if that was not done yet.
    pub(super) fn admit(&mut self) -> Result<(), Failure> {
        if self.sizing.is_taken {
            return Ok(());
        }
        self.host.pressure.admit(&self.pod)?;
        let node = self.host.cluster.node(&self.host.name);
        let room = admission::room(node.as_deref(), self.host.capacity);
        self.host.allocations.admit(&self.pod, node.as_deref(), &room)?;
        self.sizing.is_taken = true;
        self.keep_ledger();
        Ok(())
    }

    /// The node does not take the pod: it has failed before it began.
    pub(super) fn reject(&mut self, failure: &Failure) {
        tracing::info!(pod = spec::full_name(&self.pod), failure.reason, failure.message, "not taken");
        self.event(None, Severity::Warning, &failure.reason, failure.message.clone());
        let old = self.pod.status.clone().unwrap_or_default();
        self.tell(PodStatus {
            phase: Some("Failed".into()),
            reason: Some(failure.reason.clone()),
            message: Some(format!("Pod was rejected: {}", failure.message)),
            qos_class: Some(Qos::of(spec::of(&self.pod)).name().into()),
            start_time: old.start_time.clone().or(Some(Time(Timestamp::now()))),
            observed_generation: self.pod.metadata.generation,
            ..old
        });
    }
}
