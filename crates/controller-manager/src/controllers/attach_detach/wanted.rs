//! Which volumes the pods of a node need attached there.

use std::collections::BTreeMap;
use std::sync::Arc;

use nakhoda_api::kinds::core::{ContainerStatus, PersistentVolume, PersistentVolumeClaim, Pod, Volume as PodVolume};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_api::kinds::storage::{CSIDriver, VolumeAttachment, VolumeAttachmentSource, VolumeAttachmentSpec};
use nakhoda_client::{Informer, Key, Resource};

use super::{BY_VOLUME, attachment_name};
use crate::nodes::BY_NODE;
use crate::pods::is_finished;
use crate::volumes::{claim_name, is_for, of};

/// A volume that a driver attaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its PersistentVolume.
    pub name: String,
    /// The driver.
    pub driver: String,
    /// What the driver calls it.
    pub handle: String,
    /// Whether it may be attached to one node only.
    pub exclusive: bool,
}

/// A volume that pods of a node need.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which.
    pub volume: Volume,
    /// The pods on this node.
    pub pods: Vec<Arc<Pod>>,
    /// Whether another node has it.
    pub taken: bool,
    /// The pods that use it there.
    pub others: Vec<Arc<Pod>>,
}

/// An attachment, and what kubelets call its volume, if that is known.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The object.
    pub object: Arc<VolumeAttachment>,
    /// The name in a node's status.
    pub volume: Option<String>,
}

/// What is known.
pub struct Caches {
    /// Pods, by node and by claim.
    pub pods: Informer<Pod>,
    /// Claims.
    pub claims: Informer<PersistentVolumeClaim>,
    /// Volumes.
    pub volumes: Informer<PersistentVolume>,
    /// Drivers.
    pub drivers: Informer<CSIDriver>,
    /// Attachments, by node and by volume.
    pub attachments: Informer<VolumeAttachment>,
}

// === impl Volume ===

impl Volume {
    /// Reads a PersistentVolume; nothing if it is no driver's.
    #[must_use]
    pub fn of(volume: &PersistentVolume) -> Option<Self> {
        let spec = volume.spec.as_ref()?;
        let source = spec.csi.as_ref()?;
        let modes = spec.access_modes.as_deref().unwrap_or_default();
        let shared = modes.is_empty() || modes.iter().any(|mode| mode == "ReadWriteMany" || mode == "ReadOnlyMany");
        Some(Self {
            name: volume.name().into(),
            driver: source.driver.clone(),
            handle: source.volume_handle.clone(),
            exclusive: !shared,
        })
    }

    /// What kubelets call it.
    #[must_use]
    pub fn told(&self) -> String {
        format!("kubernetes.io/csi/{}^{}", self.driver, self.handle)
    }

    /// Its attachment to a node.
    #[must_use]
    pub fn attachment(&self, node: &str) -> VolumeAttachment {
        let name = Some(attachment_name(&self.handle, &self.driver, node));
        let source = VolumeAttachmentSource { persistent_volume_name: Some(self.name.clone()), inline_volume_spec: None };
        VolumeAttachment {
            metadata: ObjectMeta { name, ..ObjectMeta::default() },
            spec: VolumeAttachmentSpec { attacher: self.driver.clone(), node_name: node.into(), source },
            status: None,
        }
    }
}

// === impl Caches ===

impl Caches {
    /// The attachments to a node.
    #[must_use]
    pub fn attachments(&self, node: &str) -> Vec<Attachment> {
        let told = |object: &VolumeAttachment| Some(self.volume(object.spec.source.persistent_volume_name.as_ref()?)?.told());
        let all = self.attachments.by_index(BY_NODE, node).into_iter();
        all.map(|object| Attachment { volume: told(&object), object }).collect()
    }

    /// What the pods of a node need.
    #[must_use]
    pub fn wanted(&self, node: &str) -> Vec<Wanted> {
        let mut by_name: BTreeMap<String, (Volume, Vec<Arc<Pod>>)> = BTreeMap::new();
        for pod in self.pods.by_index(BY_NODE, node).iter().filter(|pod| !is_over(pod)) {
            for volume in of(pod).filter_map(|volume| self.attached_volume(pod, volume)) {
                by_name.entry(volume.name.clone()).or_insert_with(|| (volume, Vec::new())).1.push(pod.clone());
            }
        }
        by_name.into_values().map(|(volume, pods)| self.with_others(volume, pods, node)).collect()
    }

    fn with_others(&self, volume: Volume, pods: Vec<Arc<Pod>>, node: &str) -> Wanted {
        let attached = self.attachments.by_index(BY_VOLUME, &volume.name);
        let nodes: Vec<_> = attached.iter().map(|a| a.spec.node_name.as_str()).filter(|name| *name != node).collect();
        let uses = |pod: &Arc<Pod>| of(pod).any(|v| self.attached_volume(pod, v).is_some_and(|v| v.name == volume.name));
        let there = nodes.iter().flat_map(|node| self.pods.by_index(BY_NODE, node));
        let others = there.filter(|pod| !is_over(pod) && uses(pod)).collect();
        Wanted { taken: !nodes.is_empty(), volume, pods, others }
    }

    /// The volume behind a volume of a pod, if a driver attaches it.
    fn attached_volume(&self, pod: &Pod, volume: &PodVolume) -> Option<Volume> {
        let claim = self.claims.get(&Key::new(pod.namespace(), claim_name(pod, volume)?))?;
        if volume.ephemeral.is_some() && !is_for(&claim, pod) {
            return None;
        }
        let bound = claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound");
        let name = claim.spec.as_ref()?.volume_name.as_ref().filter(|name| bound && !name.is_empty())?;
        let object = self.volumes.get(&Key::new("", name))?;
        let holder = object.spec.as_ref()?.claim_ref.as_ref()?;
        let volume = Volume::of(&object).filter(|_| holder.uid.as_deref() == Some(claim.uid()))?;
        attaches(self.drivers.get(&Key::new("", &volume.driver)).as_deref()).then_some(volume)
    }

    fn volume(&self, name: &str) -> Option<Volume> {
        Volume::of(&*self.volumes.get(&Key::new("", name))?)
    }
}

/// Whether a driver wants its volumes attached; one that says nothing does.
#[must_use]
pub fn attaches(driver: Option<&CSIDriver>) -> bool {
    driver.is_none_or(|driver| driver.spec.attach_required != Some(false))
}

/// Whether a pod needs its volumes no more: it has ended, or it is going and none of its containers runs.
fn is_over(pod: &Pod) -> bool {
    let rests = |status: &ContainerStatus| {
        status.state.as_ref().is_some_and(|state| state.terminated.is_some() || state.waiting.is_some())
    };
    let status = pod.status.as_ref();
    let all = status.into_iter().flat_map(|s| {
        [&s.init_container_statuses, &s.container_statuses, &s.ephemeral_container_statuses]
    });
    is_finished(pod) || (pod.is_terminating() && all.flat_map(|statuses| statuses.iter().flatten()).all(rests))
}
