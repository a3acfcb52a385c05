//! A claim that only one pod may use is used by one pod.
//!
//! Absent: disks named in the pod itself that only one pod may write to (GCE, EBS, RBD, iSCSI).

use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Verdict};

struct VolumeRestrictions;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    let helped_by = Changes::POD_REMOVED.or(Changes::VOLUMES);
    Plugin::named("VolumeRestrictions").filter(VolumeRestrictions, helped_by).looking_around()
}

impl Filter for VolumeRestrictions {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let volumes = cycle.cluster.volumes();
        let mut exclusive = cycle.pod.claims.iter().filter(|reference| {
            let spec = volumes.claim(&reference.key).and_then(|claim| claim.spec.as_ref());
            spec.and_then(|s| s.access_modes.as_ref()).is_some_and(|m| m.iter().any(|m| m == "ReadWriteOncePod"))
        });
        if !exclusive.any(|reference| volumes.users(&reference.key) > 0) {
            return Check::Skip;
        }
        Check::Each(Box::new(|_| {
            Verdict::reject(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
            )
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fixtures::{bound_claim, cluster, node, pod, verdicts_in};

    #[test]
    fn a_claim_for_one_pod_is_used_by_one_pod() {
        let mut nodes = cluster([node("a").with(pod("first").claim("data")), node("b")]);
        let mut claim = bound_claim("data", "v");
        nodes.volumes_mut().set_claim(Arc::new(claim.clone()));
        let passes = |nodes: &mut _| verdicts_in(plugin(), pod("p").claim("data"), nodes).iter().all(Verdict::passes);
        assert!(passes(&mut nodes));
        claim.spec.as_mut().expect("made with a spec").access_modes = Some(vec!["ReadWriteOncePod".into()]);
        nodes.volumes_mut().set_claim(Arc::new(claim));
        assert!(!passes(&mut nodes));
        nodes.remove("first");
        assert!(passes(&mut nodes));
    }
}
