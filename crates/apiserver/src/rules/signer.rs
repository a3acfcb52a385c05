//! Signers of certificates: who may do what for them.

use nakhoda_api::GroupVersionResource;

use crate::authz::{Attributes, Decision};
use crate::request::{ResourceTarget, Target};
use crate::verb::Call;

/// Whether the caller may do something for a signer, by its name or by its domain.
pub fn may(call: &Call, signer: &str, verb: &str) -> bool {
    let domain = signer.split('/').next().unwrap_or_default();
    [signer.to_owned(), format!("{domain}/*")].into_iter().any(|name| {
        let target = ResourceTarget {
            gvr: GroupVersionResource::new("certificates.k8s.io", "v1", "signers"),
            name,
            ..ResourceTarget::default()
        };
        let attributes = Attributes::new(call.user.clone(), verb, Target::Resource(target));
        matches!(call.pipeline.decide(&attributes), Decision::Allow(_))
    })
}
