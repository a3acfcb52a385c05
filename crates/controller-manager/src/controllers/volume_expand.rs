//! Claims that ask for more than their volume has: people are told that whoever provides the volume has to
//! enlarge it.
//!
//! No volume that is enlarged from here is left in Kubernetes: drivers have their resizers, and the other
//! types, `hostPath` and `local` among them, have nobody. Nor can volumes of the class local-path grow: it does not
//! allow expansion, because the size of a directory is not enforced.

use nakhoda_api::kinds;
use nakhoda_api::kinds::core::{PersistentVolume, PersistentVolumeClaim};
use nakhoda_api::quantity::Quantity;
use nakhoda_client::{Change, Client, EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};

use crate::context::{Context, Watches};

const NAME: &str = "volume_expand";
const STORAGE: &str = "storage";
/// What the size was before a resizer began.
const BEFORE: &str = "volume.alpha.kubernetes.io/pre-resize-capacity";
const REASON: &str = "ExternalExpanding";
const MESSAGE: &str = "waiting for an external controller to expand this PVC";

/// Starts the controller.
pub fn start(cx: &Context) {
    let claims = cx.informers.of::<PersistentVolumeClaim>();
    let mut watches = Watches::new(cx, NAME);
    watches.on_change(&claims, grown);
    let recorder = cx.recorder(NAME);
    watches.run(1, Expansion { client: cx.client.clone(), recorder, claims });
}

struct Expansion {
    client: Client,
    recorder: Recorder,
    claims: Informer<PersistentVolumeClaim>,
}

// === impl Expansion ===

impl Reconcile for Expansion {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(claim) = self.claims.get(key) else { return Ok(Outcome::Done) };
        let Some(name) = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()) else {
            return Ok(Outcome::Done);
        };
        let volume = match self.client.all::<PersistentVolume>().get(name).await {
            Ok(volume) => volume,
            // The binder tells of that.
            Err(error) if error.is_not_found() => return Ok(Outcome::Done),
            Err(error) => return Err(error),
        };
        if waits(&claim, &volume) {
            self.recorder.event(&reference(&*claim), EventType::Normal, REASON, MESSAGE);
        }
        Ok(Outcome::Done)
    }
}

/// Whether somebody has to enlarge the volume for the claim, or has begun to.
fn waits(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> bool {
    let held = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    let bound = held.is_some_and(|held| held.uid.as_deref() == Some(claim.uid()));
    let begun = volume.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(BEFORE));
    bound && (asked(claim) > has(claim) || begun)
}

/// Claims that ask for more than before or have got more; all bound ones at the start.
fn grown(change: &Change<PersistentVolumeClaim>) -> Vec<Key> {
    let bound = change.object().status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound");
    let news = match change {
        Change::Updated { old, new } => asked(new) > asked(old) || has(new) > has(old),
        Change::Added(_) => true,
        Change::Deleted(_) => false,
    };
    if bound && news { vec![change.key()] } else { Vec::new() }
}

fn asked(claim: &PersistentVolumeClaim) -> Quantity {
    let requests = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
    size(requests.and_then(|all| all.get(STORAGE)))
}

fn has(claim: &PersistentVolumeClaim) -> Quantity {
    size(claim.status.as_ref().and_then(|status| status.capacity.as_ref()?.get(STORAGE)))
}

/// Nothing, if it is not told or cannot be read.
fn size(quantity: Option<&kinds::Quantity>) -> Quantity {
    quantity.and_then(|quantity| quantity.try_into().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn claim(asked: &str, has: &str) -> Arc<PersistentVolumeClaim> {
        let value = json!({
            "metadata": {"name": "c", "namespace": "a", "uid": "u"},
            "spec": {"volumeName": "v", "resources": {"requests": {"storage": asked}}},
            "status": {"phase": "Bound", "capacity": {"storage": has}},
        });
        Arc::new(serde_json::from_value(value).expect("a claim"))
    }

    fn volume(uid: &str, begun: bool) -> PersistentVolume {
        let annotations = if begun { json!({BEFORE: "1Gi"}) } else { json!({}) };
        let value = json!({"metadata": {"name": "v", "annotations": annotations}, "spec": {"claimRef": {"uid": uid}}});
        serde_json::from_value(value).expect("a volume")
    }

    #[test]
    fn a_claim_waits_for_its_volume_to_grow_while_it_asks_for_more() {
        for (asked, has, uid, begun, expected) in [
            ("2Gi", "1Gi", "u", false, true),
            ("1Gi", "1Gi", "u", false, false),
            ("1024Mi", "1Gi", "u", false, false),
            ("1Gi", "1Gi", "u", true, true),
            ("2Gi", "1Gi", "another", false, false),
        ] {
            assert_eq!(waits(&claim(asked, has), &volume(uid, begun)), expected, "{asked} {has} {uid} {begun}");
        }
    }

    #[test]
    fn only_growth_is_news() {
        let changed = |old, new| grown(&Change::Updated { old, new }).len();
        assert_eq!(changed(claim("1Gi", "1Gi"), claim("2Gi", "1Gi")), 1);
        assert_eq!(changed(claim("2Gi", "1Gi"), claim("2Gi", "2Gi")), 1);
        assert_eq!(changed(claim("2Gi", "1Gi"), claim("1Gi", "1Gi")), 0);
        assert_eq!(grown(&Change::Added(claim("1Gi", "1Gi"))).len(), 1);
        assert_eq!(grown(&Change::Deleted(claim("1Gi", "1Gi"))).len(), 0);
    }
}
