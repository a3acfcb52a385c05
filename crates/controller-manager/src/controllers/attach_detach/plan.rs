//! What to attach to a node and to detach from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::{AttachedVolume, Node, Pod};
use nakhoda_api::kinds::storage::VolumeAttachment;
use nakhoda_client::Resource;

use super::attachment_name;
use super::wanted::{Attachment, Volume, Wanted};
use crate::nodes::is_ready;
use crate::taints;
use crate::told::Told;

/// After this long a node that is not ready is believed to use a volume no more.
const PATIENCE: SignedDuration = SignedDuration::from_secs(360);
/// A little later, so that it is over for certain.
const SLACK: SignedDuration = SignedDuration::from_millis(100);
/// The annotation of a kubelet that leaves attaching to this controller.
const MANAGED: &str = "volumes.kubernetes.io/controller-managed-attach-detach";
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";
const ATTACHED: &str = "SuccessfulAttachVolume";
const FAILED: &str = "FailedAttachVolume";

/// What is known of a node.
pub struct View<'a> {
    /// The node, unless it is gone.
    pub node: Option<&'a Node>,
    /// What its pods need.
    pub wanted: Vec<Wanted>,
    /// What is attached to it, or about to be.
    pub attachments: Vec<Attachment>,
}

/// What is remembered of a node, by the name of the attachment (and a pod).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Since when nobody needs a volume.
    unneeded: BTreeMap<String, Timestamp>,
    /// What people were told last.
    told: BTreeMap<String, String>,
}

/// What to do.
#[derive(Debug, Default)]
pub struct Plan {
    /// What the node's status is to tell, if that is news.
    pub report: Option<Vec<AttachedVolume>>,
    /// Attachments to delete.
    pub detach: Vec<Arc<VolumeAttachment>>,
    /// Volumes to attach.
    pub attach: Vec<Volume>,
    /// What to tell of pods.
    pub told: Vec<(Arc<Pod>, Told)>,
    /// When to look again though nothing happens.
    pub again: Option<SignedDuration>,
}

/// Looks at a node.
#[must_use]
pub fn plan(view: &View<'_>, memory: &mut Memory, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let node = view.node.map(Resource::name).unwrap_or_default();
    let managed = view.node.filter(|node| is_managed(node));
    let wanted: BTreeMap<String, &Wanted> = view
        .wanted
        .iter()
        .filter(|_| managed.is_some())
        .map(|wanted| (attachment_name(&wanted.volume.handle, &wanted.volume.driver, node), wanted))
        .collect();
    memory.keep(view, &wanted);
    let mut attached = Vec::new();
    for attachment in &view.attachments {
        let name = attachment.object.name();
        if let Some(wanted) = wanted.get(name) {
            memory.unneeded.remove(name);
            plan.tell_progress(wanted, attachment, managed, memory);
        } else if attachment.object.spec.source.persistent_volume_name.is_some() && !attachment.object.is_terminating() {
            let since = *memory.unneeded.entry(name.to_owned()).or_insert(now);
            let waits = leaves(attachment, view.node, now.duration_since(since));
            if waits.is_none() {
                plan.detach.push(attachment.object.clone());
            }
            plan.again = plan.again.into_iter().chain(waits.filter(|wait| *wait != SignedDuration::MAX)).min();
        }
        let leaving = plan.detach.last().is_some_and(|last| last.name() == name);
        attached.extend(attachment.volume.clone().filter(|_| is_attached(&attachment.object) && !leaving));
    }
    for (name, wanted) in &wanted {
        if !view.attachments.iter().any(|attachment| attachment.object.name() == name) {
            plan.attach(name, wanted, memory);
        }
    }
    attached.sort();
    plan.report = managed.filter(|node| told(node) != attached).map(|_| report(attached));
    plan
}

// === impl Memory ===

impl Memory {
    /// Forgets what is no more.
    fn keep(&mut self, view: &View<'_>, wanted: &BTreeMap<String, &Wanted>) {
        self.unneeded.retain(|name, _| view.attachments.iter().any(|attachment| attachment.object.name() == name));
        self.told.retain(|name, _| name.split('/').next().is_some_and(|name| wanted.contains_key(name)));
    }

    /// Whether this is news, which it is not the next time.
    fn is_news(&mut self, name: &str, text: &str) -> bool {
        self.told.insert(name.to_owned(), text.to_owned()).as_deref() != Some(text)
    }
}

