//! Keeps volumes that claims are bound to: one that is being deleted goes once it is no longer bound.

use nakhoda_api::kinds::core::PersistentVolume;
use nakhoda_client::{Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use crate::context::{Context, Watches};
use crate::finalizers;

const NAME: &str = "pvprotection";
const FINALIZER: &str = "kubernetes.io/pv-protection";

/// Starts the controller.
pub fn start(cx: &Context) {
    let volumes = cx.informers.of::<PersistentVolume>();
    let mut watches = Watches::new(cx, NAME);
    watches.on(&volumes, |volume: &PersistentVolume| vec![Key::of(volume)]);
    watches.run(1, Protection { client: cx.client.clone(), volumes });
}

struct Protection {
    client: Client,
    volumes: Informer<PersistentVolume>,
}

// === impl Protection ===

impl Reconcile for Protection {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(volume) = self.volumes.get(key) else { return Ok(Outcome::Done) };
        let bound = volume.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound");
        match (volume.is_terminating(), finalizers::has(&*volume, FINALIZER)) {
            (false, false) => finalizers::add(&self.client, &*volume, FINALIZER).await?,
            (true, true) if !bound => finalizers::remove(&self.client, &*volume, FINALIZER).await?,
            _ => {}
        }
        Ok(Outcome::Done)
    }
}
