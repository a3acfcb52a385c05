//! Deletes the data of released volumes by a pod on their node, and then the volumes.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nakhoda_api::kinds::core::{Node, PersistentVolume, Pod};
use nakhoda_client::{Client, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result};

use super::build::{self, PROVISIONER_NAME};
use crate::context::{Context, Watches};
use crate::controllers::job::pod::finished_at;
use crate::controllers::persistent_volume::volume::{PROVISIONED_BY, annotation, deletes, phase};
use crate::pod_control::exactly;
use crate::pods;
use crate::told::Told;

const NAME: &str = "local_path_removal";
/// The pause before a failed removal is tried again.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// What to do about a released volume.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// Make the pod that deletes its data.
    Start(Box<Pod>),
    /// The pod works, or a failed one is left for people to see for so long.
    Wait(Option<SignedDuration>),
    /// The data is gone, or its node is: so goes the volume.
    Finish,
    /// The pod failed.
    Retry(Arc<Pod>),
}

/// Starts the controller.
pub fn start(cx: &Context, recorder: Recorder) {
    let (volumes, pods) = (cx.informers.of::<PersistentVolume>(), cx.informers.of::<Pod>());
    let nodes = cx.informers.of::<Node>();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&volumes, |volume: &PersistentVolume| if is_ours(volume) { vec![Key::of(volume)] } else { vec![] });
    watches.on(&pods, |pod: &Pod| {
        let owner = pod.controller().filter(|o| o.kind == "PersistentVolume");
        owner.map(|o| Key::new("", &o.name)).into_iter().collect()
    });
    watches.reads(&nodes);
    let image = cx.options.local_path_image.clone();
    watches.run(2, Removal { client: cx.client.clone(), recorder, volumes, pods, nodes, image });
}

struct Removal {
    client: Client,
    recorder: Recorder,
    volumes: Informer<PersistentVolume>,
    pods: Informer<Pod>,
    nodes: Informer<Node>,
    image: String,
}

// === impl Removal ===

impl Reconcile for Removal {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(volume) = self.volumes.get(key).filter(|v| is_ours(v)) else { return Ok(Outcome::Done) };
        match self.plan(&volume, crate::clock::now()) {
            Step::Wait(None) => {}
            Step::Wait(Some(wait)) => return Ok(Outcome::After(Duration::try_from(wait).unwrap_or_default())),
            Step::Start(pod) => match self.client.namespaced::<Pod>(pod.namespace()).create(&pod).await {
                Err(error) if !error.is_already_exists() => return Err(error),
                _ => {}
            },
            Step::Finish => match self.client.all::<PersistentVolume>().delete(volume.name(), &exactly(&*volume)).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            },
            Step::Retry(pod) => {
                let message = format!("pod {} could not delete the data; trying again", Key::of(&*pod));
                Told::warning("VolumeFailedDelete", message).about(&*volume, &self.recorder);
                match self.client.namespaced::<Pod>(pod.namespace()).delete(pod.name(), &exactly(&*pod)).await {
                    Err(error) if !error.is_not_found() => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(Outcome::Done)
    }
}

impl Removal {
    fn plan(&self, volume: &PersistentVolume, now: Timestamp) -> Step {
        let Some((host, path)) = build::place(volume) else { return Step::Finish };
        let Some(node) = self.nodes.list().into_iter().find(|n| build::host(n) == host) else { return Step::Finish };
        let Some(pod) = build::remover(volume, node.name(), path, &self.image) else { return Step::Finish };
        match self.pods.get(&Key::of(&pod)) {
            None => Step::Start(Box::new(pod)),
            Some(pod) => match pods::phase(&pod) {
                "Succeeded" => Step::Finish,
                "Failed" => {
                    let left = PAUSE - now.duration_since(finished_at(&pod));
                    if left.is_positive() { Step::Wait(Some(left)) } else { Step::Retry(pod) }
                }
                _ => Step::Wait(None),
            },
        }
    }
}

/// Whether the volume was made here and is to go.
fn is_ours(volume: &PersistentVolume) -> bool {
    annotation(volume, PROVISIONED_BY) == Some(PROVISIONER_NAME)
        && deletes(volume)
        && phase(volume) == "Released"
        && !volume.is_terminating()
}
