//! PersistentVolumeClaims.

use jiff::Timestamp;

use super::{Measured, Requirement, one, scope};
use crate::claims::class_of_claim;
use crate::kinds::core::PersistentVolumeClaim;
use crate::quantity::Quantity;
use crate::resources::{Amounts, amounts};

const COUNT: &str = "count/persistentvolumeclaims";
const CLAIMS: &str = "persistentvolumeclaims";
const STORAGE: &str = "requests.storage";
/// Between the name of a storage class and what is limited of it.
const OF_CLASS: &str = ".storageclass.storage.k8s.io/";

pub(super) fn counts(name: &str) -> bool {
    let of_class = name.split_once(OF_CLASS).map(|(_, what)| what);
    name == COUNT || [CLAIMS, STORAGE].contains(&of_class.unwrap_or(name))
}

/// Bytes that were asked for, or are being made ready if that is more; whole ones.
fn storage(claim: &PersistentVolumeClaim) -> Option<Quantity> {
    let spec = claim.spec.as_ref().and_then(|s| s.resources.as_ref());
    let asked = *amounts(spec.and_then(|r| r.requests.as_ref())).get("storage")?;
    let allocated = amounts(claim.status.as_ref().and_then(|s| s.allocated_resources.as_ref()));
    let bytes = allocated.get("storage").copied().map_or(asked, |allocated| allocated.max(asked));
    Some(if bytes.is_whole() { bytes } else { Quantity::new(bytes.value(), bytes.format()) })
}

/// The classes of attributes that a claim has, gets or wants.
fn attribute_classes(claim: &PersistentVolumeClaim) -> impl Iterator<Item = &str> {
    let status = claim.status.as_ref();
    let wanted = claim.spec.as_ref().and_then(|s| s.volume_attributes_class_name.as_deref());
    let current = status.and_then(|s| s.current_volume_attributes_class_name.as_deref());
    let next = status.and_then(|s| s.modify_volume_status.as_ref());
    let next = next.and_then(|m| m.target_volume_attributes_class_name.as_deref());
    [wanted, current, next].into_iter().flatten().filter(|name| !name.is_empty())
}

impl Measured for PersistentVolumeClaim {
    fn usage(&self, _: Timestamp) -> Amounts {
        let mut usage = Amounts::from([(COUNT.into(), one()), (CLAIMS.into(), one())]);
        usage.extend(storage(self).map(|bytes| (STORAGE.to_owned(), bytes)));
        let class = class_of_claim(self);
        if !class.is_empty() {
            for name in [CLAIMS, STORAGE] {
                if let Some(amount) = usage.get(name).copied() {
                    usage.insert(format!("{class}{OF_CLASS}{name}"), amount);
                }
            }
        }
        usage
    }

    fn is_in(&self, scope: &Requirement) -> bool {
        scope.scope_name == "VolumeAttributesClass" && scope::holds(scope, attribute_classes(self))
    }
}
