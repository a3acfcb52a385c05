//! Keeps claims that pods use: one that is being deleted goes once no pod on a node uses it.

use std::sync::Arc;

use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod};
use nakhoda_client::{Change, Client, Informer, Key, Outcome, Reconcile, Resource, Result, api::Selection};

use crate::context::{Context, Watches};
use crate::pods::{is_finished, node};
use crate::{finalizers, volumes};

const NAME: &str = "pvcprotection";
const FINALIZER: &str = "kubernetes.io/pvc-protection";
const BY_CLAIM: &str = "claim";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (claims, pods) = (cx.informers.of::<PersistentVolumeClaim>(), cx.informers.of::<Pod>());
    pods.add_index(BY_CLAIM, volumes::by_claim);
    let mut watches = Watches::new(cx, NAME);
    watches.on(&claims, |claim: &PersistentVolumeClaim| vec![Key::of(claim)]);
    watches.on_change(&pods, done_with);
    watches.run(2, Protection { client: cx.client.clone(), claims, pods });
}

struct Protection {
    client: Client,
    claims: Informer<PersistentVolumeClaim>,
    pods: Informer<Pod>,
}

// === impl Protection ===

impl Reconcile for Protection {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(claim) = self.claims.get(key) else { return Ok(Outcome::Done) };
        match (claim.is_terminating(), finalizers::has(&*claim, FINALIZER)) {
            (false, false) => finalizers::add(&self.client, &*claim, FINALIZER).await?,
            (true, true) if !self.is_used(&claim).await? => {
                finalizers::remove(&self.client, &*claim, FINALIZER).await?;
            }
            _ => {}
        }
        Ok(Outcome::Done)
    }
}

impl Protection {
    /// The cache may lag behind the scheduler, so that before a claim goes the pods are read live.
    async fn is_used(&self, claim: &PersistentVolumeClaim) -> Result<bool> {
        let cached: Vec<Arc<Pod>> = self.pods.by_index(BY_CLAIM, &Key::of(claim).to_string());
        if cached.iter().any(|pod| uses(pod, claim)) {
            return Ok(true);
        }
        let live = self.client.namespaced::<Pod>(claim.namespace()).list(&Selection::default()).await?;
        Ok(live.items.iter().any(|pod| uses(pod, claim)))
    }
}

/// Whether a pod on a node uses the claim; one that was made for the pod is done with once the kubelet is.
fn uses(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    let gone = pod.is_terminating() && pod.metadata.deletion_grace_period_seconds == Some(0);
    node(pod).is_some()
        && volumes::of(pod).any(|volume| {
            let named = volumes::claim_name(pod, volume).is_some_and(|name| name == claim.name());
            named && (volume.ephemeral.is_none() || (!gone && volumes::is_for(claim, pod)))
        })
}

/// The claims of a pod that is gone, has ended, or never came to a node.
fn done_with(change: &Change<Pod>) -> Vec<Key> {
    let pod = change.object();
    if !matches!(change, Change::Deleted(_)) && !is_finished(pod) && node(pod).is_some() && !pod.is_terminating() {
        return Vec::new();
    }
    let names = volumes::of(pod).filter_map(|v| volumes::claim_name(pod, v));
    names.map(|name| Key::new(pod.namespace(), name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::fixtures;
    use nakhoda_api::kinds::core::{PersistentVolumeClaimVolumeSource, Volume};

    #[test]
    fn a_claim_is_used_by_a_pod_on_a_node_only() {
        let mut claim = PersistentVolumeClaim::default();
        claim.metadata.name = Some("data".into());
        let source = PersistentVolumeClaimVolumeSource { claim_name: "data".into(), read_only: None };
        let volume = Volume { name: "v".into(), persistent_volume_claim: Some(source), ..Volume::default() };
        let mut pod = fixtures::pod("a", "10.0.0.1", true);
        pod.spec.get_or_insert_default().volumes = Some(vec![volume]);
        pod.spec.get_or_insert_default().node_name = Some("n1".into());
        assert!(uses(&pod, &claim));
        claim.metadata.name = Some("other".into());
        assert!(!uses(&pod, &claim));
        claim.metadata.name = Some("data".into());
        pod.spec.get_or_insert_default().node_name = None;
        assert!(!uses(&pod, &claim));
        assert_eq!(done_with(&Change::Added(Arc::new(pod))).len(), 1);
    }
}
