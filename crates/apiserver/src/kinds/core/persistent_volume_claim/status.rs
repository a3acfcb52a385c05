//! The status of a claim: what the volume has, and how far a change of its size is.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::PersistentVolumeClaimStatus;
use nakhoda_api::names;
use nakhoda_api::quantity::Quantity;

use crate::rules::check::each;

const RESIZE: &[&str] = &[
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
];

pub(super) fn validate(errors: &mut Errors, status: Option<&PersistentVolumeClaimStatus>) {
    let Some(status) = status else { return };
    let path = Path::new("status");
    for (name, amount) in status.capacity.iter().flatten() {
        not_negative(errors, &path.child("capacity").key(name), amount);
    }
    let at = path.child("allocatedResourceStatuses");
    for (name, phase) in status.allocated_resource_statuses.iter().flatten() {
        is_storage(errors, &at, name);
        if !RESIZE.contains(&phase.as_str()) {
            errors.not_supported(&at, name.as_str(), RESIZE);
        }
    }
    let at = path.child("allocatedResources");
    for (name, amount) in status.allocated_resources.iter().flatten() {
        if is_storage(errors, &at, name) {
            not_negative(errors, &at.key(name), amount);
        }
    }
}

fn not_negative(errors: &mut Errors, path: &Path, amount: &nakhoda_api::kinds::Quantity) {
    if let Ok(amount) = Quantity::try_from(amount)
        && amount.value() < 0
    {
        errors.invalid(path, amount.value(), "must be a valid resource quantity");
    }
}

/// A name without a domain, or with Kubernetes' own, is `storage` or wrong.
fn is_storage(errors: &mut Errors, path: &Path, name: &str) -> bool {
    let faults = names::is_qualified_name(name);
    let known = faults.is_empty() && (name == "storage" || name.contains('/') && !name.contains("kubernetes.io/"));
    if faults.is_empty() && !known {
        errors.not_supported(path, name, &["storage"]);
    }
    each(errors, path, name, faults);
    known
}
