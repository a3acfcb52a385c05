//! A pod that names its node runs nowhere else.

use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Verdict};

struct NodeName;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named("NodeName").filter(NodeName, Changes::NODE_ADDED)
}

impl Filter for NodeName {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let wanted = cycle.pod.node_name();
        if wanted.is_empty() {
            return Check::Skip;
        }
        Check::Each(Box::new(move |node| {
            if node.name == wanted {
                Verdict::Pass
            } else {
                Verdict::hopeless("node(s) didn't match the requested node name")
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{node, pod, verdict};
    use crate::framework::Verdict;

    #[test]
    fn only_the_named_node_will_do() {
        assert_eq!(verdict(super::plugin(), pod("a").on("n"), node("n")), Verdict::Pass);
        let refused = Verdict::hopeless("node(s) didn't match the requested node name");
        assert_eq!(verdict(super::plugin(), pod("a").on("other"), node("n")), refused);
    }
}
