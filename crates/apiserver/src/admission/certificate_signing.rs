//! CertificateSigning: a certificate, or a word on why there is none, is given by who may `sign` for the signer.

use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::rules::signer;

/// The plugin.
pub struct CertificateSigning;

impl Plugin for CertificateSigning {
    fn name(&self) -> &'static str {
        "CertificateSigning"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.writes(Operation::Update, "certificates.k8s.io", "certificatesigningrequests", "status")
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let (Some(new), Some(old)) = (object, attributes.old) else { return Ok(()) };
            let same = |field| new.at(&["status", field]) == old.at(&["status", field]);
            let signer = old.str_at(&["spec", "signerName"]).unwrap_or_default();
            if (same("certificate") && same("conditions")) || signer::may(attributes.call, signer, "sign") {
                return Ok(());
            }
            let why = format!("user not permitted to sign requests with signerName {signer:?}");
            Err(attributes.forbidden(object, &why))
        })
    }
}
