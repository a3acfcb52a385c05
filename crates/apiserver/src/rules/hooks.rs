//! Rules of webhook configurations, which both kinds share (`pkg/apis/admissionregistration/validation`).

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::admissionregistration::{MatchCondition, RuleWithOperations, WebhookClientConfig};
use nakhoda_api::kinds::meta::LabelSelector;
use nakhoda_api::names;

use super::check::{selector, supported, text};
use super::{admission, webhook};

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
        admission::rule(errors, &path.child("rules").index(index), &rule.into());
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
                // upstream takes one for the other, and so tells of a missing namespace as of a missing name
                name: &service.namespace,
                namespace: &service.name,
                path: service.path.as_deref(),
                port: service.port.unwrap_or(0),
            };
            webhook::service(&service, &at.child("service"), errors);
        }
        _ => errors.required(&at, "exactly one of url or service is required"),
    }
    admission::conditions(errors, &path.child("matchConditions"), hook.conditions, false);
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
