//! CertificateSigningRequest: asks a signer for a certificate. The server notes who asked; approval and
//! certificate are given through subresources.

use nakhoda_api::Scope;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::certificates::{CertificateSigningRequest, CertificateSigningRequestStatus};

use crate::kind::columns::human;
use crate::kind::{Columns, Cx, Fields, Info, Kind, NameRule, STATUS, Sub};
use crate::rules::check::{keep_status, list, text};
use crate::rules::print::or_none;

mod conditions;
mod request;

pub(super) use request::domain_and_path as signer;
pub(crate) use request::{common_name, organizations};

/// The kind.
pub struct CertificateSigningRequests;

impl Kind for CertificateSigningRequests {
    type Object = CertificateSigningRequest;

    fn info() -> Info {
        Info {
            short: &["csr"],
            subresources: &[Sub { name: "approval", verbs: &["get", "patch", "update"], kind: None }, STATUS],
            resets: &[
                ("", &[&["spec"], &["status"]]),
                ("approval", &[&["spec"], &["status", "certificate"]]),
                ("status", &[&["spec"], &["status", "conditions"]]),
            ],
            names: NameRule::Segment,
            ..Info::of::<CertificateSigningRequest>(
                "certificatesigningrequests",
                "certificatesigningrequest",
                Scope::Cluster,
            )
        }
    }

    fn prepare(cx: &Cx, new: &mut CertificateSigningRequest, old: Option<&CertificateSigningRequest>) {
        let Some(old) = old else {
            new.spec.username = Some(cx.user.name.clone());
            new.spec.uid = Some(cx.user.uid.clone()).filter(|u| !u.is_empty());
            new.spec.groups = Some(cx.user.groups.clone()).filter(|g| !g.is_empty());
            new.spec.extra = Some(cx.user.extra.clone()).filter(|e| !e.is_empty());
            new.status = Some(CertificateSigningRequestStatus::default());
            return;
        };
        new.spec = old.spec.clone();
        keep_status(cx, &mut new.status, Some(&old.status));
        let before = old.status.clone().unwrap_or_default();
        let status = new.status.get_or_insert_default();
        match cx.subresource.as_str() {
            "approval" => status.certificate = before.certificate.clone(),
            "status" => conditions::keep_decisions(status, &before),
            _ => return,
        }
        conditions::stamp(status, &before, cx.now);
    }

    fn validate(cx: &Cx, new: &Self::Object, old: Option<&Self::Object>, errors: &mut Errors) {
        request::validate(errors, &Path::new("spec"), &new.spec);
        let none = CertificateSigningRequestStatus::default();
        let status = new.status.as_ref().unwrap_or(&none);
        conditions::validate(errors, list(&status.conditions));
        if let Some(certificate) = status.certificate.as_ref().filter(|c| !c.0.is_empty()) {
            request::certificate(errors, &Path::new("status.certificate"), &certificate.0);
        }
        if let Some(old) = old {
            let before = old.status.as_ref().unwrap_or(&none);
            conditions::update(errors, status, before, &cx.subresource);
        }
    }

    fn fields(request: &CertificateSigningRequest) -> Fields {
        vec![("spec.signerName", request.spec.signer_name.clone())]
    }

    fn columns() -> Columns<CertificateSigningRequest> {
        Columns::<CertificateSigningRequest>::named()
            .age()
            .text("SignerName", |c, _| or_none(&c.spec.signer_name).into())
            .text("Requestor", |c, _| text(&c.spec.username).into())
            .text("RequestedDuration", |c, _| {
                c.spec.expiration_seconds.map_or_else(|| "<none>".into(), |s| human(s.into())).into()
            })
            .text("Condition", |c, _| conditions::summary(c.status.as_ref()).into())
    }
}

#[cfg(test)]
mod tests;
