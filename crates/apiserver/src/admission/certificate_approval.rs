//! CertificateApproval: a request for a certificate is approved by who may `approve` for its signer.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::rules::signer;

/// The plugin.
pub struct CertificateApproval;

impl Plugin for CertificateApproval {
    fn name(&self) -> &'static str {
        "CertificateApproval"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.writes(Operation::Update, "certificates.k8s.io", "certificatesigningrequests", "approval")
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            // the signer that is stored: the one that is sent is not to be believed
            let signer = attributes.old.and_then(|old| old.str_at(&["spec", "signerName"])).unwrap_or_default();
            if signer::may(attributes.call, signer, "approve") {
                return Ok(());
            }
            let why = format!("user not permitted to approve requests with signerName {signer:?}");
            Err(attributes.forbidden(object, &why))
        })
    }
}
