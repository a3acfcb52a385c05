//! [`PodInfo`]: a pod, with what every cycle needs read out of it once.

use std::sync::Arc;

use nakhoda_api::kinds::core::{Affinity, Container, Pod, PodSpec, Toleration};
use nakhoda_client::{Key, Resource};

use crate::deadlines::{Malformed, Wish};
use crate::resources::Resources;

pub mod workload;

/// A pod as the scheduler sees it.
#[derive(Clone, Debug)]
pub struct PodInfo {
    /// Namespace and name.
    pub key: Key,
    /// Unique for ever.
    pub uid: String,
    /// The whole pod.
    pub object: Arc<Pod>,
    /// What it asks for.
    pub requests: Resources,
    /// CPU and memory for scoring.
    pub scored: [i64; 2],
    /// Higher goes first.
    pub priority: i32,
    /// Ports of the node that it takes.
    pub ports: Vec<HostPort>,
    /// UID of the controller that made it, if one did.
    pub controller: Option<String>,
    /// The claims it uses.
    pub claims: Vec<ClaimRef>,
    /// The claims to devices it uses.
    pub devices: Vec<DeviceClaimRef>,
    /// The PodGroup it belongs to.
    pub gang: Option<Key>,
    /// By when it wants to start.
    pub wish: Result<Wish, Malformed>,
}

/// A claim that a pod uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRef {
    /// Which.
    pub key: Key,
    /// Whether it is made for this pod and goes with it.
    pub ephemeral: bool,
    /// The pod's name.
    pub owner: String,
}

/// A ResourceClaim that a pod uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceClaimRef {
    /// Which; `None`: it has still to be made.
    pub claim: Option<Key>,
    /// Whether it is made for this pod.
    pub generated: bool,
}

/// A port of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// Empty or `0.0.0.0`: every address.
    pub ip: String,
    /// TCP, UDP or SCTP.
    pub protocol: String,
    /// Not 0.
    pub port: i32,
}

// === impl PodInfo ===

impl PodInfo {
    /// Reads a pod.
    #[must_use]
    pub fn new(object: Arc<Pod>) -> Self {
        Self {
            key: Key::of(&*object),
            uid: object.uid().into(),
            requests: Resources::requested(&object),
            scored: Resources::scored(&object),
            priority: object.spec.as_ref().and_then(|s| s.priority).unwrap_or_default(),
            ports: object.spec.as_ref().map(host_ports).unwrap_or_default(),
            controller: object.controller().map(|owner| owner.uid.clone()),
            claims: claims(&object),
            devices: devices(&object),
            gang: gang(&object),
            wish: Wish::read(&object.metadata),
            object,
        }
    }

    /// The spec; every pod has one.
    #[must_use]
    pub fn spec(&self) -> Option<&PodSpec> {
        self.object.spec.as_ref()
    }

    /// The workload it belongs to; see [`workload`].
    #[must_use]
    pub fn workload(&self) -> String {
        workload::of(&self.object)
    }

    /// The name of the scheduler that is responsible for it.
    #[must_use]
    pub fn scheduler(&self) -> &str {
        self.spec().and_then(|s| s.scheduler_name.as_deref()).unwrap_or("default-scheduler")
    }

    /// The node it is bound to, empty if none.
    #[must_use]
    pub fn node_name(&self) -> &str {
        self.spec().and_then(|s| s.node_name.as_deref()).unwrap_or_default()
    }

    /// The taints it puts up with.
    #[must_use]
    pub fn tolerations(&self) -> &[Toleration] {
        self.spec().and_then(|s| s.tolerations.as_deref()).unwrap_or_default()
    }

    /// Its affinities.
    #[must_use]
    pub fn affinity(&self) -> Option<&Affinity> {
        self.spec().and_then(|s| s.affinity.as_ref())
    }

    /// Its init containers and containers.
    pub fn containers(&self) -> impl Iterator<Item = &Container> {
        self.spec().into_iter().flat_map(|s| s.init_containers.iter().flatten().chain(&s.containers))
    }

    /// Whether it has ended and takes nothing any more.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let phase = self.object.status.as_ref().and_then(|s| s.phase.as_deref());
        matches!(phase, Some("Succeeded" | "Failed"))
    }

    /// Whether it has ended well.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        self.object.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Succeeded")
    }

    /// Whether it is being deleted.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.object.is_terminating()
    }

    /// The node it was promised once others have left it.
    #[must_use]
    pub fn nominated_node(&self) -> &str {
        self.object.status.as_ref().and_then(|s| s.nominated_node_name.as_deref()).unwrap_or_default()
    }
}

// === impl HostPort ===

impl HostPort {
    /// Whether both cannot be taken at once.
    #[must_use]
    pub fn conflicts(&self, other: &Self) -> bool {
        let any = |ip: &str| ip.is_empty() || ip == "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (any(&self.ip) || any(&other.ip) || self.ip == other.ip)
    }
}

fn claims(object: &Pod) -> Vec<ClaimRef> {
    let owner = object.name().to_owned();
    let volumes = object.spec.as_ref().and_then(|s| s.volumes.as_deref()).unwrap_or_default();
    let claims = volumes.iter().filter_map(|volume| match (&volume.persistent_volume_claim, &volume.ephemeral) {
        (Some(source), _) => Some((source.claim_name.clone(), false)),
        (None, Some(_)) => Some((format!("{owner}-{}", volume.name), true)),
        (None, None) => None,
    });
    let key = |name: &str| Key::new(object.namespace(), name);
    claims.map(|(name, ephemeral)| ClaimRef { key: key(&name), ephemeral, owner: owner.clone() }).collect()
}

fn devices(object: &Pod) -> Vec<DeviceClaimRef> {
    let wanted = object.spec.iter().flat_map(|spec| spec.resource_claims.iter().flatten());
    let made = object.status.as_ref().and_then(|s| s.resource_claim_statuses.as_deref()).unwrap_or_default();
    let key = |name: &String| Key::new(object.namespace(), name);
    wanted
        .filter_map(|wanted| match (&wanted.resource_claim_name, made.iter().find(|made| made.name == wanted.name)) {
            (Some(name), _) => Some(DeviceClaimRef { claim: Some(key(name)), generated: false }),
            (None, None) => Some(DeviceClaimRef { claim: None, generated: true }),
            // none had to be made
            (None, Some(made)) => {
                made.resource_claim_name.as_ref().map(|name| DeviceClaimRef { claim: Some(key(name)), generated: true })
            }
        })
        .collect()
}

fn gang(object: &Pod) -> Option<Key> {
    let name = object.spec.as_ref()?.scheduling_group.as_ref()?.pod_group_name.as_deref()?;
    Some(Key::new(object.namespace(), name))
}

fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().flatten().filter(|c| c.restart_policy.as_deref() == Some("Always"));
    let ports = spec.containers.iter().chain(sidecars).filter_map(|c| c.ports.as_ref()).flatten();
    ports
        .filter_map(|port| {
            Some(HostPort {
                ip: port.host_ip.clone().unwrap_or_default(),
                protocol: port.protocol.clone().unwrap_or_else(|| "TCP".into()),
                port: port.host_port.filter(|p| *p > 0)?,
            })
        })
        .collect()
}
