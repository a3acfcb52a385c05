//! Approval, denial and failure: given once, never taken back.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::certificates::{
    CertificateSigningRequestCondition as Condition, CertificateSigningRequestStatus as Status,
};
use nakhoda_api::time;

use crate::rules::check::{chosen, list, required, same};

const APPROVED: &str = "Approved";
const DENIED: &str = "Denied";
const FAILED: &str = "Failed";

fn of<'a>(status: &'a Status, kind: &str) -> Vec<&'a Condition> {
    list(&status.conditions).iter().filter(|c| c.type_ == kind).collect()
}

/// A write of the status does not touch the decision.
pub(super) fn keep_decisions(new: &mut Status, old: &Status) {
    for kind in [APPROVED, DENIED] {
        let before = of(old, kind);
        if of(new, kind).len() == before.len() {
            let slots = new.conditions.iter_mut().flatten().filter(|c| c.type_ == kind);
            slots.zip(before).for_each(|(slot, old)| slot.clone_from(old));
        }
    }
}

/// Puts times where none stand.
pub(super) fn stamp(new: &mut Status, old: &Status, now: jiff::Timestamp) {
    for condition in new.conditions.iter_mut().flatten() {
        condition.last_update_time.get_or_insert_with(|| time::time(now));
        let before = of(old, &condition.type_).into_iter().find(|c| c.status == condition.status);
        let since = before.and_then(|c| c.last_transition_time.clone()).unwrap_or_else(|| time::time(now));
        condition.last_transition_time.get_or_insert(since);
    }
}

pub(super) fn validate(errors: &mut Errors, conditions: &[Condition]) {
    let path = Path::new("status.conditions");
    for (i, condition) in conditions.iter().enumerate() {
        let (at, kind) = (path.index(i), condition.type_.as_str());
        required(errors, &at.child("type"), kind);
        let values: &[&str] =
            if [APPROVED, DENIED, FAILED].contains(&kind) { &["True"] } else { &["False", "True", "Unknown"] };
        chosen(errors, &at.child("status"), &condition.status, values);
        let before = |other: &str| conditions[..i].iter().any(|c| c.type_ == other);
        if (kind == APPROVED && before(DENIED)) || (kind == DENIED && before(APPROVED)) {
            errors.invalid(&path, kind, "Approved and Denied conditions are mutually exclusive");
        }
        if before(kind) {
            errors.duplicate(&at.child("type"), kind);
        }
    }
}

pub(super) fn update(errors: &mut Errors, new: &Status, old: &Status, subresource: &str) {
    let path = Path::new("status.conditions");
    for kind in [APPROVED, DENIED, FAILED] {
        if of(new, kind).len() < of(old, kind).len() {
            errors.forbidden(&path, format!("updates may not remove a condition of type \"{kind}\""));
        }
    }
    for kind in [APPROVED, DENIED].into_iter().filter(|_| subresource != "approval") {
        let (now, before) = (of(new, kind), of(old, kind));
        if now.len() > before.len() {
            errors.forbidden(&path, format!("updates may not add a condition of type \"{kind}\""));
        } else if now.len() == before.len() && !same(&now, &before) {
            errors.forbidden(&path, format!("updates may not modify a condition of type \"{kind}\""));
        }
    }
    let certificate = |s: &Status| s.certificate.clone().map(|c| c.0).unwrap_or_default();
    if certificate(new) != certificate(old) {
        let at = Path::new("status.certificate");
        if subresource != "status" {
            errors.forbidden(&at, "updates may not set certificate content");
        } else if !certificate(old).is_empty() {
            errors.forbidden(&at, "updates may not modify existing certificate content");
        }
    }
}

/// `Pending`, `Approved,Issued` …
pub(super) fn summary(status: Option<&Status>) -> String {
    let none = Status::default();
    let status = status.unwrap_or(&none);
    let has = |kind: &str| !of(status, kind).is_empty();
    let mut summary = if has(DENIED) {
        DENIED.to_owned()
    } else if has(APPROVED) {
        APPROVED.into()
    } else {
        "Pending".into()
    };
    if has(FAILED) {
        summary.push_str(",Failed");
    }
    if status.certificate.as_ref().is_some_and(|c| !c.0.is_empty()) {
        summary.push_str(",Issued");
    }
    summary
}
