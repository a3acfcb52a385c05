//! Labels of nodes that have newer names, and selectors that select nothing.

use nakhoda_api::kinds::core::{NodeSelectorTerm, PodAffinityTerm, PodSpec};

use crate::rules::check::list;

const DEPRECATED: &[(&str, &str)] = &[
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    ("failure-domain.beta.kubernetes.io/zone", "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"),
    ("beta.kubernetes.io/instance-type", "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    ("scheduler.alpha.kubernetes.io/preferAvoidPods", "deprecated since v1.22; use Taints and Tolerations instead"),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
];
const NO_POD: &str = "a null labelSelector results in matching no pod";
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// What to use instead of a label of nodes.
pub(crate) fn deprecated(label: &str) -> Option<&'static str> {
    DEPRECATED.iter().find(|(name, _)| *name == label).map(|(_, text)| *text)
}

pub(super) fn warnings(path: &str, spec: &PodSpec) -> Vec<String> {
    let mut warnings = Vec::new();
    for (label, _) in spec.node_selector.iter().flatten() {
        warnings.extend(deprecated(label).map(|text| format!("{path}.nodeSelector[{label}]: {text}")));
    }
    nodes(&mut warnings, path, spec);
    for (i, constraint) in list(&spec.topology_spread_constraints).iter().enumerate() {
        let (at, key) = (format!("{path}.topologySpreadConstraints[{i}]"), &constraint.topology_key);
        warnings.extend(deprecated(key).map(|text| format!("{at}.topologyKey: {key} is {text}")));
        if constraint.label_selector.is_none() {
            warnings.push(format!("{at}.labelSelector: {NO_POD}"));
        }
    }
    pods(&mut warnings, path, spec);
    warnings
}

fn nodes(warnings: &mut Vec<String>, path: &str, spec: &PodSpec) {
    let Some(node) = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref()) else { return };
    let at = format!("{path}.affinity.nodeAffinity");
    let required = node.required_during_scheduling_ignored_during_execution.as_ref();
    for (i, one) in required.map_or(&[][..], |s| &s.node_selector_terms).iter().enumerate() {
        term(warnings, &format!("{at}.{REQUIRED}.nodeSelectorTerms[{i}]"), one);
    }
    for (i, one) in list(&node.preferred_during_scheduling_ignored_during_execution).iter().enumerate() {
        term(warnings, &format!("{at}.{PREFERRED}[{i}].preference"), &one.preference);
    }
}

/// Of a term of a node selector.
pub(crate) fn term(warnings: &mut Vec<String>, path: &str, term: &NodeSelectorTerm) {
    for (i, one) in list(&term.match_expressions).iter().enumerate() {
        let key = &one.key;
        warnings.extend(deprecated(key).map(|text| format!("{path}.matchExpressions[{i}].key: {key} is {text}")));
    }
}

fn pods(warnings: &mut Vec<String>, path: &str, spec: &PodSpec) {
    let Some(affinity) = &spec.affinity else { return };
    let mut told = |at: String, term: &PodAffinityTerm| {
        if term.label_selector.is_none() {
            warnings.push(format!("{path}.affinity.{at}.labelSelector: {NO_POD}"));
        }
    };
    if let Some(pod) = &affinity.pod_affinity {
        for (i, one) in list(&pod.required_during_scheduling_ignored_during_execution).iter().enumerate() {
            told(format!("podAffinity.{REQUIRED}[{i}]"), one);
        }
        for (i, one) in list(&pod.preferred_during_scheduling_ignored_during_execution).iter().enumerate() {
            told(format!("podAffinity.{PREFERRED}[{i}].podAffinityTerm"), &one.pod_affinity_term);
        }
    }
    if let Some(pod) = &affinity.pod_anti_affinity {
        for (i, one) in list(&pod.required_during_scheduling_ignored_during_execution).iter().enumerate() {
            told(format!("podAntiAffinity.{REQUIRED}[{i}]"), one);
        }
        for (i, one) in list(&pod.preferred_during_scheduling_ignored_during_execution).iter().enumerate() {
            told(format!("podAntiAffinity.{PREFERRED}[{i}].podAffinityTerm"), &one.pod_affinity_term);
        }
    }
}
