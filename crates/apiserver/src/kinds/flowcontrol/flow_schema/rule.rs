//! Whose requests for what.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::flowcontrol::{NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule, Subject};
use nakhoda_api::names;

use crate::rules::check::{each, label, list, required};

const ALL: &str = "*";
const VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
const NAMESPACE: &str = "each member of this list must be '*' or a DNS-1123 label; ";

pub(super) fn with_subjects(errors: &mut Errors, path: &Path, rule: &PolicyRulesWithSubjects) {
    if rule.subjects.is_empty() {
        errors.required(&path.child("subjects"), "subjects must contain at least one value");
    }
    for (i, one) in rule.subjects.iter().enumerate() {
        subject(errors, &path.child("subjects").index(i), one);
    }
    let (resources, urls) = (list(&rule.resource_rules), list(&rule.non_resource_rules));
    if resources.is_empty() && urls.is_empty() {
        errors.required(path, "at least one of resourceRules and nonResourceRules has to be non-empty");
    }
    for (i, one) in resources.iter().enumerate() {
        resource(errors, &path.child("resourceRules").index(i), one);
    }
    for (i, one) in urls.iter().enumerate() {
        non_resource(errors, &path.child("nonResourceRules").index(i), one);
    }
}

fn subject(errors: &mut Errors, path: &Path, subject: &Subject) {
    let kinds = [
        ("ServiceAccount", "serviceAccount", subject.service_account.is_some()),
        ("User", "user", subject.user.is_some()),
        ("Group", "group", subject.group.is_some()),
    ];
    let Some((kind, field, given)) = kinds.iter().find(|(kind, ..)| *kind == subject.kind) else {
        return errors.not_supported(&path.child("kind"), subject.kind.as_str(), &["Group", "ServiceAccount", "User"]);
    };
    if *given {
        named(errors, &path.child(field), subject);
    } else {
        errors.required(&path.child(field), format!("{field} is required when subject kind is '{kind}'"));
    }
    for (kind, field, _) in kinds.iter().filter(|(other, _, given)| other != kind && *given) {
        errors.forbidden(&path.child(field), format!("{field} is forbidden when subject kind is not '{kind}'"));
    }
}

fn named(errors: &mut Errors, path: &Path, subject: &Subject) {
    let at = path.child("name");
    match (subject.kind.as_str(), &subject.service_account, &subject.user, &subject.group) {
        ("User", _, Some(user), _) => required(errors, &at, &user.name),
        ("Group", _, _, Some(group)) => required(errors, &at, &group.name),
        ("ServiceAccount", Some(account), _, _) => {
            required(errors, &at, &account.name);
            if !account.name.is_empty() && account.name != ALL {
                each(errors, &at, account.name.as_str(), names::is_dns1123_subdomain(&account.name));
            }
            match account.namespace.as_str() {
                "" => errors.required(&path.child("namespace"), "must specify namespace for service account"),
                namespace => label(errors, &path.child("namespace"), namespace),
            }
        }
        _ => {}
    }
}

fn verbs(errors: &mut Errors, path: &Path, verbs: &[String]) {
    let at = path.child("verbs");
    if verbs.is_empty() {
        errors.required(&at, "verbs must contain at least one value");
    } else if !alone(errors, &at, verbs, "verbs") && !verbs.iter().all(|verb| VERBS.contains(&verb.as_str())) {
        errors.not_supported(&at, verbs.to_vec(), VERBS);
    }
}

/// Whether the wildcard is among them, which it must be by itself.
fn alone(errors: &mut Errors, path: &Path, values: &[String], what: &str) -> bool {
    let all = values.iter().any(|value| value == ALL);
    if all && values.len() > 1 {
        errors.invalid(path, values.to_vec(), format!("if '*' is present, must not specify other {what}"));
    }
    all
}

fn non_resource(errors: &mut Errors, path: &Path, rule: &NonResourcePolicyRule) {
    verbs(errors, path, &rule.verbs);
    let (at, urls) = (path.child("nonResourceURLs"), &rule.non_resource_urls);
    if urls.is_empty() {
        return errors.required(&at, "nonResourceURLs must contain at least one value");
    }
    if alone(errors, &at, urls, "non-resource URLs") {
        return;
    }
    for (i, one) in urls.iter().enumerate() {
        if let Some(why) = url_fault(one) {
            errors.invalid(&at.index(i), one.as_str(), why);
        }
    }
}

fn url_fault(url: &str) -> Option<&'static str> {
    let stars = url.matches(ALL).count();
    match url {
        "" => Some("must not be empty"),
        "/" => None,
        url if !url.starts_with('/') => Some("must start with slash"),
        url if url.contains(' ') => Some("must not contain white-space"),
        url if url.contains("//") => Some("must not contain double slash"),
        url if stars > 1 || stars == 1 && !url.ends_with("/*") => Some("wildcard can only do suffix matching"),
        _ => None,
    }
}

fn resource(errors: &mut Errors, path: &Path, rule: &ResourcePolicyRule) {
    verbs(errors, path, &rule.verbs);
    for (field, values, one, what) in [
        ("apiGroups", &rule.api_groups, "api group", "api groups"),
        ("resources", &rule.resources, "resource", "resources"),
    ] {
        if values.is_empty() {
            errors.required(&path.child(field), format!("resource rules must supply at least one {one}"));
        }
        alone(errors, &path.child(field), values, what);
    }
    let (at, namespaces) = (path.child("namespaces"), list(&rule.namespaces));
    if namespaces.is_empty() && rule.cluster_scope != Some(true) {
        let why = "resource rules that are not cluster scoped must supply at least one namespace";
        errors.required(&at, why);
    } else if !alone(errors, &at, namespaces, "namespaces") {
        for (i, one) in namespaces.iter().enumerate() {
            let faults = names::is_dns1123_label(one).into_iter().map(|fault| format!("{NAMESPACE}{fault}"));
            each(errors, &at.index(i), one.as_str(), faults.collect());
        }
    }
}
