//! PodCertificateRequest: a kubelet asks a signer for a certificate of a pod. Nothing of it changes but its status,
//! and that once: issued, denied or failed.
//!
//! Absent: P-521 keys (their signatures cannot be checked).

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::certificates::PodCertificateRequest;

use crate::kind::{Columns, Cx, Fields, Info, Kind, STATUS};
use crate::rules::check::{immutable, keep_status, list};
use crate::rules::print::labels;

mod issued;
mod request;
mod status;
#[cfg(test)]
mod tests;

/// How long a certificate lasts at most, if nobody says.
const LIFE: i32 = 86_400;

/// The kind.
pub struct PodCertificateRequests;

impl Kind for PodCertificateRequests {
    type Object = PodCertificateRequest;

    fn info() -> Info {
        Info {
            subresources: &[STATUS],
            resets: &[("", &[])],
            unconditional_update: false,
            ..Info::of::<PodCertificateRequest>("podcertificaterequests", "podcertificaterequest", Scope::Namespaced)
        }
    }

    fn default(request: &mut PodCertificateRequest) {
        request.spec.max_expiration_seconds.get_or_insert(LIFE);
    }

    fn prepare(cx: &Cx, new: &mut PodCertificateRequest, old: Option<&PodCertificateRequest>) {
        keep_status(cx, &mut new.status, old.map(|old| &old.status));
    }

    fn validate(cx: &Cx, new: &PodCertificateRequest, old: Option<&PodCertificateRequest>, errors: &mut Errors) {
        let spec = Path::new("spec");
        match old {
            None => request::validate(errors, &spec, &new.spec),
            Some(old) if cx.subresource == "status" => status::validate(errors, cx.now, new, old),
            Some(old) => immutable(errors, &spec, &new.spec, &old.spec),
        }
    }

    fn fields(request: &PodCertificateRequest) -> Fields {
        let spec = &request.spec;
        vec![
            ("spec.signerName", spec.signer_name.clone()),
            ("spec.podName", spec.pod_name.clone()),
            ("spec.nodeName", spec.node_name.clone()),
        ]
    }

    const PLAIN_FIELDS: bool = true;

    fn columns() -> Columns<PodCertificateRequest> {
        Columns::<PodCertificateRequest>::named()
            .text("PodName", |r, _| r.spec.pod_name.clone().into())
            .text("ServiceAccountName", |r, _| r.spec.service_account_name.clone().into())
            .text("NodeName", |r, _| r.spec.node_name.clone().into())
            .text("SignerName", |r, _| r.spec.signer_name.clone().into())
            .text("State", |r, _| state(r).into())
            .text("UnverifiedUserAnnotations", |r, _| labels(r.spec.unverified_user_annotations.as_ref()).into())
    }
}

fn state(request: &PodCertificateRequest) -> &str {
    let conditions = request.status.as_ref().map_or(&[][..], |status| list(&status.conditions));
    let last = conditions.iter().rev().find(|c| status::KNOWN.contains(&c.type_.as_str()));
    last.map_or("Pending", |condition| &condition.type_)
}
