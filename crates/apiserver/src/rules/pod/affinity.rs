//! Affinity to nodes and to other pods.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{
    Affinity, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, WeightedPodAffinityTerm,
};
use nakhoda_api::names;

use super::scheduling::label_keys;
use crate::rules::check::{each, label, list, qualified, selector};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// All kinds of affinity.
pub fn validate(errors: &mut Errors, path: &Path, affinity: &Affinity) {
    if let Some(node) = &affinity.node_affinity {
        let at = path.child("nodeAffinity");
        if let Some(selector) = &node.required_during_scheduling_ignored_during_execution {
            terms(errors, &at.child(REQUIRED).child("nodeSelectorTerms"), &selector.node_selector_terms);
        }
        for (i, one) in list(&node.preferred_during_scheduling_ignored_during_execution).iter().enumerate() {
            let at = at.child(PREFERRED).index(i);
            weight(errors, &at, one.weight);
            term(errors, &at.child("preference"), &one.preference, false);
        }
    }
    if let Some(pod) = &affinity.pod_affinity {
        let at = path.child("podAffinity");
        required_pods(errors, &at, list(&pod.required_during_scheduling_ignored_during_execution));
        preferred_pods(errors, &at, list(&pod.preferred_during_scheduling_ignored_during_execution));
    }
    if let Some(pod) = &affinity.pod_anti_affinity {
        let at = path.child("podAntiAffinity");
        required_pods(errors, &at, list(&pod.required_during_scheduling_ignored_during_execution));
        preferred_pods(errors, &at, list(&pod.preferred_during_scheduling_ignored_during_execution));
    }
}

/// Terms of a node selector, of which there must be one.
pub fn terms(errors: &mut Errors, path: &Path, terms: &[NodeSelectorTerm]) {
    if terms.is_empty() {
        errors.required(path, "must have at least one node selector term");
    }
    for (i, one) in terms.iter().enumerate() {
        term(errors, &path.index(i), one, true);
    }
}

fn term(errors: &mut Errors, path: &Path, term: &NodeSelectorTerm, values_too: bool) {
    for (i, one) in list(&term.match_expressions).iter().enumerate() {
        expression(errors, &path.child("matchExpressions").index(i), one, values_too);
    }
    for (i, one) in list(&term.match_fields).iter().enumerate() {
        field(errors, &path.child("matchFields").index(i), one);
    }
}

fn expression(errors: &mut Errors, path: &Path, requirement: &NodeSelectorRequirement, values_too: bool) {
    let (values, at) = (list(&requirement.values), path.child("values"));
    match (requirement.operator.as_str(), values.len()) {
        ("In" | "NotIn", 0) => errors.required(&at, "must be specified when `operator` is 'In' or 'NotIn'"),
        ("In" | "NotIn", _) | ("Exists" | "DoesNotExist", 0) | ("Gt" | "Lt", 1) => {}
        ("Exists" | "DoesNotExist", _) => {
            errors.forbidden(&at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
        }
        ("Gt" | "Lt", _) => {
            errors.required(&at, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        (other, _) => errors.invalid(&path.child("operator"), other, "not a valid selector operator"),
    }
    qualified(errors, &path.child("key"), &requirement.key);
    for (i, value) in values.iter().enumerate().filter(|_| values_too) {
        each(errors, &at.index(i), value.as_str(), names::is_label_value(value));
    }
}

fn field(errors: &mut Errors, path: &Path, requirement: &NodeSelectorRequirement) {
    let (values, at) = (list(&requirement.values), path.child("values"));
    match requirement.operator.as_str() {
        "In" | "NotIn" if values.len() == 1 => {}
        "In" | "NotIn" => {
            let why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.required(&at, why);
        }
        other => errors.invalid(&path.child("operator"), other, "not a valid selector operator"),
    }
    if requirement.key != "metadata.name" {
        return errors.invalid(&path.child("key"), requirement.key.as_str(), "not a valid field selector key");
    }
    for (i, value) in values.iter().enumerate() {
        each(errors, &at.index(i), value.as_str(), names::is_dns1123_subdomain(value));
    }
}

fn weight(errors: &mut Errors, path: &Path, weight: i32) {
    if !(1..=100).contains(&weight) {
        errors.invalid(&path.child("weight"), weight, "must be in the range 1-100");
    }
}

fn required_pods(errors: &mut Errors, path: &Path, terms: &[PodAffinityTerm]) {
    for (i, one) in terms.iter().enumerate() {
        pods(errors, &path.child(REQUIRED).index(i), one);
    }
}

fn preferred_pods(errors: &mut Errors, path: &Path, terms: &[WeightedPodAffinityTerm]) {
    for (i, one) in terms.iter().enumerate() {
        let at = path.child(PREFERRED).index(i);
        weight(errors, &at, one.weight);
        pods(errors, &at.child("podAffinityTerm"), &one.pod_affinity_term);
    }
}

fn pods(errors: &mut Errors, path: &Path, term: &PodAffinityTerm) {
    selector(errors, &path.child("labelSelector"), term.label_selector.as_ref());
    selector(errors, &path.child("namespaceSelector"), term.namespace_selector.as_ref());
    for namespace in list(&term.namespaces) {
        label(errors, &path.child("namespace"), namespace);
    }
    keys(errors, path, term);
    if term.topology_key.is_empty() {
        errors.required(&path.child("topologyKey"), "can not be empty");
    }
    qualified(errors, &path.child("topologyKey"), &term.topology_key);
}

fn keys(errors: &mut Errors, path: &Path, term: &PodAffinityTerm) {
    let (matching, other) = (list(&term.match_label_keys), list(&term.mismatch_label_keys));
    for (field, keys) in [("matchLabelKeys", matching), ("mismatchLabelKeys", other)] {
        label_keys(errors, &path.child(field), keys, &term.label_selector);
    }
    for (i, key) in matching.iter().enumerate().filter(|(_, k)| other.contains(k)) {
        let at = path.child("matchLabelKeys").index(i);
        errors.invalid(&at, key.as_str(), "exists in both matchLabelKeys and mismatchLabelKeys");
    }
}
