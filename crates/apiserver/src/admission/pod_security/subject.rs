//! What the checks look at: a pod, or the pod of a template, and its containers of all kinds alike.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::{Container, ContainerPort, EphemeralContainer, Lifecycle, PodSpec, Probe, SecurityContext};
use nakhoda_api::kinds::meta::ObjectMeta;

/// A pod.
pub(crate) struct Subject<'a> {
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) spec: &'a PodSpec,
    /// Init containers, containers, ephemeral containers.
    pub(crate) containers: Vec<Part<'a>>,
}

/// What the kinds of containers have in common.
pub(crate) struct Part<'a> {
    pub(crate) name: &'a str,
    pub(crate) security: Option<&'a SecurityContext>,
    pub(crate) ports: &'a [ContainerPort],
    pub(crate) probes: [Option<&'a Probe>; 3],
    pub(crate) lifecycle: Option<&'a Lifecycle>,
}

macro_rules! part {
    ($type:ty) => {
        impl<'a> From<&'a $type> for Part<'a> {
            fn from(one: &'a $type) -> Self {
                Self {
                    name: &one.name,
                    security: one.security_context.as_ref(),
                    ports: one.ports.as_deref().unwrap_or_default(),
                    probes: [one.liveness_probe.as_ref(), one.readiness_probe.as_ref(), one.startup_probe.as_ref()],
                    lifecycle: one.lifecycle.as_ref(),
                }
            }
        }
    };
}
part!(Container);
part!(EphemeralContainer);

// === impl Subject ===

impl<'a> Subject<'a> {
    pub(crate) fn new(metadata: Option<&ObjectMeta>, spec: &'a PodSpec) -> Self {
        let plain = spec.init_containers.iter().flatten().chain(&spec.containers).map(Part::from);
        let containers = plain.chain(spec.ephemeral_containers.iter().flatten().map(Part::from)).collect();
        let annotations = metadata.and_then(|metadata| metadata.annotations.clone()).unwrap_or_default();
        Self { annotations, spec, containers }
    }

    pub(crate) fn is_windows(&self) -> bool {
        self.spec.os.as_ref().is_some_and(|os| os.name == "windows")
    }

    /// Root within is nobody without.
    pub(crate) fn has_own_users(&self) -> bool {
        self.spec.host_users == Some(false)
    }

    /// The names of the containers of which something is true.
    pub(crate) fn named(&self, is: impl Fn(&Part<'a>) -> bool) -> Vec<&'a str> {
        self.containers.iter().filter(|one| is(one)).map(|one| one.name).collect()
    }
}
