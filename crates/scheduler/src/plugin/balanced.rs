//! The best node is one whose CPU and memory are used alike once the pod is there.

use crate::framework::{BEST, Cycle, Plugin, Rate, Score};

struct Balanced;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    Plugin::named("NodeResourcesBalancedAllocation").score(Balanced)
}

impl Score for Balanced {
    fn weight(&self) -> i64 {
        1
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        let wanted = &cycle.pod.requests;
        if wanted.cpu == 0 && wanted.memory == 0 {
            return None;
        }
        Some(Box::new(move |node| {
            let all = [node.allocatable.cpu, node.allocatable.memory];
            let before = [node.requested.cpu, node.requested.memory];
            let after = [before[0] + wanted.cpu, before[1] + wanted.memory];
            BEST / 2 + (BEST / 2 + balance(after, all) - balance(before, all)) / 2
        }))
    }
}

/// [`BEST`] less the deviation of the used parts from each other.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a score of 0..=100")]
fn balance(used: [i64; 2], all: [i64; 2]) -> i64 {
    if all.contains(&0) {
        return BEST;
    }
    let part = |i: usize| (used[i] as f64 / all[i] as f64).min(1.0);
    ((1.0 - (part(0) - part(1)).abs() / 2.0) * BEST as f64) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{node, pod, rates};

    #[test]
    fn a_node_that_becomes_more_even_is_better() {
        let skewed = node("skewed").cpu("4").memory("4Gi").with(pod("o").memory("2Gi"));
        let even = node("even").cpu("4").memory("4Gi");
        let scores = rates(plugin(), pod("a").cpu("2"), [even, skewed]);
        assert!(scores[1] > scores[0], "{scores:?}");
        assert_eq!(balance([1, 1], [2, 2]), 100);
        assert_eq!(balance([2, 0], [2, 2]), 50);
    }
}
