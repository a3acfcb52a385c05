//! ResourceClaim: devices that a pod wants, and those that it was given.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::resource::{ResourceClaim, ResourceClaimStatus};

use crate::kind::{Columns, Cx, Info, Kind, STATUS, STATUS_ONLY};
use crate::rules::check::{immutable, keep_metadata, keep_status, list, required};
use crate::rules::device;

/// The kind.
pub struct ResourceClaims;

const USERS_MAX: usize = 256;

impl Kind for ResourceClaims {
    type Object = ResourceClaim;

    fn info() -> Info {
        Info {
            subresources: &[STATUS],
            resets: STATUS_ONLY,
            returns_deleted: true,
            ..Info::of::<ResourceClaim>("resourceclaims", "resourceclaim", Scope::Namespaced)
        }
    }

    fn default(claim: &mut ResourceClaim) {
        claim.spec.iter_mut().for_each(device::default_claim);
    }

    fn prepare(cx: &Cx, new: &mut ResourceClaim, old: Option<&ResourceClaim>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
        keep_metadata(cx, &mut new.metadata, old.map(|old| &old.metadata));
        let Some(status) = new.status.as_mut().filter(|_| cx.subresource == "status") else { return };
        if let Some(devices) = &mut status.devices {
            // what is no longer allocated has no state any more
            let results = status.allocation.as_ref().and_then(|allocation| allocation.devices.as_ref());
            let results = results.map(|devices| list(&devices.results)).unwrap_or_default();
            devices.retain(|one| {
                results.iter().any(|r| r.driver == one.driver && r.pool == one.pool && r.device == one.device)
            });
        }
    }

    fn validate(cx: &Cx, new: &ResourceClaim, old: Option<&ResourceClaim>, errors: &mut Errors) {
        let none = ResourceClaimStatus::default();
        match old {
            Some(old) if cx.subresource == "status" => {
                status(errors, new, new.status.as_ref().unwrap_or(&none), old.status.as_ref().unwrap_or(&none));
            }
            Some(old) => immutable(errors, &Path::new("spec"), &new.spec, &old.spec),
            None => {
                if let Some(devices) = new.spec.as_ref().and_then(|spec| spec.devices.as_ref()) {
                    device::claim(errors, &Path::new("spec.devices"), devices);
                }
            }
        }
    }

    fn columns() -> Columns<ResourceClaim> {
        Columns::<ResourceClaim>::named().text("State", |claim, _| state(claim).into()).age()
    }
}

fn state(claim: &ResourceClaim) -> String {
    let deleted = claim.metadata.deletion_timestamp.is_some();
    let allocated = claim.status.as_ref().is_some_and(|status| status.allocation.is_some());
    let reserved = claim.status.as_ref().is_some_and(|status| !list(&status.reserved_for).is_empty());
    let told = [
        (deleted, "deleted"),
        (!deleted && !allocated, "pending"),
        (allocated, "allocated"),
        (allocated && reserved, "reserved"),
    ];
    told.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word).collect::<Vec<_>>().join(",")
}

fn status(errors: &mut Errors, claim: &ResourceClaim, new: &ResourceClaimStatus, old: &ResourceClaimStatus) {
    let path = Path::new("status");
    let (at, users) = (path.child("reservedFor"), list(&new.reserved_for));
    if device::within(errors, &at, users.len(), USERS_MAX) {
        for (i, one) in users.iter().enumerate() {
            for (field, value) in [("resource", &one.resource), ("name", &one.name), ("uid", &one.uid)] {
                required(errors, &at.index(i).child(field), value);
            }
        }
        device::unique(errors, &at, users.iter().map(|one| one.uid.as_str()));
    }
    if !users.is_empty() && new.allocation.is_none() {
        errors.forbidden(&at, "may not be specified when `allocated` is not set");
    } else if claim.metadata.deletion_timestamp.is_some() && users.iter().any(|u| !list(&old.reserved_for).contains(u)) {
        let why = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
        errors.forbidden(&at, why);
    }
    if let (Some(new), Some(old)) = (&new.allocation, &old.allocation) {
        immutable(errors, &path.child("allocation"), new, old);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::testing::{create, defaulted, row, status as status_faults, update};

    #[test]
    fn requests_are_completed_and_referred_to() {
        let claim = defaulted::<ResourceClaims>(json!({"metadata": {"name": "a"}, "spec": {"devices": {
            "requests": [{"name": "r", "exactly": {"deviceClassName": "c"}}],
            "constraints": [{"requests": ["r"], "matchAttribute": "a.b/c"}, {"requests": ["x"]}]}}}));
        assert_eq!(claim["spec"]["devices"]["requests"][0]["exactly"]["count"], 1);
        let told = create::<ResourceClaims>(claim.clone());
        assert!(told.contains("constraints[1].requests[0]: Invalid value: \"x\": must be the name of a request"), "{told}");
        assert_eq!(row::<ResourceClaims>(claim.clone())[1], "pending");
        let mut changed = claim.clone();
        changed["spec"]["devices"]["constraints"] = json!([]);
        assert!(update::<ResourceClaims>(claim, changed).ends_with("field is immutable"));
    }

    #[test]
    fn only_what_is_allocated_is_reserved() {
        let user = json!({"resource": "pods", "name": "p", "uid": "u"});
        assert_eq!(
            status_faults::<ResourceClaims>(json!({}), json!({"status": {"reservedFor": [user]}})),
            "status.reservedFor: Forbidden: may not be specified when `allocated` is not set"
        );
    }
}
