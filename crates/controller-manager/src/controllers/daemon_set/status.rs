//! The status that pods on nodes give their daemon set.

use jiff::Timestamp;
use nakhoda_api::kinds::apps::{DaemonSet, DaemonSetStatus};

use super::plan::{Site, is_new};
use crate::pods::{is_available, is_ready};

/// How long a pod must be ready before it counts as available.
#[must_use]
pub fn min_ready(set: &DaemonSet) -> i32 {
    set.spec.min_ready_seconds.unwrap_or_default()
}

/// Counts over all nodes; of several pods on one the oldest counts.
#[must_use]
pub fn observe(set: &DaemonSet, sites: &[Site], hash: &str, now: Timestamp) -> DaemonSetStatus {
    let before = set.status.clone().unwrap_or_default();
    let mut status = DaemonSetStatus {
        observed_generation: set.metadata.generation,
        collision_count: before.collision_count,
        conditions: before.conditions,
        ..DaemonSetStatus::default()
    };
    let (mut updated, mut available) = (0, 0);
    for site in sites {
        let oldest = site.pods.first();
        if !site.placement.runs {
            status.number_misscheduled += i32::from(oldest.is_some());
            continue;
        }
        status.desired_number_scheduled += 1;
        let Some(pod) = oldest else { continue };
        status.current_number_scheduled += 1;
        status.number_ready += i32::from(is_ready(pod));
        available += i32::from(is_available(pod, min_ready(set), now));
        updated += i32::from(is_new(pod, hash));
    }
    let count = |number: i32| (number != 0).then_some(number);
    status.updated_number_scheduled = count(updated);
    status.number_available = count(available);
    status.number_unavailable = count(status.desired_number_scheduled - available);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::fixtures::pod;
    use crate::placement::Placement;
    use std::sync::Arc;

    #[test]
    fn nodes_that_should_not_have_a_pod_are_told_apart() {
        let site = |runs, pods| Site { node: "n".into(), placement: Placement { runs, stays: true }, pods };
        let ready = Arc::new(pod("a", "10.0.0.1", true));
        let sites = [site(true, vec![ready.clone()]), site(true, Vec::new()), site(false, vec![ready])];
        let status = observe(&DaemonSet::default(), &sites, "new", Timestamp::UNIX_EPOCH);
        assert_eq!((status.desired_number_scheduled, status.current_number_scheduled), (2, 1));
        assert_eq!((status.number_misscheduled, status.number_ready), (1, 1));
        assert_eq!((status.number_available, status.number_unavailable), (Some(1), Some(1)));
        assert_eq!(status.updated_number_scheduled, None);
    }
}
