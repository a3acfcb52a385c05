//! A volume with a zone or a region is used only there.

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::PersistentVolume;

use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Verdict};

const KEYS: [&str; 4] = [
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
];
/// Between the zones of a volume that has several.
const DELIMITER: &str = "__";

struct VolumeZone;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    let helped_by = Changes::NODE_ADDED.or(Changes::NODE_LABELS).or(Changes::VOLUMES);
    Plugin::named("VolumeZone").filter(VolumeZone, helped_by).looking_around()
}

impl Filter for VolumeZone {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let demands: Vec<(&str, Vec<&str>)> = cycle.bound_volumes().flat_map(demands).collect();
        if demands.is_empty() {
            return Check::Skip;
        }
        Check::Each(Box::new(move |node| {
            if suits(&demands, &node.labels) {
                Verdict::Pass
            } else {
                Verdict::hopeless("node(s) had no available volume zone")
            }
        }))
    }
}

fn demands(volume: &PersistentVolume) -> Vec<(&'static str, Vec<&str>)> {
    let Some(labels) = &volume.metadata.labels else { return Vec::new() };
    KEYS.into_iter().filter_map(|key| Some((key, labels.get(key)?.split(DELIMITER).collect()))).collect()
}

/// A node without any such label is one of a cluster without zones. The beta labels and those that
/// followed them mean the same.
fn suits(demands: &[(&str, Vec<&str>)], labels: &BTreeMap<String, String>) -> bool {
    if !KEYS.iter().any(|key| labels.contains_key(*key)) {
        return true;
    }
    demands.iter().all(|(key, values)| {
        let twin = |key: &str| match KEYS.iter().position(|k| *k == key) {
            Some(at) => KEYS[(at + 2) % 4],
            None => "",
        };
        let value = labels.get(*key).or_else(|| labels.get(twin(key)));
        value.is_some_and(|value| values.contains(&value.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::{bound_claim, cluster, node, pod, verdicts_in, volume};

    #[test]
    fn a_volume_is_used_in_its_zones_only() {
        let mut zoned = volume("v", "c", None);
        zoned.metadata.labels = Some(BTreeMap::from([("topology.kubernetes.io/zone".into(), "1__2".into())]));
        let zone = |name: &str, key: &str, value: &str| node(name).label(key, value);
        let mut nodes = cluster([
            zone("a", "topology.kubernetes.io/zone", "1"),
            zone("b", "failure-domain.beta.kubernetes.io/zone", "2"),
            zone("c", "topology.kubernetes.io/zone", "3"),
            node("d"),
        ]);
        nodes.volumes_mut().set_volume(Arc::new(zoned));
        nodes.volumes_mut().set_claim(Arc::new(bound_claim("data", "v")));
        let passes: Vec<bool> =
            verdicts_in(plugin(), pod("p").claim("data"), &mut nodes).iter().map(Verdict::passes).collect();
        assert_eq!(passes, [true, true, false, true]);
    }
}
