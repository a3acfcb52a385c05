//! A namespace: its labels can be read, and who makes it stricter hears which pods would no longer be let in.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::Pod;
use nakhoda_api::{Object, Status};

use super::checks;
use super::config::Configuration;
use super::policy::{Level, Policy, Standard};
use super::subject::Subject;
use crate::admission::Attributes;

/// So many pods are looked at.
const MOST: usize = 3000;

pub(super) fn check(configuration: &Configuration, attributes: &Attributes<'_>, new: &Object) -> Result<(), Status> {
    let labels = labels(new);
    let (policy, errors) = Policy::of(&labels, &configuration.defaults);
    let before = attributes.old.map(|old| Policy::of(&self::labels(old), &configuration.defaults));
    let known = before.as_ref().is_some_and(|(_, old)| old.to_string() == errors.to_string());
    if !errors.is_empty() && !known {
        return Err(Status::invalid(&attributes.call.fault_kind(), new.name(), &errors));
    }
    let ignored = || configuration.ignored(new.name(), &policy, &labels);
    let Some((before, _)) = before else {
        attributes.call.notes.warn(ignored());
        return Ok(());
    };
    let (was, is) = (before.enforce, policy.enforce);
    let looser = is.version == was.version && is.level <= was.level;
    if is != was && is.level != Level::Privileged && !looser {
        if configuration.is_exempt(new.name()) {
            attributes.call.notes.warn(ignored());
            return Ok(());
        }
        let pods = attributes.call.pipeline.storage().list::<Pod>(Some(new.name()));
        attributes.call.notes.warn(warnings(new.name(), is, first_of_each(pods)));
    }
    Ok(())
}

fn labels(namespace: &Object) -> BTreeMap<String, String> {
    namespace.labels().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// One pod of each controller goes before the others.
fn first_of_each(pods: Vec<Pod>) -> Vec<Pod> {
    let mut seen = Vec::new();
    let (mut first, others): (Vec<Pod>, Vec<Pod>) = pods.into_iter().partition(|pod| {
        let owners = pod.metadata.owner_references.iter().flatten();
        let Some(owner) = owners.filter(|owner| owner.controller == Some(true)).map(|owner| &owner.uid).next() else {
            return true;
        };
        let new = !seen.contains(owner);
        seen.push(owner.clone());
        new
    });
    first.extend(others);
    first
}

/// Pods with the same reasons are told together, under the name of the first.
fn warnings(namespace: &str, standard: Standard, pods: Vec<Pod>) -> Vec<String> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pod in pods.iter().take(MOST) {
        let Some(spec) = &pod.spec else { continue };
        let faults = checks::faults(standard, &Subject::new(Some(&pod.metadata), spec));
        if !faults.is_empty() {
            found.entry(checks::reasons(&faults)).or_default().push(pod.metadata.name.clone().unwrap_or_default());
        }
    }
    let mut told = Vec::new();
    if pods.len() > MOST {
        let all = pods.len();
        told.push(format!("new PodSecurity enforce level only checked against the first {MOST} of {all} existing pods"));
    }
    if !found.is_empty() {
        told.push(format!(
            "existing pods in namespace {namespace:?} violate the new PodSecurity enforce level \"{standard}\""
        ));
    }
    let mut each: Vec<String> = found.into_iter().map(|(why, names)| format!("{}: {why}", shown(names))).collect();
    each.sort();
    told.extend(each);
    told
}

fn shown(mut names: Vec<String>) -> String {
    names.sort();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first, _] => format!("{first} (and 1 other pod)"),
        [first, others @ ..] => format!("{first} (and {} other pods)", others.len()),
    }
}
