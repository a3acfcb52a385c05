//! The pod with the higher priority goes first.

use crate::framework::{Plugin, Sort};
use crate::pod::PodInfo;

struct PrioritySort;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named("PrioritySort").sort(PrioritySort)
}

impl Sort for PrioritySort {
    fn rank(&self, pod: &PodInfo) -> i64 {
        pod.priority.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{info, pod};

    #[test]
    fn the_higher_priority_goes_first() {
        let (low, high) = (info(pod("a")), info(pod("b").priority(7)));
        assert!(PrioritySort.rank(&high) > PrioritySort.rank(&low));
    }
}
