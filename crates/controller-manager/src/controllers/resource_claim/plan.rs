//! What claims a pod needs.

use std::sync::Arc;

use nakhoda_api::kinds::core::{Pod, PodResourceClaim};
use nakhoda_api::kinds::meta::ObjectMeta;
use nakhoda_api::kinds::resource::{ResourceClaim, ResourceClaimConsumerReference, ResourceClaimTemplate};
use nakhoda_client::{Informer, Key, Resource, owner};

use crate::pods;

/// On a claim: which of its pod's claims it was made for.
const MADE_FOR: &str = "resource.kubernetes.io/pod-claim-name";
/// So much of a name is left before five random letters.
const NAME_MAX: usize = 57;
/// So many users a claim has at most.
const USERS_MAX: usize = 256;

fn wanted(pod: &Pod) -> &[PodResourceClaim] {
    pod.spec.as_ref().and_then(|s| s.resource_claims.as_deref()).unwrap_or_default()
}

/// Whether a pod may need its claims: it has some, and has not ended and can still run.
pub(super) fn runs(pod: &Pod) -> bool {
    !wanted(pod).is_empty() && !is_done(pod)
}

/// Whether a pod has no use for its claims any more.
pub(super) fn is_done(pod: &Pod) -> bool {
    pods::is_finished(pod) || (pod.is_terminating() && pods::node(pod).is_none())
}

/// The pod that a claim was made for.
pub(super) fn owning_pod(claim: &ResourceClaim) -> Vec<Key> {
    let pod = claim.controller().filter(|owner| owner.kind == "Pod" && owner.api_version == "v1");
    pod.map(|owner| Key::new(claim.namespace(), &owner.name)).into_iter().collect()
}

/// The pods that wait for a template.
pub(super) fn waiting(pods: &Informer<Pod>, template: &ResourceClaimTemplate) -> Vec<Key> {
    let names = |pod: &Pod| wanted(pod).iter().any(|w| w.resource_claim_template_name.as_deref() == Some(template.name()));
    let all = pods.in_namespace(template.namespace());
    all.iter().filter(|pod| runs(pod) && names(pod)).map(|pod| Key::of(&**pod)).collect()
}

fn is_of(claim: &ResourceClaim, pod: &Pod) -> bool {
    claim.controller().is_some_and(|owner| Some(&owner.uid) == pod.metadata.uid.as_ref())
}

/// The name of a claim that a pod's status tells: nothing if it tells none, an empty one if none is needed.
fn told<'a>(pod: &'a Pod, wanted: &str) -> Option<&'a str> {
    let statuses = pod.status.as_ref()?.resource_claim_statuses.as_deref()?;
    statuses.iter().find(|s| s.name == wanted).map(|s| s.resource_claim_name.as_deref().unwrap_or_default())
}

/// The claims to be made, with the templates to make them of.
pub(super) fn missing(pod: &Pod, claims: &[Arc<ResourceClaim>]) -> Vec<(String, String)> {
    let there = |name: &str| name.is_empty() || claims.iter().any(|c| c.name() == name && is_of(c, pod));
    let lacks = |wanted: &&PodResourceClaim| !told(pod, &wanted.name).is_some_and(there);
    let with_template = |w: &PodResourceClaim| Some((w.name.clone(), w.resource_claim_template_name.clone()?));
    wanted(pod).iter().filter(lacks).filter_map(with_template).collect()
}

/// A claim that was made already, though the pod's status does not tell.
pub(super) fn made_for<'a>(pod: &Pod, wanted: &str, claims: &'a [Arc<ResourceClaim>]) -> Option<&'a Arc<ResourceClaim>> {
    let says = |claim: &ResourceClaim| claim.metadata.annotations.as_ref().and_then(|a| a.get(MADE_FOR)).cloned();
    claims.iter().find(|claim| !claim.is_terminating() && is_of(claim, pod) && says(claim).as_deref() == Some(wanted))
}

/// A claim of a template.
pub(super) fn build(pod: &Pod, wanted: &str, template: &ResourceClaimTemplate) -> ResourceClaim {
    let spec = template.spec.clone().unwrap_or_default();
    let meta = spec.metadata.unwrap_or_default();
    let mut annotations = meta.annotations.unwrap_or_default();
    annotations.insert(MADE_FOR.into(), wanted.into());
    let mut owner = owner(pod);
    owner.block_owner_deletion = None;
    let metadata = ObjectMeta {
        generate_name: Some(prefix(pod.name(), wanted)),
        namespace: pod.metadata.namespace.clone(),
        annotations: Some(annotations),
        labels: meta.labels,
        owner_references: Some(vec![owner]),
        ..ObjectMeta::default()
    };
    ResourceClaim { metadata, spec: spec.spec, status: None }
}

