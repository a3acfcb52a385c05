//! ClusterTrustBundleAttest: who may `attest` for a signer may say whom its certificates are trusted by.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::rules::signer;

/// What the garbage collector changes, and nothing else that matters.
const COLLECTED: [&str; 2] = ["ownerReferences", "finalizers"];

/// The plugin.
pub struct ClusterTrustBundleAttest;

impl Plugin for ClusterTrustBundleAttest {
    fn name(&self) -> &'static str {
        "ClusterTrustBundleAttest"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let of = |operation| attributes.writes(operation, "certificates.k8s.io", "clustertrustbundles", "");
        of(Operation::Create) || of(Operation::Update)
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let Some(new) = object else { return Ok(()) };
            let signer = new.str_at(&["spec", "signerName"]).unwrap_or_default();
            let same = attributes.old.is_some_and(|old| essence(old) == essence(new));
            if signer.is_empty() || same || signer::may(attributes.call, signer, "attest") {
                return Ok(());
            }
            Err(attributes.forbidden(object, &format!("user not permitted to attest for signerName {signer:?}")))
        })
    }
}

/// The object without what the garbage collector and the server itself keep in it.
fn essence(object: &Object) -> Object {
    let mut object = object.clone();
    for field in COLLECTED.iter().chain(&["managedFields", "resourceVersion"]) {
        object.remove_at(&["metadata", *field]);
    }
    object
}
