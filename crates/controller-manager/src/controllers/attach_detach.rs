//! Volumes of CSI drivers and the nodes that they are attached to: a VolumeAttachment for each volume that a pod on a
//! node needs, told in the node's status once the driver has attached it, and deleted when nobody there needs it and
//! the kubelet has unmounted it; from a node that is not ready also after six minutes, and at once from one that is out
//! of service.
//!
//! Absent: volumes of types that were moved to CSI drivers (they are not translated), and so inline ones.

use std::collections::BTreeMap;
use std::time::Duration;

use nakhoda_api::kinds::core::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use nakhoda_api::kinds::storage::{CSIDriver, VolumeAttachment};
use nakhoda_client::{Change, Informer, Key, Outcome, Patch, Reconcile, Recorder, Resource, Result};
use parking_lot::Mutex;
use serde_json::json;

use crate::context::{Context, Watches};
use crate::nodes::{BY_NODE, by_node};
use crate::pod_control::exactly;
use crate::volumes::by_claim;

pub mod plan;
pub mod wanted;

use plan::{Memory, Plan, View, plan};
use wanted::Caches;

const NAME: &str = "attach_detach";
const WORKERS: usize = 5;
/// The index of pods by claim, `namespace/name`.
const BY_CLAIM: &str = "claim";
/// The index of attachments by volume.
const BY_VOLUME: &str = "volume";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (nodes, pods) = (cx.informers.of::<Node>(), cx.informers.of::<Pod>());
    let (claims, volumes) = (cx.informers.of::<PersistentVolumeClaim>(), cx.informers.of::<PersistentVolume>());
    let (drivers, attachments) = (cx.informers.of::<CSIDriver>(), cx.informers.of::<VolumeAttachment>());
    pods.add_index(BY_NODE, by_node);
    pods.add_index(BY_CLAIM, by_claim);
    attachments.add_index(BY_NODE, |attachment| vec![attachment.spec.node_name.clone()]);
    attachments.add_index(BY_VOLUME, |attachment| attachment.spec.source.persistent_volume_name.iter().cloned().collect());
    let mut watches = Watches::new(cx, NAME);
    watches.on(&nodes, |node: &Node| vec![Key::of(node)]);
    watches.on(&pods, |pod: &Pod| if by_claim(pod).is_empty() { Vec::new() } else { keys(by_node(pod)) });
    let users = pods.clone();
    watches.on(&claims, move |claim: &PersistentVolumeClaim| near(&users, &Key::of(claim)));
    let users = pods.clone();
    watches.on(&volumes, move |volume: &PersistentVolume| near_volume(&users, volume));
    let (users, all) = (pods.clone(), volumes.clone());
    watches.on(&attachments, move |attachment: &VolumeAttachment| concerned(&users, &all, attachment));
    let all = nodes.clone();
    watches.on_change(&drivers, move |change| changed(&all, change));
    let caches = Caches { pods, claims, volumes, drivers, attachments };
    let recorder = cx.recorder("attachdetach-controller");
    watches.run(WORKERS, AttachDetach { cx: cx.clone(), nodes, caches, recorder, memories: Mutex::default() });
}

struct AttachDetach {
    cx: Context,
    nodes: Informer<Node>,
    caches: Caches,
    recorder: Recorder,
    memories: Mutex<BTreeMap<String, Memory>>,
}

// === impl AttachDetach ===

impl Reconcile for AttachDetach {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let node = self.nodes.get(key);
        let attachments = self.caches.attachments(&key.name);
        if attachments.is_empty() && !node.as_deref().is_some_and(plan::is_managed) {
            self.memories.lock().remove(&key.name);
            return Ok(Outcome::Done);
        }
        let view = View { node: node.as_deref(), wanted: self.caches.wanted(&key.name), attachments };
        let plan = {
            let mut memories = self.memories.lock();
            plan(&view, memories.entry(key.name.clone()).or_default(), crate::clock::now())
        };
        let again = plan.again.map(|wait| Duration::try_from(wait).unwrap_or_default());
        self.execute(&key.name, plan).await?;
        Ok(again.map_or(Outcome::Done, Outcome::After))
    }
}

impl AttachDetach {
    /// What is to be detached is no longer told as attached before it is; a kubelet must not mount it any more.
    async fn execute(&self, node: &str, plan: Plan) -> Result<()> {
        if let Some(attached) = plan.report {
            let patch = Patch::merge(&json!({"status": {"volumesAttached": attached}}));
            match self.cx.client.all::<Node>().patch_sub::<Node>(node, "status", &patch).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        let api = self.cx.client.all::<VolumeAttachment>();
        for attachment in plan.detach {
            match api.delete(attachment.name(), &exactly(&*attachment)).await {
                Err(error) if !error.is_not_found() && !error.is_conflict() => return Err(error),
                _ => {}
            }
        }
        for (pod, told) in plan.told {
            told.about(&*pod, &self.recorder);
        }
        for volume in plan.attach {
            match api.create(&volume.attachment(node)).await {
                Err(error) if !error.is_already_exists() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn keys(nodes: Vec<String>) -> Vec<Key> {
    nodes.into_iter().map(|node| Key::new("", &node)).collect()
}

/// The nodes of the pods that use a claim.
fn near(pods: &Informer<Pod>, claim: &Key) -> Vec<Key> {
    let pods = pods.by_index(BY_CLAIM, &claim.to_string());
    pods.iter().flat_map(|pod| keys(by_node(pod))).collect()
}

fn near_volume(pods: &Informer<Pod>, volume: &PersistentVolume) -> Vec<Key> {
    let claim = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    let key = |claim: &nakhoda_api::kinds::core::ObjectReference| {
        Some(Key::new(claim.namespace.as_deref()?, claim.name.as_deref()?))
    };
    claim.and_then(key).map(|claim| near(pods, &claim)).unwrap_or_default()
}

/// The node of an attachment, and those that wait for its volume.
fn concerned(pods: &Informer<Pod>, volumes: &Informer<PersistentVolume>, attachment: &VolumeAttachment) -> Vec<Key> {
    let mut all = keys(vec![attachment.spec.node_name.clone()]);
    let volume = attachment.spec.source.persistent_volume_name.as_ref().and_then(|name| volumes.get(&Key::new("", name)));
    all.extend(volume.into_iter().flat_map(|volume| near_volume(pods, &volume)));
    all
}

/// All nodes, if a driver attaches otherwise than before.
fn changed(nodes: &Informer<Node>, change: &Change<CSIDriver>) -> Vec<Key> {
    let all = || nodes.list().iter().map(|node| Key::of(&**node)).collect();
    match change {
        Change::Updated { old, new } if wanted::attaches(Some(old)) == wanted::attaches(Some(new)) => Vec::new(),
        Change::Added(driver) | Change::Deleted(driver) if wanted::attaches(Some(driver)) => Vec::new(),
        Change::Updated { .. } | Change::Added(_) | Change::Deleted(_) => all(),
    }
}

/// The attachment of a volume, as its name says.
fn attachment_name(handle: &str, driver: &str, node: &str) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(format!("{handle}{driver}{node}"));
    digest.iter().fold("csi-".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}
