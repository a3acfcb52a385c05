//! Binding: first what the pod needs at its node ([`Step`]), then the pod itself.

use std::sync::Arc;
use std::time::Duration;

use nakhoda_api::claims::{BOUND_BY_CONTROLLER, SELECTED_NODE};
use nakhoda_api::kinds::core::{Binding, ObjectReference, PersistentVolume, PersistentVolumeClaim, Pod};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_client::{Api, Change, Client, Error, Informer, Key, Patch, Resource, reference};
use serde_json::{Value, json};

use crate::framework::Step;
use crate::pod::PodInfo;

/// How often a pod is looked at whose binding may or may not have been done.
const LOOKS: u32 = 10;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Why a pod was not bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The API server refused a write.
    #[error("{0}")]
    Api(#[from] Error),
    /// A claim went away meanwhile.
    #[error("persistentvolumeclaim \"{0}\" is gone")]
    ClaimGone(Key),
    /// Whoever makes volumes says that it cannot be made at this node: another has to be found.
    #[error("provisioning failed for PVC \"{0}\"")]
    NotProvisioned(Key),
    /// A ResourceClaim has lost its devices since.
    #[error("resourceclaim \"{0}\" got deallocated elsewhere in the meantime")]
    Deallocated(Key),
    /// A ResourceClaim has got other devices since.
    #[error("resourceclaim \"{0}\" got allocated elsewhere in the meantime")]
    OtherDevices(Key),
    /// Nobody bound the claims in time.
    #[error("timed out waiting for the volumes of the pod to be bound")]
    TimedOut,
}

// === impl BindError ===

impl BindError {
    /// Whether the pod is gone.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_not_found())
    }
}

/// Binds a pod to a node once its steps have taken effect.
pub(super) async fn bind(
    client: &Client,
    claims: &Informer<PersistentVolumeClaim>,
    pod: &PodInfo,
    node: &str,
    steps: &[Step],
    patience: Duration,
) -> Result<(), BindError> {
    if !steps.is_empty() {
        for step in steps {
            take(client, claims, pod, step, node).await?;
        }
        let open: Vec<Key> = steps.iter().filter_map(Step::volume_claim).cloned().collect();
        if !open.is_empty() {
            let bound = settled(claims, open);
            tokio::time::timeout(patience, bound).await.map_err(|_| BindError::TimedOut)??;
        }
    }
    let binding = Binding {
        metadata: ObjectMeta {
            namespace: Some(pod.key.namespace.clone()),
            name: Some(pod.key.name.clone()),
            uid: Some(pod.uid.clone()),
            ..ObjectMeta::default()
        },
        target: ObjectReference { kind: Some("Node".into()), name: Some(node.into()), ..ObjectReference::default() },
    };
    let api = client.namespaced::<Pod>(&pod.key.namespace);
    match api.create_sub::<_, Value>(&pod.key.name, "binding", &binding).await {
        Err(error) if !error.is_not_found() => look_up(&api, pod, node, error).await,
        outcome => Ok(outcome.map(drop)?),
    }
}

/// A binding that failed may have been done all the same: its answer was lost. To take it for undone would give the
/// room at the node away twice.
async fn look_up(api: &Api<Pod>, pod: &PodInfo, node: &str, error: Error) -> Result<(), BindError> {
    for _ in 0..LOOKS {
        match api.get(&pod.key.name).await {
            Ok(found) if found.uid() != pod.uid => break,
            Ok(found) => {
                let at = found.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
                return if at == Some(node) { Ok(()) } else { Err(error.into()) };
            }
            Err(missing) if missing.is_not_found() => return Err(missing.into()),
            Err(_) => tokio::time::sleep(BETWEEN_LOOKS).await,
        }
    }
    Err(error.into())
}

async fn take(
    client: &Client,
    claims: &Informer<PersistentVolumeClaim>,
    pod: &PodInfo,
    step: &Step,
    node: &str,
) -> Result<(), BindError> {
    let volume_claim = |key: &Key| claims.get(key).ok_or_else(|| BindError::ClaimGone(key.clone()));
    match step {
        Step::Reserve { claim, allocation } => {
            super::claims::reserve(client, pod, claim, allocation.as_deref()).await?
        }
        Step::Bind { volume, claim } => {
            let claim = volume_claim(claim)?;
            let patch = json!({
                "metadata": {"annotations": {BOUND_BY_CONTROLLER: "yes"}},
                "spec": {"claimRef": reference(&*claim)},
            });
            client.all::<PersistentVolume>().patch(volume, &Patch::merge(&patch)).await?;
        }
        Step::Provision { claim } => {
            let claim = volume_claim(claim)?;
            let patch = json!({"metadata": {"uid": claim.uid(), "annotations": {SELECTED_NODE: node}}});
            let api = client.namespaced::<PersistentVolumeClaim>(claim.namespace());
            api.patch(claim.name(), &Patch::merge(&patch)).await?;
        }
    }
    Ok(())
}

/// Waits until all claims are bound, as their informer tells it.
async fn settled(claims: &Informer<PersistentVolumeClaim>, mut open: Vec<Key>) -> Result<(), BindError> {
    let mut chosen: Vec<Key> = Vec::new();
    let mut changes = claims.subscribe();
    while let Some(change) = changes.recv().await {
        let (claim, gone) = match change {
            Change::Added(claim) | Change::Updated { new: claim, .. } => (claim, false),
            Change::Deleted(claim) => (claim, true),
        };
        let key = Key::of(&*claim);
        if !open.contains(&key) {
            continue;
        }
        if gone {
            return Err(BindError::ClaimGone(key));
        }
        if is_bound(&claim) {
            open.retain(|other| *other != key);
        } else if claim.metadata.annotations.as_ref().is_some_and(|a| a.contains_key(SELECTED_NODE)) {
            chosen.push(key);
        } else if chosen.contains(&key) {
            return Err(BindError::NotProvisioned(key));
        }
        if open.is_empty() {
            return Ok(());
        }
    }
    // The informer ends only when the process does.
    Err(BindError::TimedOut)
}

fn is_bound(claim: &Arc<PersistentVolumeClaim>) -> bool {
    claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound")
}
