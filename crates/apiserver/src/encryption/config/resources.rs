//! Which resources a rule is about: by name, `*.GROUP`, or `*.*`, and which rule comes first.

use std::collections::HashMap;
use std::sync::Arc;

use nakhoda_api::GroupResource;
use nakhoda_api::field::{Errors, Path};

use super::ConfigError;
use crate::encryption::chain::{Chain, Provider};

const OVERLAP: &str = "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked";
const EVENTS: &str = "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";

/// Every rule's providers to its resources; a rule that an earlier one leaves without effect is an error.
pub(super) fn assign<'a>(
    rules: impl Iterator<Item = (&'a [String], Vec<Arc<Provider>>)>,
) -> Result<HashMap<GroupResource, Chain>, ConfigError> {
    let mut chains: HashMap<GroupResource, Chain> = HashMap::new();
    for (resources, providers) in rules {
        for resource in resources.iter().map(|text| parse(text)) {
            let any = |group: &str| GroupResource { group: group.into(), resource: "*".into() };
            let masks = [any(&resource.group), any("*")];
            if let Some(rule) = masks.iter().find(|mask| chains.contains_key(mask)) {
                return Err(ConfigError::Masked { resource: shown(&resource), rule: shown(rule) });
            }
            let chain = chains.entry(resource).or_insert_with(|| Chain(Vec::new()));
            chain.0.extend(providers.iter().cloned());
        }
    }
    Ok(chains)
}

/// `resource.group`; without a dot it is the core group's.
fn parse(text: &str) -> GroupResource {
    let (resource, group) = text.split_once('.').unwrap_or((text, ""));
    GroupResource { group: group.into(), resource: resource.into() }
}

fn shown(resource: &GroupResource) -> String {
    if resource.group.is_empty() && resource.resource == "*" { "*.".into() } else { resource.to_string() }
}

pub(super) fn check(resources: &[String], at: &Path, errors: &mut Errors) {
    if resources.is_empty() {
        errors.required(at, format!("at least one {} is required", at.as_str()));
    }
    let parsed: Vec<_> = resources.iter().map(|text| parse(text)).collect();
    let pairs = || parsed.iter().enumerate().flat_map(|(i, a)| parsed[i + 1..].iter().map(move |b| (a, b)));
    if pairs().any(|(a, b)| a == b) {
        errors.invalid(at, resources.to_vec(), "the same resource cannot be specified multiple times");
    }
    if pairs().any(|(a, b)| a != b && overlap(a, b)) {
        errors.invalid(at, resources.to_vec(), OVERLAP);
    }
    for (index, (text, resource)) in resources.iter().zip(&parsed).enumerate() {
        if let Some(why) = fault(text, resource) {
            errors.invalid(&at.index(index), text.as_str(), why);
        }
    }
}

fn overlap(a: &GroupResource, b: &GroupResource) -> bool {
    let all = |resource: &GroupResource| resource.group == "*" && resource.resource == "*";
    all(a) || all(b) || (a.group == b.group && (a.resource == "*" || b.resource == "*"))
}

fn fault(text: &str, resource: &GroupResource) -> Option<&'static str> {
    match (resource.resource.as_str(), resource.group.as_str()) {
        _ if text.chars().any(char::is_uppercase) => Some("resource name should not contain capital letters"),
        _ if text == "*" => {
            Some("use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources")
        }
        ("apiserveripinfo" | "serviceipallocations" | "servicenodeportallocations", "") => {
            Some("resources which do not have REST API/s cannot be encrypted")
        }
        (_, "events.k8s.io") => Some(EVENTS),
        (_, "extensions") => Some("'extensions' group has been removed and cannot be used for encryption"),
        (name, "*") if name != "*" => Some("encrypting the same resource across groups is not supported"),
        _ => None,
    }
}
