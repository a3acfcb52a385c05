//! Which labels of its Node a kubelet may set (`k8s.io/kubelet/pkg/apis`).

use std::collections::{BTreeMap, BTreeSet};

use nakhoda_api::Object;

const KUBELET_LABELS: [&str; 12] = [
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "node.kubernetes.io/windows-build",
];
const KUBELET_PREFIXES: [&str; 2] = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const RESTRICTED: &str = "node-restriction.kubernetes.io";

/// The labels that are not as they were.
pub(super) fn changed<'a>(new: &'a Object, old: Option<&'a Object>) -> BTreeSet<&'a str> {
    let new: BTreeMap<&str, &str> = new.labels().collect();
    let old: BTreeMap<&str, &str> = old.map(|old| old.labels().collect()).unwrap_or_default();
    new.keys().chain(old.keys()).copied().filter(|key| new.get(key) != old.get(key)).collect()
}

/// Those of them that a kubelet may not touch.
pub(super) fn forbidden<'a>(changed: &BTreeSet<&'a str>) -> Vec<&'a str> {
    changed.iter().copied().filter(|label| is_forbidden(label)).collect()
}

fn is_forbidden(label: &str) -> bool {
    let prefix = label.split_once('/').map_or("", |(prefix, _)| prefix);
    let within = |domain: &str| prefix == domain || prefix.ends_with(&format!(".{domain}"));
    if within(RESTRICTED) {
        return true;
    }
    let official = within("kubernetes.io") || within("k8s.io");
    official && !KUBELET_LABELS.contains(&label) && !KUBELET_PREFIXES.into_iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubelet_sets_its_own_labels_and_those_of_nobody() {
        let set = BTreeSet::from(["kubernetes.io/os", "disk", "node-role.kubernetes.io/x", "a.node-restriction.kubernetes.io/y"]);
        assert_eq!(forbidden(&set), ["a.node-restriction.kubernetes.io/y", "node-role.kubernetes.io/x"]);
    }
}
