//! Claims that pods used: who is gone or done uses them no more, and what nobody uses is free again.

use nakhoda_api::kinds::core::Pod;
use nakhoda_api::kinds::meta::{DeleteOptions, Preconditions};
use nakhoda_api::kinds::resource::{ResourceClaim, ResourceClaimConsumerReference, ResourceClaimStatus};
use nakhoda_client::{Change, Client, Informer, Key, Outcome, Reconcile, Resource, Result};

use super::plan::{is_done, owning_pod};
use crate::context::{Context, Watches};

const NAME: &str = "resource_claim_release";
/// Holds a claim while devices are allocated to it.
const FINALIZER: &str = "resource.kubernetes.io/delete-protection";

/// Starts the second half of the controller.
pub(super) fn start(cx: &Context, pods: &Informer<Pod>, claims: &Informer<ResourceClaim>) {
    let mut watches = Watches::new(cx, NAME);
    watches.on(claims, |claim| vec![Key::of(claim)]);
    let all = claims.clone();
    watches.on_change(pods, move |change| freed(&all, change));
    watches.run(2, Claims { client: cx.client.clone(), pods: pods.clone(), claims: claims.clone() });
}

/// The claims of a pod that is gone or done.
fn freed(claims: &Informer<ResourceClaim>, change: &Change<Pod>) -> Vec<Key> {
    let pod = change.object();
    let has = pod.spec.as_ref().is_some_and(|s| s.resource_claims.as_ref().is_some_and(|all| !all.is_empty()));
    if !has || !(matches!(change, Change::Deleted(_)) || is_done(pod)) {
        return Vec::new();
    }
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let mine = |claim: &ResourceClaim| {
        users(claim).iter().any(|user| user.uid == uid) || claim.controller().is_some_and(|owner| owner.uid == uid)
    };
    let all = claims.in_namespace(pod.namespace());
    all.iter().filter(|claim| mine(claim)).map(|claim| Key::of(&**claim)).collect()
}

fn users(claim: &ResourceClaim) -> &[ResourceClaimConsumerReference] {
    claim.status.as_ref().and_then(|s| s.reserved_for.as_deref()).unwrap_or_default()
}

struct Claims {
    client: Client,
    pods: Informer<Pod>,
    claims: Informer<ResourceClaim>,
}

// === impl Claims ===

impl Reconcile for Claims {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, key: &Key) -> Result<Outcome> {
        let Some(claim) = self.claims.get(key) else { return Ok(Outcome::Done) };
        let mut staying = Vec::new();
        for user in users(&claim) {
            if self.uses(key, user).await? {
                staying.push(user.clone());
            }
        }
        let (api, unused) = (self.client.namespaced::<ResourceClaim>(&key.namespace), staying.is_empty());
        let mut claim = ResourceClaim::clone(&claim);
        if let Some(status) = freed_status(&claim, staying) {
            claim.status = Some(status);
            claim = api.update_status(&claim).await?;
        }
        if let Some(finalizers) = claim.metadata.finalizers.as_mut().filter(|_| unused && is_free(&claim.status)) {
            let before = finalizers.len();
            finalizers.retain(|finalizer| finalizer != FINALIZER);
            if finalizers.len() < before {
                claim = api.update(&claim).await?;
            }
        }
        if unused && !claim.is_terminating() && self.outlived(&claim) {
            let options = DeleteOptions {
                preconditions: Some(Preconditions { uid: claim.metadata.uid.clone(), resource_version: None }),
                ..DeleteOptions::default()
            };
            match api.delete(&key.name, &options).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(Outcome::Done)
    }
}

impl Claims {
    /// Whether a user is still there and not done. A cache may lag: who is not in it is looked for live.
    async fn uses(&self, claim: &Key, user: &ResourceClaimConsumerReference) -> Result<bool> {
        let group = user.api_group.as_deref().unwrap_or_default();
        if (group, user.resource.as_str()) != ("", "pods") {
            return Ok(true);
        }
        let is = |pod: &Pod| pod.metadata.uid.as_ref() == Some(&user.uid);
        if let Some(pod) = self.pods.get(&Key::new(&*claim.namespace, &*user.name)).filter(|pod| is(pod)) {
            return Ok(!is_done(&pod));
        }
        match self.client.namespaced::<Pod>(&claim.namespace).get(&user.name).await {
            Ok(pod) => Ok(is(&pod) && !is_done(&pod)),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a claim was made for a pod that has ended.
    fn outlived(&self, claim: &ResourceClaim) -> bool {
        let pod = owning_pod(claim).first().and_then(|key| self.pods.get(key));
        let owned = |pod: &Pod| claim.controller().is_some_and(|o| Some(&o.uid) == pod.metadata.uid.as_ref());
        pod.is_some_and(|pod| owned(&pod) && is_done(&pod))
    }
}

fn is_free(status: &Option<ResourceClaimStatus>) -> bool {
    status.as_ref().is_none_or(|status| status.allocation.is_none())
}

/// The status with those users that stay; without any, and with the finalizer of what the scheduler allocates, nothing
/// stays allocated. Nothing if that is how it is.
fn freed_status(claim: &ResourceClaim, staying: Vec<ResourceClaimConsumerReference>) -> Option<ResourceClaimStatus> {
    let mut status = claim.status.clone()?;
    let left = staying.len() < users(claim).len();
    let held = claim.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER);
    let ends = staying.is_empty() && held && status.allocation.is_some() && (left || claim.is_terminating());
    if ends {
        (status.allocation, status.devices) = (None, None);
    }
    status.reserved_for = (!staying.is_empty()).then_some(staying);
    (left || ends).then_some(status)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claim(value: Value) -> ResourceClaim {
        serde_json::from_value(value).expect("a claim")
    }

    #[test]
    fn what_the_last_user_leaves_is_free() {
        let user = |uid: &str| json!({"resource": "pods", "name": uid, "uid": uid});
        let used = claim(json!({"metadata": {"finalizers": [FINALIZER]}, "spec": {},
            "status": {"allocation": {}, "reservedFor": [user("a"), user("b")]}}));
        let all = users(&used).to_vec();
        assert_eq!(freed_status(&used, all.clone()), None);
        let one = freed_status(&used, all[..1].to_vec()).expect("b left");
        assert!(one.allocation.is_some() && one.reserved_for.is_some_and(|left| left.len() == 1));
        let none = freed_status(&used, Vec::new()).expect("both left");
        assert_eq!(none, ResourceClaimStatus::default());
    }

    #[test]
    fn what_nobody_uses_stays_allocated_until_it_is_deleted() {
        let idle = json!({"metadata": {"finalizers": [FINALIZER]}, "spec": {}, "status": {"allocation": {}}});
        assert_eq!(freed_status(&claim(idle.clone()), Vec::new()), None);
        let mut going = idle;
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        assert!(is_free(&freed_status(&claim(going), Vec::new())));
    }
}