// === impl Plan ===

impl Plan {
    fn attach(&mut self, name: &str, wanted: &Wanted, memory: &mut Memory) {
        if !wanted.volume.exclusive || !wanted.taken {
            return self.attach.push(wanted.volume.clone());
        }
        for pod in &wanted.pods {
            let why = blocked(pod, &wanted.others);
            let message = format!("Multi-Attach error for volume {:?} {why}", wanted.volume.name);
            if memory.is_news(&format!("{name}/{}", pod.uid()), &message) {
                self.told.push((pod.clone(), Told::warning(FAILED, message)));
            }
        }
    }

    fn tell_progress(&mut self, wanted: &Wanted, attachment: &Attachment, node: Option<&Node>, memory: &mut Memory) {
        let about = |told: Told| wanted.pods.iter().map(move |pod| (pod.clone(), told.clone()));
        let volume = &wanted.volume.name;
        if is_attached(&attachment.object) {
            let known = node.is_some_and(|node| told(node).iter().any(|told| Some(told) == attachment.volume.as_ref()));
            if !known && memory.is_news(attachment.object.name(), ATTACHED) {
                self.told.extend(about(Told::normal(ATTACHED, format!("AttachVolume.Attach succeeded for volume {volume:?} "))));
            }
            return;
        }
        let error = attachment.object.status.as_ref().and_then(|status| status.attach_error.as_ref()?.message.clone());
        if let Some(error) = error
            && memory.is_news(attachment.object.name(), &error)
        {
            let message = format!("AttachVolume.Attach failed for volume {volume:?} : {error}");
            self.told.extend(about(Told::warning(FAILED, message)));
        }
    }
}

/// Whether a node's kubelet leaves attaching to this controller.
#[must_use]
pub fn is_managed(node: &Node) -> bool {
    node.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(MANAGED))
}

/// How long a volume that nobody needs stays: nothing if it may go now, the longest time if that depends on news.
fn leaves(attachment: &Attachment, node: Option<&Node>, unneeded: SignedDuration) -> Option<SignedDuration> {
    let out_of_service = |node: &Node| taints::of(node).iter().any(|taint| taint.key == OUT_OF_SERVICE);
    let in_use = match node {
        Some(node) => is_in_use(node, attachment.volume.as_deref()) && !out_of_service(node),
        // Nobody can say what a node that is gone still does.
        None => true,
    };
    match (in_use, node.is_some_and(is_ready)) {
        (false, _) => None,
        (true, true) => Some(SignedDuration::MAX),
        (true, false) if unneeded > PATIENCE => None,
        (true, false) => Some(PATIENCE - unneeded + SLACK),
    }
}

fn is_in_use(node: &Node, volume: Option<&str>) -> bool {
    let in_use = node.status.as_ref().and_then(|status| status.volumes_in_use.as_ref());
    in_use.into_iter().flatten().any(|name| Some(name.as_str()) == volume)
}

fn is_attached(attachment: &VolumeAttachment) -> bool {
    !attachment.is_terminating() && attachment.status.as_ref().is_some_and(|status| status.attached)
}

/// What the node's status tells, in order.
fn told(node: &Node) -> Vec<String> {
    let all = node.status.as_ref().and_then(|status| status.volumes_attached.as_ref());
    let mut names: Vec<String> = all.into_iter().flatten().map(|attached| attached.name.clone()).collect();
    names.sort();
    names
}

fn report(names: Vec<String>) -> Vec<AttachedVolume> {
    names.into_iter().map(|name| AttachedVolume { name, device_path: String::new() }).collect()
}

/// Why a volume cannot be attached for a pod; names of other namespaces are not told.
fn blocked(pod: &Pod, others: &[Arc<Pod>]) -> String {
    let (own, foreign): (Vec<_>, Vec<_>) = others.iter().partition(|other| other.namespace() == pod.namespace());
    let names = own.iter().map(|other| other.name()).collect::<Vec<_>>().join(", ");
    match (own.is_empty(), foreign.len()) {
        (true, 0) => "Volume is already exclusively attached to one node and can't be attached to another".into(),
        (true, count) => format!("Volume is already used by {count} pod(s) in different namespaces"),
        (false, 0) => format!("Volume is already used by pod(s) {names}"),
        (false, count) => format!("Volume is already used by pod(s) {names} and {count} pod(s) in different namespaces"),
    }
}

#[cfg(test)]
mod tests;
