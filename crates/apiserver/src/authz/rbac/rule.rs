//! Whether a rule covers a question (`k8s.io/component-helpers/auth/rbac/validation`).

use nakhoda_api::kinds::rbac::PolicyRule;

use crate::authz::Attributes;
use crate::request::{ResourceTarget, Target};

/// Whether one of the rules allows what is asked.
#[must_use]
pub fn any_allows(rules: &[PolicyRule], asked: &Attributes) -> bool {
    rules.iter().any(|rule| allows(rule, asked))
}

fn allows(rule: &PolicyRule, asked: &Attributes) -> bool {
    if !rule.verbs.iter().any(|v| v == "*" || *v == asked.verb) {
        return false;
    }
    match &asked.target {
        Target::Path(path) => listed(rule.non_resource_urls.as_ref()).any(|url| covers_path(url, path)),
        Target::Resource(target) => covers_resource(rule, target),
    }
}

fn covers_path(url: &str, path: &str) -> bool {
    match url.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => url == path,
    }
}

fn covers_resource(rule: &PolicyRule, target: &ResourceTarget) -> bool {
    listed(rule.api_groups.as_ref()).any(|group| group == "*" || group == target.gvr.group)
        && listed(rule.resources.as_ref()).any(|resource| covers_name(resource, target))
        && covers_object(rule, &target.name)
}

/// `*` covers all, `*/scale` one subresource of all, `pods/log` one of one.
fn covers_name(resource: &str, target: &ResourceTarget) -> bool {
    if resource == "*" {
        return true;
    }
    match resource.split_once('/') {
        None => target.subresource.is_empty() && resource == target.gvr.resource,
        Some((main, sub)) => sub == target.subresource && (main == "*" || main == target.gvr.resource),
    }
}

fn covers_object(rule: &PolicyRule, name: &str) -> bool {
    let mut names = listed(rule.resource_names.as_ref()).peekable();
    names.peek().is_none() || names.any(|n| n == name)
}

fn listed(list: Option<&Vec<String>>) -> impl Iterator<Item = &str> {
    list.into_iter().flatten().map(String::as_str)
}
