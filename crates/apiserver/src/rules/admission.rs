//! What admission webhooks and policies have in common: which requests they are asked about, and under which conditions
//! (`pkg/apis/admissionregistration/validation`).

use std::collections::BTreeMap;

use nakhoda_api::cel::{Type, Variables};
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::admissionregistration::{
    MatchCondition, MatchResources, NamedRuleWithOperations, ParamKind, ParamRef, RuleWithOperations, Variable,
};
use nakhoda_api::names;

use crate::rules::cel::{self, Wanted};
use crate::rules::check::{each, list, picked, qualified, selector, subdomain, supported, text};
use crate::rules::defaults::fill_absent;

mod resources;

/// What to do about a hook or an expression that fails.
pub const FAILURE: &[&str] = &["Fail", "Ignore"];
/// Whether other versions of a resource are meant, too.
pub const MATCH: &[&str] = &["Equivalent", "Exact"];
/// Whether a mutation is made again after others.
pub const REINVOCATION: &[&str] = &["IfNeeded", "Never"];
const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const CONDITIONS_MAX: usize = 64;

/// A rule, of a webhook or of a policy.
pub struct Rule<'a> {
    operations: &'a [String],
    groups: &'a [String],
    versions: &'a [String],
    resources: &'a [String],
    scope: Option<&'a str>,
}

impl<'a> From<&'a RuleWithOperations> for Rule<'a> {
    fn from(rule: &'a RuleWithOperations) -> Self {
        Self {
            operations: list(&rule.operations),
            groups: list(&rule.api_groups),
            versions: list(&rule.api_versions),
            resources: list(&rule.resources),
            scope: rule.scope.as_deref(),
        }
    }
}

impl<'a> From<&'a NamedRuleWithOperations> for Rule<'a> {
    fn from(rule: &'a NamedRuleWithOperations) -> Self {
        Self {
            operations: list(&rule.operations),
            groups: list(&rule.api_groups),
            versions: list(&rule.api_versions),
            resources: list(&rule.resources),
            scope: rule.scope.as_deref(),
        }
    }
}

/// Checks a rule.
pub fn rule(errors: &mut Errors, path: &Path, rule: &Rule<'_>) {
    let at = path.child("operations");
    wildcard(errors, &at, rule.operations, "operations");
    for (i, one) in rule.operations.iter().enumerate() {
        supported(errors, &at.index(i), one, OPERATIONS);
    }
    wildcard(errors, &path.child("apiGroups"), rule.groups, "API groups");
    let at = path.child("apiVersions");
    wildcard(errors, &at, rule.versions, "API versions");
    for (i, _) in rule.versions.iter().enumerate().filter(|(_, version)| version.is_empty()) {
        errors.required(&at.index(i), "");
    }
    resources::check(errors, &path.child("resources"), rule.resources);
    if let Some(scope) = rule.scope {
        supported(errors, &path.child("scope"), scope, &["*", "Cluster", "Namespaced"]);
    }
}

/// A list that is not empty, and in which the wildcard stands alone.
fn wildcard(errors: &mut Errors, path: &Path, values: &[String], what: &str) {
    if values.is_empty() {
        errors.required(path, "");
    }
    if values.len() > 1 && values.iter().any(|value| value == "*") {
        errors.invalid(path, values.to_vec(), format!("if '*' is present, must not specify other {what}"));
    }
}

/// Defaults of what a policy or a binding matches.
pub fn default_resources(resources: &mut MatchResources) {
    fill_absent(&mut resources.match_policy, "Equivalent");
    resources.namespace_selector.get_or_insert_default();
    resources.object_selector.get_or_insert_default();
    let rules = resources.resource_rules.iter_mut().flatten();
    for rule in rules.chain(resources.exclude_resource_rules.iter_mut().flatten()) {
        rule.scope.get_or_insert_with(|| "*".into());
    }
}

/// What a policy or a binding matches.
pub fn match_resources(errors: &mut Errors, path: &Path, resources: &MatchResources) {
    picked(errors, &path.child("matchPolicy"), resources.match_policy.as_ref(), MATCH);
    selector(errors, &path.child("namespaceSelector"), resources.namespace_selector.as_ref());
    selector(errors, &path.child("objectSelector"), resources.object_selector.as_ref());
    for (field, rules) in [
        ("resourceRules", list(&resources.resource_rules)),
        ("excludeResourceRules", list(&resources.exclude_resource_rules)),
    ] {
        for (i, one) in rules.iter().enumerate() {
            named_rule(errors, &path.child(field).index(i), one);
        }
    }
}

fn named_rule(errors: &mut Errors, path: &Path, named: &NamedRuleWithOperations) {
    let (at, all) = (path.child("resourceNames"), list(&named.resource_names));
    for (i, name) in all.iter().enumerate() {
        each(errors, &at.index(i), name.as_str(), names::is_path_segment_name(name));
        if all[..i].contains(name) {
            errors.duplicate(&at.index(i), name.as_str());
        }
    }
    rule(errors, path, &named.into());
}

/// What a policy is asked about, which must be said.
pub fn constraints(errors: &mut Errors, path: &Path, resources: Option<&MatchResources>) {
    let Some(resources) = resources else { return errors.required(path, "") };
    match_resources(errors, path, resources);
    if list(&resources.resource_rules).is_empty() {
        errors.required(&path.child("resourceRules"), "");
    }
}

/// Operations that change nothing cannot be changed.
pub fn mutating_operations(errors: &mut Errors, path: &Path, resources: Option<&MatchResources>) {
    let at = path.child("resourceRules").child("operations");
    let rules = resources.map(|resources| list(&resources.resource_rules)).unwrap_or_default();
    for operation in rules.iter().flat_map(|rule| list(&rule.operations)) {
        supported(errors, &at, operation, &["*", "CONNECT", "CREATE", "UPDATE"]);
    }
}

