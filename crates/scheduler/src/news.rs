//! [`News`]: all that the engine hears, in one channel.

use nakhoda_api::kinds::batch::Job;
use nakhoda_api::kinds::core::{Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod};
use nakhoda_api::kinds::policy::PodDisruptionBudget;
use nakhoda_api::kinds::pressure::NodePressure;
use nakhoda_api::kinds::resource::{DeviceClass, DeviceTaintRule, ResourceClaim, ResourceSlice};
use nakhoda_api::kinds::scheduling_v1beta1::PodGroup;
use nakhoda_api::kinds::storage::{CSINode, StorageClass};
use nakhoda_client::{Change, Informer, Resource};
use nakhoda_daemon::Tasks;
use tokio::sync::mpsc;

use crate::act::Bound;

/// One piece of news.
#[derive(Debug)]
pub enum News {
    /// Of a node.
    Node(Change<Node>),
    /// Of a namespace.
    Namespace(Change<Namespace>),
    /// Of a pod.
    Pod(Change<Pod>),
    /// Of a disruption budget.
    Budget(Change<PodDisruptionBudget>),
    /// Of a volume.
    Volume(Change<PersistentVolume>),
    /// Of a claim.
    Claim(Change<PersistentVolumeClaim>),
    /// Of a storage class.
    Class(Change<StorageClass>),
    /// Of what a node can attach.
    Limits(Change<CSINode>),
    /// Of a group of pods.
    Group(Change<PodGroup>),
    /// Of a job.
    Job(Change<Job>),
    /// Of a claim to devices.
    DeviceClaim(Change<ResourceClaim>),
    /// Of devices.
    Slice(Change<ResourceSlice>),
    /// Of a class of devices.
    DeviceClass(Change<DeviceClass>),
    /// Of a rule that taints devices.
    TaintRule(Change<DeviceTaintRule>),
    /// Of where tasks are stalled.
    Pressure(Change<NodePressure>),
    /// How a binding went.
    Bound(Bound),
}

/// Passes on what an informer tells, from what there is now on.
pub fn feed<K: Resource>(
    tasks: &Tasks,
    name: &'static str,
    informer: &Informer<K>,
    news: &mpsc::UnboundedSender<News>,
    wrap: impl Fn(Change<K>) -> News + Send + 'static,
) {
    let (mut changes, news) = (informer.subscribe(), news.clone());
    tasks.spawn(name, async move {
        while let Some(change) = changes.recv().await {
            // The engine is gone only when the process ends.
            if news.send(wrap(change)).is_err() {
                return;
            }
        }
    });
}
