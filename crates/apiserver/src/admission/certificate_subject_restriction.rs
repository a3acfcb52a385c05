//! CertificateSubjectRestriction: nobody becomes a member of `system:masters` by a certificate of the signer for
//! clients of the API server.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use nakhoda_api::{Object, Status};

use super::{Attributes, Operation, Plugin};
use crate::kinds::certificates::certificate_signing_request::organizations;
use crate::user::MASTERS;

const SIGNER: &str = "kubernetes.io/kube-apiserver-client";

/// The plugin.
pub struct CertificateSubjectRestriction;

impl Plugin for CertificateSubjectRestriction {
    fn name(&self) -> &'static str {
        "CertificateSubjectRestriction"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.writes(Operation::Create, "certificates.k8s.io", "certificatesigningrequests", "")
    }

    fn validate<'a>(
        &'a self,
        attributes: &'a Attributes<'a>,
        object: Option<&'a Object>,
    ) -> BoxFuture<'a, Result<(), Status>> {
        Box::pin(async move {
            let request = object.filter(|new| new.str_at(&["spec", "signerName"]) == Some(SIGNER));
            let Some(text) = request.and_then(|new| new.str_at(&["spec", "request"])) else { return Ok(()) };
            let bytes = STANDARD.decode(text).unwrap_or_default();
            let refuse = |why: String| Err(attributes.forbidden(object, &why));
            match organizations(&bytes) {
                Err(why) => refuse(format!("failed to parse CSR: {why}")),
                Ok(groups) if groups.iter().any(|group| group == MASTERS) => {
                    refuse(format!("use of {SIGNER} signer with system:masters group is not allowed"))
                }
                Ok(_) => Ok(()),
            }
        })
    }
}
