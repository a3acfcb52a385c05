//! The pod of a daemon set for one node. The scheduler puts it there: its affinity names the node.

use nakhoda_api::kinds::apps::DaemonSet;
use nakhoda_api::kinds::core::{
    NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration,
};

use crate::history::HASH;
use crate::pod_control::from_template;
use crate::taints::{
    DISK_PRESSURE, MEMORY_PRESSURE, NETWORK_UNAVAILABLE, NO_EXECUTE, NO_SCHEDULE, NOT_READY, PID_PRESSURE, UNREACHABLE,
    UNSCHEDULABLE,
};

/// The field that names a node.
const NAME_FIELD: &str = "metadata.name";

/// What every daemon pod tolerates.
const TOLERATED: [(&str, &str); 6] = [
    (NOT_READY, NO_EXECUTE),
    (UNREACHABLE, NO_EXECUTE),
    (DISK_PRESSURE, NO_SCHEDULE),
    (MEMORY_PRESSURE, NO_SCHEDULE),
    (PID_PRESSURE, NO_SCHEDULE),
    (UNSCHEDULABLE, NO_SCHEDULE),
];

/// The pod of a set for a node.
#[must_use]
pub fn build(set: &DaemonSet, node: &str, hash: &str) -> Pod {
    let mut pod = from_template(&set.spec.template, set);
    pod.metadata.labels.get_or_insert_default().insert(HASH.into(), hash.into());
    let spec = pod.spec.get_or_insert_default();
    spec.tolerations = Some(tolerations(spec));
    let affinity = spec.affinity.get_or_insert_default().node_affinity.get_or_insert_default();
    let required = &mut affinity.required_during_scheduling_ignored_during_execution;
    *required = Some(NodeSelector { node_selector_terms: vec![only(node)] });
    pod
}

/// The tolerations of a spec and those that every daemon pod has.
#[must_use]
pub fn tolerations(spec: &PodSpec) -> Vec<Toleration> {
    let mut all = spec.tolerations.clone().unwrap_or_default();
    let network = (spec.host_network == Some(true)).then_some((NETWORK_UNAVAILABLE, NO_SCHEDULE));
    for (key, effect) in TOLERATED.into_iter().chain(network) {
        let toleration = Toleration {
            key: Some(key.into()),
            operator: Some("Exists".into()),
            effect: Some(effect.into()),
            ..Toleration::default()
        };
        if !all.contains(&toleration) {
            all.push(toleration);
        }
    }
    all
}

/// The node a pod is on, or is meant for.
#[must_use]
pub fn target(pod: &Pod) -> Option<&str> {
    if let Some(node) = crate::pods::node(pod) {
        return Some(node);
    }
    let affinity = pod.spec.as_ref()?.affinity.as_ref()?.node_affinity.as_ref()?;
    let terms = &affinity.required_during_scheduling_ignored_during_execution.as_ref()?.node_selector_terms;
    let fields = terms.iter().flat_map(|t| t.match_fields.iter().flatten());
    let named = fields.filter(|f| f.key == NAME_FIELD && f.operator == "In");
    named.flat_map(|f| f.values.iter().flatten()).map(String::as_str).next()
}

fn only(node: &str) -> NodeSelectorTerm {
    let requirement = NodeSelectorRequirement {
        key: NAME_FIELD.into(),
        operator: "In".into(),
        values: Some(vec![node.into()]),
    };
    NodeSelectorTerm { match_expressions: None, match_fields: Some(vec![requirement]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_meant_for_its_node_and_tolerates_what_befalls_nodes() {
        let mut set = DaemonSet::default();
        set.metadata.name = Some("proxy".into());
        set.spec.template.spec = Some(PodSpec { host_network: Some(true), ..PodSpec::default() });
        let pod = build(&set, "n1", "abc");
        assert_eq!(target(&pod), Some("n1"));
        assert_eq!(pod.metadata.labels.as_ref().expect("labelled")[HASH], "abc");
        let tolerations = pod.spec.expect("set").tolerations.expect("set");
        assert_eq!(tolerations.len(), TOLERATED.len() + 1);
        let again = PodSpec { tolerations: Some(tolerations.clone()), host_network: Some(true), ..PodSpec::default() };
        assert_eq!(super::tolerations(&again), tolerations);
    }
}
