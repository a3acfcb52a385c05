//! A node has no more volumes of a driver than its CSINode says.

use std::collections::{HashMap, HashSet};

use crate::cluster::Cluster;
use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Verdict};
use crate::node::Node;
use crate::pod::PodInfo;

struct VolumeLimits;

/// Volumes by driver; what tells one from another is its handle, or its claim until it has one.
type Attached<'a> = HashMap<&'a str, HashSet<&'a str>>;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    let helped_by = Changes::NODE_ADDED.or(Changes::POD_REMOVED).or(Changes::VOLUMES);
    Plugin::named("NodeVolumeLimits").filter(VolumeLimits, helped_by).looking_around()
}

impl Filter for VolumeLimits {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let wanted = attached(cycle.cluster, [cycle.pod]);
        if wanted.is_empty() {
            return Check::Skip;
        }
        Check::Each(Box::new(move |node| check(cycle.cluster, &wanted, node)))
    }
}

fn check(cluster: &Cluster, wanted: &Attached<'_>, node: &Node) -> Verdict {
    let limits = |driver: &str| cluster.volumes().limit(&node.name, driver);
    if !wanted.keys().any(|driver| limits(driver).is_some()) {
        return Verdict::Pass;
    }
    let there = attached(cluster, node.pods.values().map(|pod| &**pod));
    for (driver, volumes) in wanted {
        let Some(limit) = limits(driver) else { continue };
        let empty = HashSet::new();
        let there = there.get(driver).unwrap_or(&empty);
        let new = volumes.difference(there).count();
        if new > 0 && there.len() + new > limit {
            return Verdict::reject("node(s) exceed max volume count");
        }
    }
    Verdict::Pass
}

fn attached<'a>(cluster: &'a Cluster, pods: impl IntoIterator<Item = &'a PodInfo>) -> Attached<'a> {
    let volumes = cluster.volumes();
    let mut attached: Attached<'a> = HashMap::new();
    for reference in pods.into_iter().flat_map(|pod| &pod.claims) {
        let Some(claim) = volumes.claim(&reference.key) else { continue };
        let name = claim.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or_default();
        let source = volumes.volume(name).and_then(|v| v.spec.as_ref()).and_then(|s| s.csi.as_ref());
        let (driver, handle) = match (source, volumes.class_of(claim)) {
            (Some(source), _) => (source.driver.as_str(), source.volume_handle.as_str()),
            (None, Some(class)) if name.is_empty() => (class.provisioner.as_str(), reference.key.name.as_str()),
            (None, _) => continue,
        };
        attached.entry(driver).or_default().insert(handle);
    }
    attached
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nakhoda_api::kinds::storage::CSINode;
    use serde_json::json;

    use super::*;
    use crate::fixtures::{bound_claim, cluster, node, pod, verdicts_in, volume};

    #[test]
    fn a_volume_that_is_there_already_needs_no_room() {
        let mut nodes = cluster([node("a").with(pod("first").claim("one"))]);
        for name in ["one", "two"] {
            let mut disk = volume(name, "c", None);
            let source = json!({"driver": "d", "volumeHandle": name});
            disk.spec.as_mut().expect("made with a spec").csi = serde_json::from_value(source).expect("a source");
            nodes.volumes_mut().set_volume(Arc::new(disk));
            nodes.volumes_mut().set_claim(Arc::new(bound_claim(name, name)));
        }
        let limits = json!({"metadata": {"name": "a"}, "spec": {"drivers": [{"name": "d", "nodeID": "a", "allocatable": {"count": 1}}]}});
        let csi_node: CSINode = serde_json::from_value(limits).expect("a CSINode");
        nodes.volumes_mut().set_limits(&csi_node);
        assert_eq!(verdicts_in(plugin(), pod("p").claim("one"), &mut nodes), [Verdict::Pass]);
        let full = Verdict::reject("node(s) exceed max volume count");
        assert_eq!(verdicts_in(plugin(), pod("p").claim("two"), &mut nodes), [full]);
    }
}
