//! How a request ends: with one of three conditions, and after that never otherwise.

use jiff::Timestamp;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::certificates::{PodCertificateRequest, PodCertificateRequestStatus};

use super::issued;
use crate::rules::check::{list, same, supported};
use crate::rules::conditions::conditions;

/// What a request can come to, sorted.
pub(super) const KNOWN: [&str; 3] = ["Denied", "Failed", "Issued"];

pub(super) fn validate(
    errors: &mut Errors,
    now: Timestamp,
    new: &PodCertificateRequest,
    old: &PodCertificateRequest,
) {
    let none = PodCertificateRequestStatus::default();
    let (is, was) = (new.status.as_ref().unwrap_or(&none), old.status.as_ref().unwrap_or(&none));
    let path = Path::new("status");
    known(errors, &path.child("conditions"), is);
    conditions(errors, &path.child("conditions"), list(&is.conditions));
    if !errors.is_empty() {
        return;
    }
    match (outcome(was), outcome(is)) {
        (Some(_), _) => {
            frozen(errors, &path, is, was, "immutable after PodCertificateRequest is issued, denied, or failed");
        }
        (None, Some("Issued")) => issued::validate(errors, now, new, is),
        (None, Some(_)) => {
            let bare = PodCertificateRequestStatus { conditions: is.conditions.clone(), ..Default::default() };
            let why = "non-condition status fields must be empty when denying or failing the PodCertificateRequest";
            frozen(errors, &path, is, &bare, why);
        }
        (None, None) => {
            let why = r#"status is immutable unless transitioning to "Issued", "Denied", or "Failed""#;
            frozen(errors, &path, is, was, why);
        }
    }
}

/// At most one condition, of a known type, and true.
fn known(errors: &mut Errors, path: &Path, status: &PodCertificateRequestStatus) {
    let mut seen = 0;
    for (index, condition) in list(&status.conditions).iter().enumerate() {
        let at = path.child(&format!("[{index}]"));
        if !KNOWN.contains(&condition.type_.as_str()) {
            supported(errors, &at.child("type"), &condition.type_, &KNOWN);
            continue;
        }
        seen += 1;
        if seen > 1 {
            let why = r#"There may be at most one condition with type "Issued", "Denied", or "Failed""#;
            errors.invalid(&at.child("type"), condition.type_.as_str(), why);
        }
        if condition.status != "True" {
            supported(errors, &at.child("status"), &condition.status, &["True"]);
        }
    }
}

fn outcome(status: &PodCertificateRequestStatus) -> Option<&str> {
    let true_ones = list(&status.conditions).iter().filter(|condition| condition.status == "True");
    true_ones.map(|condition| condition.type_.as_str()).find(|kind| KNOWN.contains(kind))
}

fn frozen(
    errors: &mut Errors,
    path: &Path,
    is: &PodCertificateRequestStatus,
    must: &PodCertificateRequestStatus,
    why: &str,
) {
    if !same(is, must) {
        errors.unfit(path, why);
    }
}
