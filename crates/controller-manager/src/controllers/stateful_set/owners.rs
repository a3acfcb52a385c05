//! Who owns the claims of a stateful set: what owns them decides when the garbage collector takes them.

use nakhoda_api::kinds::apps::StatefulSet;
use nakhoda_api::kinds::core::{PersistentVolumeClaim, Pod};
use nakhoda_api::kinds::meta::OwnerReference;
use nakhoda_client::{Resource, owner};

use super::identity::{in_range, ordinal};

const DELETE: &str = "Delete";

/// What a set says about its claims.
#[derive(Clone, Copy)]
struct Policy {
    delete_with_set: bool,
    delete_when_scaled: bool,
}

/// The owners that a claim should have; nothing if it has them, or if it is not for this set to say.
#[must_use]
pub fn corrected(claim: &PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) -> Option<Vec<OwnerReference>> {
    let refs = claim.metadata.owner_references.clone().unwrap_or_default();
    if refs.iter().any(|r| is_stale(r, set) || is_stale(r, pod)) {
        return None;
    }
    let ours = |r: &OwnerReference| r.uid == set.uid() || r.uid == pod.uid();
    let others: Vec<OwnerReference> = refs.iter().filter(|r| !ours(r)).cloned().collect();
    if conflicts(claim, set, pod) {
        return (others.len() < refs.len()).then_some(others);
    }
    let policy = policy(set);
    let condemned = ordinal(pod).is_none_or(|o| !in_range(set, o));
    let by_pod = policy.delete_when_scaled && condemned;
    let by_set = policy.delete_with_set && !by_pod;
    let has = |uid: &str| refs.iter().any(|r| r.uid == uid);
    let plain = refs.iter().any(|r| ours(r) && r.controller != Some(true));
    if !plain && has(set.uid()) == by_set && has(pod.uid()) == by_pod {
        return None;
    }
    let mine = by_pod.then(|| owner(pod)).into_iter().chain(by_set.then(|| owner(set)));
    Some(others.into_iter().chain(mine).collect())
}

/// Whether something else manages the claim, so that the policy cannot hold for it.
#[must_use]
pub fn conflicts(claim: &PersistentVolumeClaim, set: &StatefulSet, pod: &Pod) -> bool {
    let policy = policy(set);
    let foreign = |r: &OwnerReference| r.controller == Some(true) && r.uid != set.uid() && r.uid != pod.uid();
    (policy.delete_with_set || policy.delete_when_scaled)
        && claim.metadata.owner_references.iter().flatten().any(foreign)
}

/// Whether a claim still goes with an earlier pod of this name: the next pod must wait for its own.
#[must_use]
pub fn goes_with_earlier(claim: &PersistentVolumeClaim, set: &StatefulSet, name: &str) -> bool {
    let earlier = |r: &OwnerReference| r.kind == "Pod" && r.api_version == "v1" && r.name == name;
    policy(set).delete_when_scaled && claim.metadata.owner_references.iter().flatten().any(earlier)
}

fn policy(set: &StatefulSet) -> Policy {
    let policy = set.spec.persistent_volume_claim_retention_policy.as_ref();
    let deletes = |value: Option<&String>| value.is_some_and(|v| v == DELETE);
    Policy {
        delete_with_set: deletes(policy.and_then(|p| p.when_deleted.as_ref())),
        delete_when_scaled: deletes(policy.and_then(|p| p.when_scaled.as_ref())),
    }
}

/// Whether a reference names an earlier object of this one's name.
fn is_stale<K: Resource>(reference: &OwnerReference, object: &K) -> bool {
    reference.api_version == K::API_VERSION
        && reference.kind == K::KIND
        && reference.name == object.name()
        && reference.uid != object.uid()
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::{pod, set};
    use super::*;
    use nakhoda_api::kinds::apps::StatefulSetPersistentVolumeClaimRetentionPolicy as Retention;

    fn with(deleted: &str, scaled: &str) -> StatefulSet {
        let mut set = set(2);
        set.spec.persistent_volume_claim_retention_policy =
            Some(Retention { when_deleted: Some(deleted.into()), when_scaled: Some(scaled.into()) });
        set
    }

    fn claim(owners: Vec<OwnerReference>) -> PersistentVolumeClaim {
        let mut claim = PersistentVolumeClaim::default();
        claim.metadata.owner_references = Some(owners);
        claim
    }

    #[test]
    fn each_policy_names_the_owner_that_takes_the_claim_along() {
        let (kept, condemned) = (pod(1, "a", true), pod(2, "a", true));
        let table = [
            ("Retain", "Retain", None, None),
            ("Delete", "Retain", Some("StatefulSet"), Some("StatefulSet")),
            ("Retain", "Delete", None, Some("Pod")),
            ("Delete", "Delete", Some("StatefulSet"), Some("Pod")),
        ];
        for (deleted, scaled, while_kept, when_condemned) in table {
            let set = with(deleted, scaled);
            for (pod, expected) in [(&kept, while_kept), (&condemned, when_condemned)] {
                let owners = corrected(&claim(Vec::new()), &set, pod);
                let kinds = owners.as_deref().map(|o| o.iter().map(|r| r.kind.as_str()).collect::<Vec<_>>());
                assert_eq!(kinds, expected.map(|k| vec![k]), "{deleted} {scaled}");
                let settled = owners.unwrap_or_default();
                assert_eq!(corrected(&claim(settled), &set, pod), None, "{deleted} {scaled}: rests");
            }
        }
    }

    #[test]
    fn a_claim_that_another_manages_or_an_earlier_pod_had_is_left_alone() {
        let (set, kept) = (with("Delete", "Delete"), pod(1, "a", true));
        let foreign = OwnerReference { uid: "x".into(), controller: Some(true), ..OwnerReference::default() };
        assert!(conflicts(&claim(vec![foreign.clone()]), &set, &kept));
        assert_eq!(corrected(&claim(vec![foreign.clone()]), &set, &kept), None);
        let both = claim(vec![foreign.clone(), owner(&set)]);
        assert_eq!(corrected(&both, &set, &kept), Some(vec![foreign]));
        let earlier = OwnerReference { uid: "old".into(), ..owner(&*kept) };
        assert_eq!(corrected(&claim(vec![earlier.clone()]), &set, &kept), None);
        assert!(goes_with_earlier(&claim(vec![earlier]), &set, "web-1"));
        assert_eq!(corrected(&claim(vec![owner(&set)]), &super::super::plan::tests::set(2), &kept), Some(Vec::new()));
    }
}
