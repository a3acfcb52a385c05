//! `matchLabelKeys` and `mismatchLabelKeys`: a new pod's own labels become part of its selectors, so that
//! the scheduler need not know of them.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::{Pod, PodAffinityTerm};
use nakhoda_api::kinds::meta::{LabelSelector, LabelSelectorRequirement};

use crate::rules::check::list;

/// Completes the selectors of a new pod.
pub fn merge(pod: &mut Pod) {
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    let Some(spec) = &mut pod.spec else { return };
    for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
        let keys = list(&constraint.match_label_keys).to_vec();
        if let Some(selector) = &mut constraint.label_selector {
            extend(selector, &keys, "In", &labels);
        }
    }
    let Some(affinity) = &mut spec.affinity else { return };
    if let Some(pods) = &mut affinity.pod_affinity {
        let preferred = pods.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
        preferred.for_each(|w| term(&mut w.pod_affinity_term, &labels));
        pods.required_during_scheduling_ignored_during_execution.iter_mut().flatten().for_each(|t| term(t, &labels));
    }
    if let Some(pods) = &mut affinity.pod_anti_affinity {
        let preferred = pods.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
        preferred.for_each(|w| term(&mut w.pod_affinity_term, &labels));
        pods.required_during_scheduling_ignored_during_execution.iter_mut().flatten().for_each(|t| term(t, &labels));
    }
}

fn term(term: &mut PodAffinityTerm, labels: &BTreeMap<String, String>) {
    let Some(selector) = &mut term.label_selector else { return };
    extend(selector, list(&term.match_label_keys), "In", labels);
    extend(selector, list(&term.mismatch_label_keys), "NotIn", labels);
}

fn extend(selector: &mut LabelSelector, keys: &[String], operator: &str, labels: &BTreeMap<String, String>) {
    for (key, value) in keys.iter().filter_map(|k| labels.get_key_value(k)) {
        selector.match_expressions.get_or_insert_default().push(LabelSelectorRequirement {
            key: key.clone(),
            operator: operator.into(),
            values: Some(vec![value.clone()]),
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_pods_labels_become_requirements() {
        let term =
            json!({"topologyKey": "z", "labelSelector": {}, "matchLabelKeys": ["a", "x"], "mismatchLabelKeys": ["b"]});
        let mut pod: Pod = serde_json::from_value(json!({
            "metadata": {"labels": {"a": "1", "b": "2"}},
            "spec": {"containers": [], "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}},
        }))
        .expect("a pod");
        merge(&mut pod);
        let pod = serde_json::to_value(pod).expect("JSON");
        let path = "/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/labelSelector/matchExpressions";
        assert_eq!(
            pod.pointer(path),
            Some(
                &json!([{"key": "a", "operator": "In", "values": ["1"]}, {"key": "b", "operator": "NotIn", "values": ["2"]}])
            )
        );
    }
}
