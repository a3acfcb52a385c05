//! Writes what was decided on into ResourceClaims: the devices, and that a pod uses them.

use nakhoda_api::kinds::resource::{AllocationResult, ResourceClaim, ResourceClaimConsumerReference};
use nakhoda_client::{Client, Key, Patch, Resource};
use serde_json::json;

use super::BindError;
use crate::devices::allocation;
use crate::pod::PodInfo;

/// Keeps a claim that has devices until they are given back.
const FINALIZER: &str = "resource.kubernetes.io/delete-protection";
/// So often a claim is read again that others write, too.
const TRIES: usize = 5;

/// Reserves a claim for a pod, with devices if it has none yet.
pub(super) async fn reserve(
    client: &Client,
    pod: &PodInfo,
    key: &Key,
    decided: Option<&AllocationResult>,
) -> Result<(), BindError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match attempt(client, pod, key, decided).await {
            Err(BindError::Api(error)) if error.is_conflict() && tries < TRIES => {}
            outcome => return outcome,
        }
    }
}

async fn attempt(
    client: &Client,
    pod: &PodInfo,
    key: &Key,
    decided: Option<&AllocationResult>,
) -> Result<(), BindError> {
    let api = client.namespaced::<ResourceClaim>(&key.namespace);
    let mut claim = api.get(&key.name).await?;
    if allocation(&claim).is_none() && decided.is_none() {
        return Err(BindError::Deallocated(key.clone()));
    }
    if let (Some(there), Some(decided)) = (allocation(&claim), decided)
        && there != decided
    {
        return Err(BindError::OtherDevices(key.clone()));
    }
    if !claim.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER) {
        let mut finalizers = claim.metadata.finalizers.clone().unwrap_or_default();
        finalizers.push(FINALIZER.into());
        let version = &claim.metadata.resource_version;
        let patch = json!({"metadata": {"uid": claim.uid(), "resourceVersion": version, "finalizers": finalizers}});
        claim = api.patch(&key.name, &Patch::merge(&patch)).await?;
    }
    let status = claim.status.clone().unwrap_or_default();
    let mut users = status.reserved_for.unwrap_or_default();
    if users.iter().any(|user| user.uid == pod.uid) {
        return Ok(());
    }
    users.push(ResourceClaimConsumerReference {
        api_group: None,
        resource: "pods".into(),
        name: pod.key.name.clone(),
        uid: pod.uid.clone(),
    });
    let version = &claim.metadata.resource_version;
    let mut patch =
        json!({"metadata": {"uid": claim.uid(), "resourceVersion": version}, "status": {"reservedFor": users}});
    if let (None, Some(decided)) = (&status.allocation, decided) {
        patch["status"]["allocation"] = json!(decided);
    }
    api.patch_sub::<ResourceClaim>(&key.name, "status", &Patch::merge(&patch)).await?;
    Ok(())
}