/// What a condition may speak of; the last only where there are parameters.
const KNOWN: &[&str] = &["object", "oldObject", "request", "authorizer", "params"];

/// Conditions, each of another name.
pub fn conditions(errors: &mut Errors, path: &Path, conditions: &[MatchCondition], params: bool) {
    let known = if params { KNOWN } else { &KNOWN[..4] };
    if conditions.len() > CONDITIONS_MAX {
        errors.too_many(path, conditions.len(), CONDITIONS_MAX);
    }
    for (i, one) in conditions.iter().enumerate() {
        let at = path.index(i);
        cel::condition(errors, &at.child("expression"), one.expression.trim(), "", known);
        let at = at.child("name");
        if one.name.is_empty() {
            errors.required(&at, "");
            continue;
        }
        qualified(errors, &at, &one.name);
        if conditions[..i].iter().any(|other| other.name == one.name) {
            errors.duplicate(&at, one.name.as_str());
        }
    }
}

/// What expressions of a policy may speak of; of parameters only where there are some.
const SPOKEN: &[&str] = &["object", "oldObject", "request", "authorizer", "namespaceObject", "params"];

/// Variables of a policy, and what its expressions may name then: `variables` only if there are some, each with the
/// type of its expression.
pub fn variables(errors: &mut Errors, path: &Path, variables: &[Variable], params: bool) -> Variables<'static> {
    let mut known = cel::variables(if params { SPOKEN } else { SPOKEN.split_last().expect("it is not empty").1 });
    let mut declared = BTreeMap::new();
    for (i, one) in variables.iter().enumerate() {
        let at = path.index(i);
        if one.name.trim().is_empty() {
            errors.required(&at.child("name"), "name is not specified");
        } else if !cel::is_identifier(&one.name) {
            errors.invalid(&at.child("name"), one.name.as_str(), "must be a valid CEL identifier");
        }
        let (at, missing) = (at.child("expression"), "expression is not specified");
        let kind = cel::compiled(errors, &at, &one.expression, missing, (&known, Wanted::Any));
        declared.insert(one.name.clone(), kind);
        known.insert("variables".to_owned(), Type::Record(declared.clone()));
    }
    known
}

/// The kind of a policy's parameters.
pub fn param_kind(errors: &mut Errors, path: &Path, kind: &ParamKind) {
    let (at, version) = (path.child("apiVersion"), text(&kind.api_version));
    let parts: Vec<&str> = version.split('/').collect();
    match parts.as_slice() {
        [""] => errors.required(&at, ""),
        [version] => group_version(errors, &at, version, "", version),
        [group, rest] => group_version(errors, &at, version, group, rest),
        _ => errors.invalid(&at, version, format!("unexpected GroupVersion string: {version}")),
    }
    let (at, name) = (path.child("kind"), text(&kind.kind));
    let faults = names::is_dns1035_label(&name.to_lowercase());
    if name.is_empty() {
        errors.required(&at, "");
    } else if !faults.is_empty() {
        errors.invalid(&at, name, format!("may have mixed case, but should otherwise match: {}", faults.join(",")));
    }
}

fn group_version(errors: &mut Errors, path: &Path, whole: &str, group: &str, version: &str) {
    let faults = names::is_dns1123_subdomain(group);
    if !group.is_empty() && !faults.is_empty() {
        errors.invalid(path, group, faults.join(","));
    }
    let faults = names::is_dns1035_label(version);
    if version.is_empty() {
        errors.invalid(path, whole, "version must be specified");
    } else if !faults.is_empty() {
        errors.invalid(path, version, faults.join(","));
    }
}

/// The policy that a binding binds.
pub fn policy_name(errors: &mut Errors, path: &Path, name: &str) {
    match name {
        "" => errors.required(path, ""),
        name => subdomain(errors, path, name),
    }
}

/// The parameters of a binding.
pub fn param_ref(errors: &mut Errors, path: &Path, reference: &ParamRef) {
    let (name, chosen) = (text(&reference.name), reference.selector.as_ref());
    let both = "name and selector are mutually exclusive";
    if !name.is_empty() {
        each(errors, &path.child("name"), name, names::is_path_segment_name(name));
        if chosen.is_some() {
            errors.forbidden(&path.child("name"), both);
        }
    }
    selector(errors, &path.child("selector"), chosen);
    match (name, chosen) {
        ("", None) => errors.required(path, "one of name or selector must be specified"),
        (name, Some(_)) if !name.is_empty() => errors.forbidden(&path.child("selector"), both),
        _ => {}
    }
    let at = path.child("parameterNotFoundAction");
    match text(&reference.parameter_not_found_action) {
        "" => errors.required(&at, ""),
        action => supported(errors, &at, action, &["Deny", "Allow"]),
    }
}

/// `GROUP/VERSION/KIND` of a policy's parameters, as a cell.
#[must_use]
pub fn shown_kind(kind: Option<&ParamKind>) -> String {
    kind.map_or_else(|| "<unset>".into(), |kind| format!("{}/{}", text(&kind.api_version), text(&kind.kind)))
}

/// A binding's parameters, as a cell.
#[must_use]
pub fn shown_ref(reference: Option<&ParamRef>) -> String {
    let Some(reference) = reference else { return "<unset>".into() };
    match (text(&reference.namespace), text(&reference.name)) {
        (_, "") => reference.selector.as_ref().map_or_else(|| "<unset>".into(), crate::rules::print::selector),
        ("", name) => format!("*/{name}"),
        (namespace, name) => format!("{namespace}/{name}"),
    }
}
