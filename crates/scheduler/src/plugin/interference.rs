//! A node where tasks are stalled for want of what the pod's workload wants is worse. Neutral where kubelets measure
//! nothing, and where nothing is stalled. See [`crate::cluster::pressures`] for what is learned.

use crate::cluster::pressures::cost;
use crate::framework::{BEST, Cycle, Plugin, Rate, Score};

/// Its name.
pub const NAME: &str = "Interference";

struct Interference;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named(NAME).score(Interference)
}

impl Score for Interference {
    fn weight(&self) -> i64 {
        3
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        let pressures = cycle.cluster.pressures();
        if pressures.are_none() {
            return None;
        }
        let cares = pressures.cares(cycle.pod);
        // Not brought to scale: a little more here than there is next to nothing.
        Some(Box::new(move |node| BEST - cost(pressures.at(&node.name), cares).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycle::{Decision, Sampling, decide};
    use crate::fixtures::{cluster, info, node, pod, pressure};
    use crate::framework::Framework;

    /// Where a pod goes of a busy node that is calm and an empty one on which tasks are stalled.
    fn placed(name: &str, workload: &str, stalled: u8) -> String {
        let hog = pod("hog-0").made_by("StatefulSet", "hog");
        let mut nodes = cluster([
            node("booked").with(pod("o").cpu("2").memory("4Gi")),
            node("stalled").with(hog).with(pod("web-0").made_by("StatefulSet", "web")),
        ]);
        nodes.set_pressure(&pressure("stalled", stalled, &[("hog-0", 80)]));
        let pod = info(pod(name).made_by("StatefulSet", workload));
        match decide(&Framework::new(), &nodes, &pod, &mut Sampling::default(), 0) {
            Decision::Place(slot) => nodes.at(slot).name.clone(),
            Decision::Unfit(_) | Decision::NoNodes => String::new(),
        }
    }

    #[test]
    fn a_pod_goes_where_nobody_waits_for_what_it_wants() {
        for (workload, stalled, wanted) in [
            ("new", 80, "booked"),
            ("new", 5, "stalled"),
            ("new", 0, "stalled"),
            ("hog", 60, "booked"),
            // it was there and did not wait
            ("web", 30, "stalled"),
        ] {
            assert_eq!(placed("p", workload, stalled), wanted, "{workload} {stalled}");
        }
    }

    #[test]
    fn without_data_it_has_no_say() {
        let nodes = cluster([node("a"), node("b")]);
        let pod = info(pod("p"));
        assert!(Interference.prepare(Cycle { pod: &pod, cluster: &nodes }, &[0, 1]).is_none());
    }
}
