//! Rules of webhook configurations, which both kinds share (`pkg/apis/admissionregistration/validation`).

use nakhoda_api::cel::{Program, Type, Variables};
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::admissionregistration::{MatchCondition, RuleWithOperations, WebhookClientConfig};
use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::names;

use super::check::{list, qualified, required, selector, supported, text};
use super::webhook;

/// What both kinds of webhooks have.
pub struct Hook<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it is.
    pub client: &'a WebhookClientConfig,
    /// What it is asked about.
    pub rules: &'a [RuleWithOperations],
    /// `failurePolicy`, `matchPolicy`, `sideEffects`, `reinvocationPolicy`.
    pub words: [Option<&'a str>; 4],
    /// In seconds.
    pub timeout: Option<i32>,
    /// Of namespaces and of objects.
    pub selectors: [Option<&'a LabelSelector>; 2],
    /// In CEL.
    pub conditions: &'a [MatchCondition],
    /// Versions of the review.
    pub reviews: &'a [String],
}

/// Names, and what may stand for each.
const WORDS: [(&str, &[&str]); 4] = [
    ("failurePolicy", &["Fail", "Ignore"]),
    ("matchPolicy", &["Equivalent", "Exact"]),
    ("sideEffects", &["None", "NoneOnDryRun"]),
    ("reinvocationPolicy", &["IfNeeded", "Never"]),
];
/// Conditions of one webhook.
const CONDITIONS_MAX: usize = 64;

/// All webhooks of a configuration.
pub fn check(hooks: &[Hook<'_>], errors: &mut Errors) {
    for (index, hook) in hooks.iter().enumerate() {
        let path = Path::new("webhooks").index(index);
        one(hook, &path, errors);
        reviews(hook.reviews, &path.child("admissionReviewVersions"), errors);
        if !hook.name.is_empty() && hooks[..index].iter().any(|other| other.name == hook.name) {
            errors.duplicate(&path.child("name"), hook.name);
        }
    }
}

fn one(hook: &Hook<'_>, path: &Path, errors: &mut Errors) {
    let at = path.child("name");
    let faults = names::is_dns1123_subdomain(hook.name);
    if hook.name.is_empty() {
        errors.required(&at, "");
    } else if !faults.is_empty() {
        errors.invalid(&at, hook.name, faults.join(","));
    } else if hook.name.split('.').count() < 3 {
        errors.invalid(&at, hook.name, "should be a domain with at least three segments separated by dots");
    }
    for (index, rule) in hook.rules.iter().enumerate() {
        check_rule(rule, &path.child("rules").index(index), errors);
    }
    for ((field, known), word) in WORDS.iter().zip(hook.words) {
        match word {
            Some("") if *field == "sideEffects" => {
                errors.required(&path.child(field), format!("must specify one of {}", known.join(", ")));
            }
            Some(word) => supported(errors, &path.child(field), word, known),
            None => {}
        }
    }
    if let Some(seconds) = hook.timeout.filter(|seconds| !(1..=30).contains(seconds)) {
        let why = "the timeout value must be between 1 and 30 seconds";
        errors.invalid(&path.child("timeoutSeconds"), seconds, why);
    }
    for (field, one) in ["namespaceSelector", "objectSelector"].iter().zip(hook.selectors) {
        selector(errors, &path.child(field), one);
    }
    let at = path.child("clientConfig");
    match (&hook.client.url, &hook.client.service) {
        (Some(url), None) => webhook::url(url, &at.child("url"), errors),
        (None, Some(service)) => {
            let service = webhook::Service {
                name: &service.name,
                namespace: &service.namespace,
                path: service.path.as_deref(),
                port: service.port.unwrap_or(443),
            };
            webhook::service(&service, &at.child("service"), errors);
        }
        _ => errors.required(&at, "exactly one of url or service is required"),
    }
    conditions(hook.conditions, &path.child("matchConditions"), errors);
}

fn check_rule(rule: &RuleWithOperations, path: &Path, errors: &mut Errors) {
    let operations = list(&rule.operations);
    let at = path.child("operations");
    if operations.is_empty() {
        errors.required(&at, "");
    }
    alone(operations, &at, "operations", errors);
    for (index, operation) in operations.iter().enumerate() {
        supported(errors, &at.index(index), operation, &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]);
    }
    for (field, words, all) in
        [("apiGroups", "API groups", &rule.api_groups), ("apiVersions", "API versions", &rule.api_versions)]
    {
        if list(all).is_empty() {
            errors.required(&path.child(field), "");
        }
        alone(list(all), &path.child(field), words, errors);
    }
    for (index, version) in list(&rule.api_versions).iter().enumerate() {
        required(errors, &path.child("apiVersions").index(index), version);
    }
    resources(list(&rule.resources), &path.child("resources"), errors);
    if let Some(scope) = &rule.scope {
        supported(errors, &path.child("scope"), scope, &["*", "Cluster", "Namespaced"]);
    }
}

fn alone(all: &[String], path: &Path, what: &str, errors: &mut Errors) {
    if all.len() > 1 && all.iter().any(|one| one == "*") {
        errors.invalid(path, all.to_vec(), format!("if '*' is present, must not specify other {what}"));
    }
}

fn resources(all: &[String], path: &Path, errors: &mut Errors) {
    if all.is_empty() {
        errors.required(path, "");
    }
    for (index, one) in all.iter().enumerate() {
        required(errors, &path.index(index), one);
        let Some((resource, sub)) = one.split_once('/') else { continue };
        for wide in [format!("{resource}/*"), format!("*/{sub}")] {
            if all[..index].contains(&wide) {
                errors.invalid(
                    &path.index(index),
                    one.as_str(),
                    format!("if '{wide}' is present, must not specify {one}"),
                );
            }
        }
    }
    if all.len() > 1 && all.iter().any(|one| one == "*/*") {
        errors.invalid(path, all.to_vec(), "if '*/*' is present, must not specify other resources");
    }
    let plain = all.iter().any(|one| one != "*" && !one.contains('/'));
    if plain && all.iter().any(|one| one == "*") {
        let why = "if '*' is present, must not specify other resources without subresources";
        errors.invalid(path, all.to_vec(), why);
    }
}

fn conditions(all: &[MatchCondition], path: &Path, errors: &mut Errors) {
    if all.len() > CONDITIONS_MAX {
        errors.too_many(path, all.len(), CONDITIONS_MAX);
    }
    let known = ["object", "oldObject", "request", "authorizer"].map(|name| (name.to_owned(), Type::Dyn));
    let variables = Variables::from(known);
    for (index, condition) in all.iter().enumerate() {
        let path = path.index(index);
        let (at, expression) = (path.child("expression"), condition.expression.trim());
        if expression.is_empty() {
            errors.required(&at, "");
        } else {
            match Program::compile(expression, &variables) {
                Ok((_, kind)) if kind.fits(&Type::Bool) => {}
                Ok(_) => errors.invalid(&at, expression, "must evaluate to bool"),
                Err(why) => errors.invalid(&at, expression, format!("compilation failed: {why}")),
            }
        }
        if condition.name.is_empty() {
            errors.required(&path.child("name"), "");
        } else {
            qualified(errors, &path.child("name"), &condition.name);
            if all[..index].iter().any(|other| other.name == condition.name) {
                errors.duplicate(&path.child("name"), condition.name.as_str());
            }
        }
    }
}

fn reviews(versions: &[String], path: &Path, errors: &mut Errors) {
    if versions.is_empty() {
        return errors.required(path, "must specify one of v1, v1beta1");
    }
    for (index, version) in versions.iter().enumerate() {
        if versions[..index].contains(version) {
            errors.invalid(&path.index(index), version.as_str(), "duplicate version");
            continue;
        }
        for fault in names::is_dns1035_label(version) {
            errors.invalid(&path.index(index), version.as_str(), fault);
        }
    }
    if !versions.iter().any(|version| matches!(version.as_str(), "v1" | "v1beta1")) {
        errors.invalid(path, versions.to_vec(), "must include at least one of v1, v1beta1");
    }
}

/// What was left out of the rules and the address.
pub fn default(rules: Option<&mut Vec<RuleWithOperations>>, client: &mut WebhookClientConfig) {
    for rule in rules.into_iter().flatten() {
        rule.scope.get_or_insert_with(|| "*".into());
    }
    if let Some(service) = &mut client.service {
        service.port.get_or_insert(443);
    }
}

/// The text of an optional word, where the field is one of those that are always judged.
#[must_use]
pub fn word(value: &Option<String>) -> Option<&str> {
    value.as_ref().map(|_| text(value))
}
