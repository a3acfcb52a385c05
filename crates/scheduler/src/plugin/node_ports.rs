//! A port of a node is taken by one pod only.

use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Verdict};

struct NodePorts;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named("NodePorts").filter(NodePorts, Changes::NODE_ADDED.or(Changes::POD_REMOVED))
}

impl Filter for NodePorts {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let wanted = &cycle.pod.ports;
        if wanted.is_empty() {
            return Check::Skip;
        }
        Check::Each(Box::new(move |node| {
            if wanted.iter().any(|port| node.ports.iter().any(|taken| taken.conflicts(port))) {
                Verdict::reject("node(s) didn't have free ports for the requested pod ports")
            } else {
                Verdict::Pass
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{node, pod, verdict};
    use crate::framework::Verdict;

    #[test]
    fn a_taken_port_is_refused_while_its_pod_is_there() {
        let refused = Verdict::reject("node(s) didn't have free ports for the requested pod ports");
        let busy = || node("n").with(pod("other").host_port(80));
        assert_eq!(verdict(super::plugin(), pod("a").host_port(80), busy()), refused);
        assert_eq!(verdict(super::plugin(), pod("a").host_port(81), busy()), Verdict::Pass);
        assert_eq!(verdict(super::plugin(), pod("a"), busy()), Verdict::Pass);
    }
}
