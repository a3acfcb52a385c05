//! A cordoned node takes no pod but one that tolerates `node.kubernetes.io/unschedulable`.

use nakhoda_api::kinds::core::Taint;

use super::taints::tolerated;
use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Verdict};

const KEY: &str = "node.kubernetes.io/unschedulable";

struct Unschedulable;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named("NodeUnschedulable").filter(Unschedulable, Changes::NODE_ADDED.or(Changes::NODE_TAINTS))
}

impl Filter for Unschedulable {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        let taint = Taint { key: KEY.into(), effect: "NoSchedule".into(), ..Taint::default() };
        if tolerated(&taint, cycle.pod.tolerations()) {
            return Check::Skip;
        }
        Check::Each(Box::new(|node| {
            if node.unschedulable { Verdict::hopeless("node(s) were unschedulable") } else { Verdict::Pass }
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::fixtures::{node, pod, verdict};
    use crate::framework::Verdict;

    #[test]
    fn a_cordoned_node_takes_only_pods_that_tolerate_it() {
        let refused = Verdict::hopeless("node(s) were unschedulable");
        assert_eq!(verdict(super::plugin(), pod("a"), node("n").cordoned()), refused);
        assert_eq!(verdict(super::plugin(), pod("a").tolerate(super::KEY, "Exists"), node("n").cordoned()), Verdict::Pass);
        assert_eq!(verdict(super::plugin(), pod("a"), node("n")), Verdict::Pass);
    }
}
