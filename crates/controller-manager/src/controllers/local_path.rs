//! Volumes out of directories of nodes: `local-path` is the default class of a cluster that brings none.
//!
//! A volume is made where the claim's first pod was placed. Its directory is made by the kubelet when
//! it mounts it; the data of a released one is deleted by a pod on its node. Directories belong to root
//! and can be written by all. Absent: quotas (a claim's size is not enforced), and moving to other nodes.

use std::sync::Arc;

use nakhoda_api::claims::{SELECTED_NODE, class_of_claim};
use nakhoda_api::kinds::core::{Node, PersistentVolume, PersistentVolumeClaim};
use nakhoda_api::kinds::storage::StorageClass;
use nakhoda_client::{Client, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result};

use super::persistent_volume::act::PROVISIONER;
use super::persistent_volume::claim::volume_name;
use crate::context::{Context, Watches};
use crate::told::Told;

pub mod build;
pub mod remove;

const NAME: &str = "local_path";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (claims, classes) = (cx.informers.of::<PersistentVolumeClaim>(), cx.informers.of::<StorageClass>());
    let nodes = cx.informers.of::<Node>();
    let recorder = cx.recorder(build::PROVISIONER_NAME);
    let mut watches = Watches::new(cx, NAME);
    watches.on(&claims, |claim: &PersistentVolumeClaim| if is_ours(claim) { vec![Key::of(claim)] } else { vec![] });
    watches.reads(&classes);
    watches.reads(&nodes);
    watches.queue().add(default_class());
    let root = cx.options.local_path.clone();
    watches.run(1, Provisioner { client: cx.client.clone(), recorder: recorder.clone(), claims, classes, nodes, root });
    remove::start(cx, recorder);
}

struct Provisioner {
    client: Client,
    recorder: Recorder,
    claims: Informer<PersistentVolumeClaim>,
    classes: Informer<StorageClass>,
    nodes: Informer<Node>,
    root: String,
}

// === impl Provisioner ===

impl Reconcile for Provisioner {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        if *key == default_class() {
            self.offer_default().await?;
            return Ok(Outcome::Done);
        }
        if let Some(claim) = self.claims.get(key).filter(|c| is_ours(c)) {
            self.provision(&claim).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Provisioner {
    /// Makes the class if there is none at all. One that a person deletes is not made again in this term.
    async fn offer_default(&self) -> Result<()> {
        if !self.classes.list().is_empty() {
            return Ok(());
        }
        match self.client.all::<StorageClass>().create(&build::class()).await {
            Err(error) if !error.is_already_exists() => Err(error),
            _ => Ok(()),
        }
    }

    async fn provision(&self, claim: &Arc<PersistentVolumeClaim>) -> Result<()> {
        let Some(class) = self.classes.get(&Key::new("", class_of_claim(claim))) else { return Ok(()) };
        if class.provisioner != build::PROVISIONER_NAME {
            return Ok(());
        }
        let chosen = claim.metadata.annotations.as_ref().and_then(|a| a.get(SELECTED_NODE));
        let Some(node) = chosen.and_then(|name| self.nodes.get(&Key::new("", name))) else {
            let text = "configuration error, no node was specified";
            let message = format!("failed to provision volume with StorageClass {:?}: {text}", class.name());
            Told::warning("ProvisioningFailed", message).about(&**claim, &self.recorder);
            return Ok(());
        };
        let volume = build::volume(claim, &class, &node, &self.root);
        match self.client.all::<PersistentVolume>().create(&volume).await {
            Err(error) if error.is_already_exists() => Ok(()),
            Err(error) => {
                let message = format!("failed to provision volume with StorageClass {:?}: {error}", class.name());
                Told::warning("ProvisioningFailed", message).about(&**claim, &self.recorder);
                Err(error)
            }
            Ok(_) => {
                let message = format!("Successfully provisioned volume {}", volume.name());
                Told::normal("ProvisioningSucceeded", message).about(&**claim, &self.recorder);
                Ok(())
            }
        }
    }
}

/// Whether the binder waits for us.
fn is_ours(claim: &PersistentVolumeClaim) -> bool {
    let asked = claim.metadata.annotations.as_ref().and_then(|a| a.get(PROVISIONER[0]));
    let ours = asked.is_some_and(|name| name == build::PROVISIONER_NAME);
    ours && volume_name(claim).is_none() && !claim.is_terminating()
}

/// The key under which the default class is looked after; no claim is of no namespace.
fn default_class() -> Key {
    Key::new("", build::CLASS)
}
