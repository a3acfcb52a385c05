//! What may stand in an AuthorizationConfiguration, in upstream's words
//! (`k8s.io/apiserver/pkg/apis/apiserver/validation`), and the conditions it comes to.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use nakhoda_api::cel::{Program, Type};
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;

use super::{Condition, Configuration, Connection, Hook};
use crate::authz::webhook::question;
use crate::rules::check::chosen;

/// What there is.
pub(super) const TYPES: [&str; 4] = ["AlwaysDeny", "Node", "RBAC", "Webhook"];
/// How many conditions a webhook may have.
const CONDITIONS_MAX: usize = 64;
const TIMEOUT_MAX: SignedDuration = SignedDuration::from_secs(30);

/// The conditions of each authorizer, in the order of the file.
pub fn check(file: &Configuration) -> Result<Vec<Vec<Program>>, Errors> {
    let (root, mut errors) = (Path::new("authorizers"), Errors::default());
    if file.authorizers.is_empty() {
        errors.required(&root, "at least one authorization mode must be defined");
    }
    let (mut kinds, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut all = Vec::new();
    for (index, one) in file.authorizers.iter().enumerate() {
        let path = root.index(index);
        let (at, kind) = (path.child("type"), one.kind.as_str());
        all.push(Vec::new());
        if !TYPES.contains(&kind) {
            chosen(&mut errors, &at, kind, &TYPES);
            continue;
        }
        if !kinds.insert(kind) && kind != "Webhook" {
            errors.duplicate(&at, kind);
            continue;
        }
        name(&mut errors, &path.child("name"), &one.name, seen.contains(&one.name));
        seen.insert(one.name.clone());
        match (&one.webhook, kind == "Webhook") {
            (None, true) => errors.required(&path.child("webhook"), "required when type=Webhook"),
            (Some(hook), true) => all[index] = webhook(&mut errors, &path, hook),
            (Some(_), false) => {
                errors.invalid(&path.child("webhook"), "non-null", "may only be specified when type=Webhook");
            }
            (None, false) => {}
        }
    }
    if errors.is_empty() { Ok(all) } else { Err(errors) }
}

fn name(errors: &mut Errors, path: &Path, name: &str, known: bool) {
    let faults = names::is_dns1123_subdomain(name);
    if name.is_empty() {
        errors.required(path, "");
    } else if known {
        errors.duplicate(path, name);
    } else if !faults.is_empty() {
        errors.invalid(path, name, format!("authorizer name is invalid: {}", faults.join(", ")));
    }
}

fn webhook(errors: &mut Errors, path: &Path, hook: &Hook) -> Vec<Program> {
    let timeout = path.child("timeout");
    if hook.timeout.is_zero() {
        errors.required(&timeout, "");
    } else if hook.timeout > TIMEOUT_MAX || hook.timeout.is_negative() {
        errors.invalid(&timeout, printed(hook.timeout), "must be > 0s and <= 30s");
    }
    for (field, given) in [("authorizedTTL", hook.authorized_ttl), ("unauthorizedTTL", hook.unauthorized_ttl)] {
        if given.is_zero() {
            errors.required(&path.child(field), "");
        } else if given.is_negative() {
            errors.invalid(&path.child(field), printed(given), "must be > 0s");
        }
    }
    chosen(errors, &path.child("subjectAccessReviewVersion"), &hook.subject_access_review_version, &["v1", "v1beta1"]);
    let at = path.child("matchConditionSubjectAccessReviewVersion");
    match hook.match_condition_subject_access_review_version.as_str() {
        "" if !hook.match_conditions.is_empty() => errors.required(&at, "required if match conditions are specified"),
        "" | "v1" => {}
        other => errors.not_supported(&at, other, &["v1"]),
    }
    chosen(errors, &path.child("failurePolicy"), &hook.failure_policy, &["NoOpinion", "Deny"]);
    connection(errors, &path.child("connectionInfo"), &hook.connection_info);
    conditions(errors, &path.child("matchConditions"), &hook.match_conditions)
}

fn connection(errors: &mut Errors, path: &Path, info: &Connection) {
    let (at, kind) = (path.child("kubeConfigFile"), path.child("type"));
    match info.kind.as_str() {
        "" => errors.required(&kind, ""),
        "InClusterConfig" => {
            errors.forbidden(&kind, "the API server has no in-cluster configuration: name a KubeConfigFile")
        }
        "KubeConfigFile" => {
            let Some(file) = info.kube_config_file.as_ref().filter(|file| !file.as_os_str().is_empty()) else {
                return errors.required(&at, "");
            };
            let shown = file.display().to_string();
            if !file.is_absolute() {
                return errors.invalid(&at, shown, "must be an absolute path");
            }
            match std::fs::metadata(file) {
                Err(error) => errors.invalid(&at, shown, format!("error loading file: {error}")),
                Ok(found) if !found.is_file() => errors.invalid(&at, shown, "must be a regular file"),
                Ok(_) => {}
            }
        }
        other => errors.not_supported(&kind, other, &["InClusterConfig", "KubeConfigFile"]),
    }
}

fn conditions(errors: &mut Errors, path: &Path, given: &[Condition]) -> Vec<Program> {
    if given.len() > CONDITIONS_MAX {
        errors.too_many(path, given.len(), CONDITIONS_MAX);
        return Vec::new();
    }
    let (variables, mut seen, mut programs) = (question::variables(), BTreeSet::new(), Vec::new());
    for (index, condition) in given.iter().enumerate() {
        let (at, text) = (path.index(index).child("expression"), condition.expression.as_str());
        if text.trim().is_empty() {
            errors.required(&at, "");
        } else if !seen.insert(text) {
            errors.duplicate(&at, text);
        } else {
            match Program::compile(text, &variables) {
                Ok((program, Type::Bool)) => programs.push(program),
                Ok((_, kind)) => errors.invalid(&at, text, format!("must evaluate to bool but got {kind}")),
                Err(why) => errors.invalid(&at, text, format!("compilation failed: {why}")),
            }
        }
    }
    programs
}

/// As Go prints it.
fn printed(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    let (minutes, rest) = (seconds / 60, seconds % 60);
    if minutes == 0 { format!("{seconds}s") } else { format!("{minutes}m{}s", rest.abs()) }
}

#[cfg(test)]
mod tests;
