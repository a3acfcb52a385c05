//! Groups of the Kubernetes community take definitions only with its approval, which an annotation names.

use std::collections::BTreeMap;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::apiextensions::CustomResourceDefinition;

const ANNOTATION: &str = "api-approved.kubernetes.io";
const READ: &str = "see https://github.com/kubernetes/enhancements/pull/1111";

/// What the annotation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// Neither an address nor an excuse.
    Invalid,
    /// The address of the approval.
    Approved,
    /// That there is none.
    Bypassed,
    /// Nothing.
    Missing,
}

/// Whether a group is the community's.
#[must_use]
pub fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"].iter().any(|own| group == *own || group.ends_with(&format!(".{own}")))
}

/// What the annotations say, and the words for it.
#[must_use]
pub fn approval(annotations: Option<&BTreeMap<String, String>>) -> (Approval, String) {
    let said = annotations.and_then(|all| all.get(ANNOTATION)).map(String::as_str).unwrap_or_default();
    let address = said.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) && !rest.starts_with('/') && !rest.is_empty()
    });
    if said.is_empty() {
        (Approval::Missing, format!("protected groups must have approval annotation {ANNOTATION:?}, {READ}"))
    } else if said.starts_with("unapproved") {
        (Approval::Bypassed, format!("not approved: {said:?}"))
    } else if address {
        (Approval::Approved, format!("approved in {said}"))
    } else {
        let why = format!(
            "protected groups must have approval annotation {ANNOTATION:?} with either a URL or a reason starting with \"unapproved\", {READ}"
        );
        (Approval::Invalid, why)
    }
}

pub(super) fn check(new: &CustomResourceDefinition, old: Option<&CustomResourceDefinition>, errors: &mut Errors) {
    if !is_protected(&new.spec.group) {
        return;
    }
    let (state, why) = approval(new.metadata.annotations.as_ref());
    if old.is_some_and(|old| approval(old.metadata.annotations.as_ref()).0 == state) {
        return;
    }
    let path = Path::new("metadata").child("annotations").key(ANNOTATION);
    match state {
        Approval::Invalid => {
            let said = new.metadata.annotations.as_ref().and_then(|all| all.get(ANNOTATION));
            errors.invalid(&path, said.cloned().unwrap_or_default(), why);
        }
        Approval::Missing => errors.required(&path, why),
        Approval::Approved | Approval::Bypassed => {}
    }
}
