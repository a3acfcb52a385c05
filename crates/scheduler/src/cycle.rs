//! One decision for one pod: which nodes will do, and which of them is best. A plain function of the
//! cluster as it is; nothing is changed and nobody is asked.

use crate::cluster::Cluster;
use crate::framework::{Check, Cycle, EachNode, Framework, Reason, Verdict};
use crate::node::Node;
use crate::pod::PodInfo;

/// So many nodes that will do are always looked for.
const ENOUGH: usize = 100;

/// What came of it.
#[derive(Clone, Debug)]
pub enum Decision {
    /// The slot of the best node.
    Place(usize),
    /// No node will do.
    Unfit(Diagnosis),
    /// There is no node.
    NoNodes,
}

/// Why no node will do.
#[derive(Clone, Debug, Default)]
pub struct Diagnosis {
    /// How many nodes there are.
    pub nodes: usize,
    /// A reason that holds for all of them, and whose it is.
    pub overall: Option<(&'static str, Reason)>,
    /// What the first filter to refuse each node said.
    pub refusals: Vec<Refusal>,
}

/// One node refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which node.
    pub slot: usize,
    /// By which plugin.
    pub plugin: &'static str,
    /// With which words.
    pub verdict: Verdict,
}

/// Where the next search for nodes begins, so that all nodes get their turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sampling {
    start: usize,
}

/// The filters that have to do with one pod, prepared.
pub struct Checks<'a> {
    checks: Vec<(&'static str, EachNode<'a>)>,
}

/// Decides. Of equally good nodes, `draw` takes one.
#[must_use]
pub fn decide(
    framework: &Framework,
    cluster: &Cluster,
    pod: &PodInfo,
    sampling: &mut Sampling,
    draw: usize,
) -> Decision {
    if cluster.is_empty() {
        return Decision::NoNodes;
    }
    let cycle = Cycle { pod, cluster };
    let mut diagnosis = Diagnosis { nodes: cluster.len(), ..Diagnosis::default() };
    let checks = match Checks::prepare(framework, cycle) {
        Ok(checks) => checks,
        Err(overall) => {
            diagnosis.overall = Some(overall);
            return Decision::Unfit(diagnosis);
        }
    };
    if let Some(slot) = promised(cycle, &checks) {
        return Decision::Place(slot);
    }
    let feasible = search(framework, cycle, &checks, sampling, &mut diagnosis);
    match feasible.as_slice() {
        [] => Decision::Unfit(diagnosis),
        [only] => Decision::Place(*only),
        _ => Decision::Place(best(framework, cycle, &feasible, draw)),
    }
}

/// How many nodes that will do are looked for, of so many: all of a few, fewer in proportion the more
/// there are, never less than 5 %; or the share that was asked for.
#[must_use]
pub fn wanted(nodes: usize, share: Option<usize>) -> usize {
    if nodes < ENOUGH {
        return nodes;
    }
    let percent = share.unwrap_or_else(|| 50_usize.saturating_sub(nodes / 125).max(5));
    (nodes * percent / 100).max(ENOUGH)
}

// === impl Checks ===

impl<'a> Checks<'a> {
    /// Prepares every filter; fails if one of them refuses every node alike.
    pub fn prepare(framework: &'a Framework, cycle: Cycle<'a>) -> Result<Self, (&'static str, Reason)> {
        let mut checks = Vec::new();
        for (name, filter) in framework.filters() {
            match filter.prepare(cycle) {
                Check::Skip => {}
                Check::Hopeless(reason) => return Err((name, reason)),
                Check::Each(check) => checks.push((name, check)),
            }
        }
        Ok(Self { checks })
    }

    /// The first filter that refuses a node, and what it says.
    #[must_use]
    pub fn refusal(&self, node: &Node) -> Option<(&'static str, Verdict)> {
        self.checks.iter().find_map(|(name, check)| match check(node) {
            Verdict::Pass => None,
            verdict => Some((*name, verdict)),
        })
    }

    /// Whether the node at a slot will do, as it is and with the pods it was promised to before this one.
    #[must_use]
    pub fn refusal_of(&self, cluster: &Cluster, pod: &PodInfo, slot: usize) -> Option<(&'static str, Verdict)> {
        let node = cluster.at(slot);
        let mut ahead = cluster.nominations().ahead_of(pod, &node.name).peekable();
        if ahead.peek().is_some() {
            let mut kept = node.clone();
            ahead.for_each(|other| kept.place(other.clone()));
            if let Some(refusal) = self.refusal(&kept) {
                return Some(refusal);
            }
        }
        self.refusal(node)
    }

    /// Whether every filter lets the pod onto a node.
    #[must_use]
    pub fn pass(&self, node: &Node) -> bool {
        self.refusal(node).is_none()
    }
}

