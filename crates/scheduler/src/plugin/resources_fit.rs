//! A node must have what the pod asks for; of those that have, the emptier is better.

use crate::framework::{BEST, Changes, Check, Cycle, Filter, Plugin, Rate, Reason, Score, Verdict};
use crate::node::Node;
use crate::pod::PodInfo;

struct ResourcesFit;

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    let helped_by = Changes::NODE_ADDED.or(Changes::NODE_ALLOCATABLE).or(Changes::POD_REMOVED);
    Plugin::named("NodeResourcesFit").filter(ResourcesFit, helped_by).score(ResourcesFit)
}

impl Filter for ResourcesFit {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        Check::Each(Box::new(|node| fits(cycle.pod, node)))
    }
}

impl Score for ResourcesFit {
    fn weight(&self) -> i64 {
        1
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        Some(Box::new(|node| {
            let cpu = free(node.scored[0] + cycle.pod.scored[0], node.allocatable.cpu);
            let memory = free(node.scored[1] + cycle.pod.scored[1], node.allocatable.memory);
            (cpu + memory) / 2
        }))
    }
}

fn fits(pod: &PodInfo, node: &Node) -> Verdict {
    let mut reasons: Vec<Reason> = Vec::new();
    let mut hopeless = false;
    if node.pods.len() as u64 + 1 > node.most_pods.unsigned_abs() {
        reasons.push("Too many pods".into());
    }
    let mut demand = |wanted: i64, used: i64, all: i64, reason: &dyn Fn() -> Reason| {
        if wanted > 0 && wanted > all - used {
            reasons.push(reason());
            hopeless |= wanted > all;
        }
    };
    let (wanted, used, all) = (&pod.requests, &node.requested, &node.allocatable);
    demand(wanted.cpu, used.cpu, all.cpu, &|| "Insufficient cpu".into());
    demand(wanted.memory, used.memory, all.memory, &|| "Insufficient memory".into());
    demand(wanted.ephemeral_storage, used.ephemeral_storage, all.ephemeral_storage, &|| {
        "Insufficient ephemeral-storage".into()
    });
    for (name, amount) in &wanted.others {
        let of = |amounts: &crate::resources::Resources| amounts.others.get(name).copied().unwrap_or_default();
        demand(*amount, of(used), of(all), &|| format!("Insufficient {name}").into());
    }
    match (reasons.is_empty(), hopeless) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Hopeless(reasons),
        (false, false) => Verdict::Reject(reasons),
    }
}

/// Which part of the node would be free, of [`BEST`].
const fn free(used: i64, all: i64) -> i64 {
    if all == 0 || used > all { 0 } else { (all - used) * BEST / all }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{node, pod, rates, verdict};

    #[test]
    fn what_is_missing_is_told_and_what_no_leaving_pod_can_give_is_hopeless() {
        let busy = || node("n").cpu("2").with(pod("other").cpu("1500m"));
        assert_eq!(verdict(plugin(), pod("a").cpu("500m"), busy()), Verdict::Pass);
        assert_eq!(verdict(plugin(), pod("a").cpu("1"), busy()), Verdict::reject("Insufficient cpu"));
        assert_eq!(verdict(plugin(), pod("a").cpu("3"), busy()), Verdict::hopeless("Insufficient cpu"));
        assert_eq!(verdict(plugin(), pod("a").ask("x/y", "1"), busy()), Verdict::hopeless("Insufficient x/y"));
        assert_eq!(verdict(plugin(), pod("a"), node("n").pods("0")), Verdict::reject("Too many pods"));
    }

    #[test]
    fn the_emptier_node_is_better() {
        let nodes = [node("empty").cpu("4").memory("4Gi"), node("half").cpu("4").memory("4Gi").with(pod("o").cpu("2").memory("2Gi"))];
        let scores = rates(plugin(), pod("a").cpu("1").memory("1Gi"), nodes);
        assert_eq!(scores, [75, 25]);
    }
}
