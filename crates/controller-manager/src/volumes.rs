//! What controllers ask about pods and their claims.

use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod, Volume};
use nakhoda_client::Resource;

/// The volumes of a pod.
pub fn of(pod: &Pod) -> impl Iterator<Item = &Volume> {
    pod.spec.iter().flat_map(|s| s.volumes.iter().flatten())
}

/// The name of the claim that a volume of a pod uses, also of one that is made for it.
#[must_use]
pub fn claim_name(pod: &Pod, volume: &Volume) -> Option<String> {
    if let Some(claim) = &volume.persistent_volume_claim {
        return Some(claim.claim_name.clone());
    }
    volume.ephemeral.as_ref().map(|_| ephemeral_name(pod, volume))
}

/// The name of the claim that is made for a volume.
#[must_use]
pub fn ephemeral_name(pod: &Pod, volume: &Volume) -> String {
    format!("{}-{}", pod.name(), volume.name)
}

/// Whether a claim was made for a pod.
#[must_use]
pub fn is_for(claim: &PersistentVolumeClaim, pod: &Pod) -> bool {
    claim.controller().is_some_and(|o| o.uid == pod.uid())
}

/// The claims of a pod as an index lists them: `namespace/name`.
#[must_use]
pub fn by_claim(pod: &Pod) -> Vec<String> {
    of(pod).filter_map(|v| claim_name(pod, v)).map(|name| format!("{}/{name}", pod.namespace())).collect()
}