// === impl Diagnosis ===

impl Diagnosis {
    /// The plugins that refused a node.
    #[must_use]
    pub fn plugins(&self) -> Vec<&'static str> {
        let mut plugins: Vec<_> = self.refusals.iter().map(|r| r.plugin).collect();
        plugins.extend(self.overall.iter().map(|(plugin, _)| *plugin));
        plugins.sort_unstable();
        plugins.dedup();
        plugins
    }
}

/// The node that others have left for this pod, if it will do.
fn promised(cycle: Cycle<'_>, checks: &Checks<'_>) -> Option<usize> {
    let Cycle { pod, cluster } = cycle;
    let slot = cluster.node(cluster.nominations().node_of(&pod.uid)?)?.slot;
    checks.refusal_of(cluster, pod, slot).is_none().then_some(slot)
}

fn search(
    framework: &Framework,
    cycle: Cycle<'_>,
    checks: &Checks<'_>,
    sampling: &mut Sampling,
    diagnosis: &mut Diagnosis,
) -> Vec<usize> {
    let Cycle { pod, cluster } = cycle;
    let (slots, wanted) = (cluster.slots(), wanted(cluster.len(), framework.share()));
    let mut feasible = Vec::with_capacity(wanted);
    let mut looked = 0;
    while looked < slots && feasible.len() < wanted {
        let node = cluster.at((sampling.start + looked) % slots);
        looked += 1;
        if !node.known {
            continue;
        }
        match checks.refusal_of(cluster, pod, node.slot) {
            None => feasible.push(node.slot),
            Some((plugin, verdict)) => diagnosis.refusals.push(Refusal { slot: node.slot, plugin, verdict }),
        }
    }
    sampling.start = (sampling.start + looked) % slots;
    feasible
}

fn best(framework: &Framework, cycle: Cycle<'_>, feasible: &[usize], draw: usize) -> usize {
    let mut totals = vec![0_i64; feasible.len()];
    for (_, score, weight) in framework.scores() {
        let Some(rate) = score.prepare(cycle, feasible) else { continue };
        let mut scores: Vec<i64> = feasible.iter().map(|slot| rate(cycle.cluster.at(*slot))).collect();
        score.normalise(&mut scores);
        for (total, score_of_node) in totals.iter_mut().zip(scores) {
            *total += score_of_node * weight;
        }
    }
    let highest = totals.iter().copied().max().unwrap_or_default();
    let ties: Vec<usize> =
        feasible.iter().zip(&totals).filter(|(_, t)| **t == highest).map(|(slot, _)| *slot).collect();
    ties[draw % ties.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{cluster, info, node, pod};

    fn name(decision: &Decision, cluster: &Cluster) -> Option<String> {
        match decision {
            Decision::Place(slot) => Some(cluster.at(*slot).name.clone()),
            Decision::Unfit(_) | Decision::NoNodes => None,
        }
    }

    #[test]
    fn the_best_node_wins_and_ties_are_drawn() {
        let framework = Framework::new();
        let nodes = cluster([node("a"), node("b"), node("busy").with(pod("o").cpu("3").memory("6Gi"))]);
        let mut sampling = Sampling::default();
        let mut drawn: Vec<_> = (0..2)
            .map(|draw| name(&decide(&framework, &nodes, &info(pod("p").cpu("100m")), &mut sampling, draw), &nodes))
            .collect();
        drawn.sort();
        assert_eq!(drawn, [Some("a".to_owned()), Some("b".to_owned())]);
    }

    #[test]
    fn each_node_is_refused_by_its_first_filter() {
        let nodes = cluster([node("a").cordoned(), node("b").taint("k", "", "NoSchedule"), node("c").cpu("1")]);
        let wish = info(pod("p").cpu("2"));
        let Decision::Unfit(diagnosis) = decide(&Framework::new(), &nodes, &wish, &mut Sampling::default(), 0) else {
            panic!("no node will do")
        };
        assert_eq!(diagnosis.plugins(), ["NodeResourcesFit", "NodeUnschedulable", "TaintToleration"]);
    }

    #[test]
    fn without_nodes_it_says_so() {
        let wish = info(pod("p"));
        let decision = decide(&Framework::new(), &Cluster::default(), &wish, &mut Sampling::default(), 0);
        assert!(matches!(decision, Decision::NoNodes));
    }

    #[test]
    fn of_many_nodes_only_part_is_searched() {
        assert_eq!([10, 100, 1000, 5000, 10_000].map(|nodes| wanted(nodes, None)), [10, 100, 420, 500, 500]);
        assert_eq!([10, 1000].map(|nodes| wanted(nodes, Some(80))), [10, 800]);
    }
}