/// `pod-claim-`; of what is too long, a part of both names that fits their lengths.
fn prefix(pod: &str, wanted: &str) -> String {
    let whole = format!("{pod}-{wanted}-");
    if whole.len() <= NAME_MAX {
        return whole;
    }
    let part = |name: &str| name[..name.len() * NAME_MAX / whole.len()].to_owned();
    format!("{}-{}", part(pod), part(wanted))
}

/// The claims of a pod that is on its node already, allocated but not told of it; with the pod among their users.
pub(super) fn to_reserve(pod: &Pod, claims: &[Arc<ResourceClaim>]) -> Vec<ResourceClaim> {
    if pods::node(pod).is_none() {
        return Vec::new();
    }
    let name = |w: &PodResourceClaim| w.resource_claim_name.clone().or_else(|| told(pod, &w.name).map(str::to_owned));
    let names: Vec<String> = wanted(pod).iter().filter_map(name).collect();
    let named = claims.iter().filter(|claim| names.iter().any(|name| name == claim.name()));
    named.filter_map(|claim| reserved(claim, pod)).collect()
}

fn reserved(claim: &ResourceClaim, pod: &Pod) -> Option<ResourceClaim> {
    let mut claim = claim.clone();
    let status = claim.status.as_mut().filter(|status| status.allocation.is_some())?;
    let (users, uid) = (status.reserved_for.get_or_insert_default(), pod.metadata.uid.clone().unwrap_or_default());
    if users.len() >= USERS_MAX || users.iter().any(|user| user.uid == uid) {
        return None;
    }
    users.push(ResourceClaimConsumerReference {
        api_group: None,
        resource: "pods".into(),
        name: pod.name().into(),
        uid,
    });
    Some(claim)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: Value) -> Pod {
        let pod = json!({"metadata": {"name": "p", "namespace": "a", "uid": "1"}, "status": status,
            "spec": {"containers": [], "nodeName": "n", "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "t"}]}});
        serde_json::from_value(pod).expect("a pod")
    }

    fn claim(name: &str, owner: &str) -> Arc<ResourceClaim> {
        let owner = json!([{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": owner, "controller": true}]);
        let meta = json!({"name": name, "namespace": "a", "ownerReferences": owner, "annotations": {MADE_FOR: "gpu"}});
        let claim = json!({"metadata": meta, "spec": {}, "status": {"allocation": {}}});
        Arc::new(serde_json::from_value(claim).expect("a claim"))
    }

    #[test]
    fn a_claim_is_made_unless_the_status_tells_of_one_that_is_there() {
        let told = json!({"resourceClaimStatuses": [{"name": "gpu", "resourceClaimName": "p-gpu-x"}]});
        let wants = [("gpu".to_owned(), "t".to_owned())];
        assert_eq!(missing(&pod(json!({})), &[]), wants);
        assert_eq!(missing(&pod(told.clone()), &[]), wants, "it was deleted");
        assert_eq!(missing(&pod(told.clone()), &[claim("p-gpu-x", "2")]), wants, "it is of another pod");
        assert_eq!(missing(&pod(told), &[claim("p-gpu-x", "1")]), []);
        let none = json!({"resourceClaimStatuses": [{"name": "gpu"}]});
        assert_eq!(missing(&pod(none), &[]), []);
        let claims = [claim("p-gpu-y", "2"), claim("p-gpu-x", "1")];
        assert_eq!(made_for(&pod(json!({})), "gpu", &claims).map(|c| c.name()), Some("p-gpu-x"));
    }

    #[test]
    fn a_claim_has_its_templates_spec_and_is_the_pods() {
        let template = json!({"metadata": {"name": "t"}, "spec": {"metadata": {"labels": {"a": "b"}}, "spec": {}}});
        let made = build(&pod(json!({})), "gpu", &serde_json::from_value(template).expect("a template"));
        assert_eq!(made.metadata.generate_name.as_deref(), Some("p-gpu-"));
        assert!(is_of(&made, &pod(json!({}))));
        assert_eq!(owning_pod(&made), [Key::new("a", "p")]);
        assert!(prefix(&"p".repeat(60), &"c".repeat(60)).len() <= NAME_MAX);
    }

    #[test]
    fn a_pod_that_came_past_the_scheduler_is_entered_once() {
        let told = json!({"resourceClaimStatuses": [{"name": "gpu", "resourceClaimName": "x"}]});
        let reserved = to_reserve(&pod(told.clone()), &[claim("x", "1")]);
        assert_eq!(reserved[0].status.as_ref().and_then(|s| s.reserved_for.as_ref()).map(Vec::len), Some(1));
        let again: Vec<_> = reserved.into_iter().map(Arc::new).collect();
        assert!(to_reserve(&pod(told), &again).is_empty());
    }
}
