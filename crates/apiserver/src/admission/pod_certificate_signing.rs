//! The status of a PodCertificateRequest is written by who may `sign` for its signer.

use futures::future::BoxFuture;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::rules::signer;

/// The plugin.
pub struct PodCertificateSigning;

impl Plugin for PodCertificateSigning {
    fn name(&self) -> &'static str {
        "PodCertificateSigning"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.writes(Operation::Update, "certificates.k8s.io", "podcertificaterequests", "status")
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let (Some(new), Some(old)) = (object, attributes.old) else { return Ok(()) };
            let (call, signer) = (attributes.call, old.str_at(&["spec", "signerName"]).unwrap_or_default());
            if new.at(&["status"]) == old.at(&["status"]) || signer::may(call, signer, "sign") {
                return Ok(());
            }
            let mut errors = Errors::default();
            let why = format!("User {:?} is not permitted to \"sign\" for signer {signer:?}", call.user.name);
            errors.forbidden(&Path::new("spec.signerName"), why);
            Err(Status::invalid(&call.kind.info.gvk.group_kind(), old.name(), &errors))
        })
    }
}
