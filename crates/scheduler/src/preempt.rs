//! Whether pods of lower priority can make room for one that fits nowhere, and which should go.
//!
//! What would be is tried on the cluster itself: pods are lifted from a node, the filters are asked, and
//! the pods are put back. So filters that look at several nodes see them gone too.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cluster::Cluster;
use crate::cycle::{Checks, Diagnosis};
use crate::framework::{Cycle, Framework, Reason, Verdict};
use crate::pod::PodInfo;
use crate::report;

const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// What came of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// These pods leave this node, then the pod fits.
    Evict {
        /// The node's name.
        node: String,
        /// The pods, each of lower priority.
        victims: Vec<Arc<PodInfo>>,
    },
    /// Nobody leaves; why.
    Useless(String),
    /// The profile has no preemption.
    Off,
}

/// A node, and who would have to leave it.
struct Candidate {
    slot: usize,
    victims: Vec<Arc<PodInfo>>,
    /// How many of them are under a budget that allows no more.
    breaking: usize,
}

/// Looks for the node on which the least important pods would have to go.
#[must_use]
pub fn plan(framework: &Framework, cluster: &mut Cluster, pod: &PodInfo, diagnosis: &Diagnosis) -> Outcome {
    let Some(candidates) = framework.preemption() else { return Outcome::Off };
    if let Some(why) = ineligible(cluster, pod, diagnosis) {
        return Outcome::Useless(why.into());
    }
    let enough = candidates.least.max(cluster.len() * candidates.percent / 100);
    let mut reasons: Vec<Reason> = Vec::new();
    if diagnosis.overall.is_some() {
        reasons = vec![NOT_HELPFUL.into(); diagnosis.nodes];
    }
    let mut candidates = Vec::new();
    for refusal in &diagnosis.refusals {
        if !matches!(refusal.verdict, Verdict::Reject(_)) {
            reasons.push(NOT_HELPFUL.into());
            continue;
        }
        match victims(framework, cluster, pod, refusal.slot) {
            Ok(candidate) => candidates.push(candidate),
            Err(why) => reasons.extend(why),
        }
        if candidates.len() >= enough && candidates.iter().any(|c| c.breaking == 0) {
            break;
        }
    }
    match candidates.into_iter().min_by_key(cost) {
        Some(best) => Outcome::Evict { node: cluster.at(best.slot).name.clone(), victims: best.victims },
        None => Outcome::Useless(report::useless(diagnosis.nodes, &reasons)),
    }
}

fn ineligible(cluster: &Cluster, pod: &PodInfo, diagnosis: &Diagnosis) -> Option<&'static str> {
    if pod.spec().and_then(|s| s.preemption_policy.as_deref()) == Some("Never") {
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let node = cluster.node(pod.nominated_node())?;
    let hopeless = diagnosis.refusals.iter().any(|r| r.slot == node.slot && matches!(r.verdict, Verdict::Hopeless(_)));
    let leaving = node.pods.values().any(|other| other.priority < pod.priority && other.is_terminating());
    (!hopeless && leaving).then_some("not eligible due to a terminating pod on the nominated node.")
}

/// The fewest pods of lower priority that must leave a node, or why that does not help. The cluster is
/// as before when it returns.
fn victims(framework: &Framework, cluster: &mut Cluster, pod: &PodInfo, slot: usize) -> Result<Candidate, Vec<Reason>> {
    let mut lower: Vec<Arc<PodInfo>> =
        cluster.at(slot).pods.values().filter(|p| p.priority < pod.priority).cloned().collect();
    if lower.is_empty() {
        return Err(vec![NO_VICTIMS.into()]);
    }
    // The most important first, and of equals the one that has run for longest: they are kept if possible.
    lower.sort_by_key(|pod| (Reverse(pod.priority), started(pod)));
    let mut lifted: Vec<_> = lower.iter().filter_map(|pod| cluster.lift(&pod.uid)).collect();
    let found = match refusal(framework, cluster, pod, slot) {
        Some(reasons) => Err(reasons),
        None => {
            let (breaking, others) = cluster.budgets().part(lower);
            let mut leaving = Vec::new();
            let mut broken = 0;
            for (candidates, count) in [(breaking, 1), (others, 0)] {
                for kept in candidates {
                    let Some(at) = lifted.iter().position(|l| l.uid() == kept.uid) else { continue };
                    cluster.restore(lifted.swap_remove(at));
                    if refusal(framework, cluster, pod, slot).is_some() {
                        lifted.extend(cluster.lift(&kept.uid));
                        leaving.push(kept);
                        broken += count;
                    }
                }
            }
            leaving.sort_by_key(|pod| (Reverse(pod.priority), started(pod)));
            Ok(Candidate { slot, victims: leaving, breaking: broken })
        }
    };
    lifted.into_iter().for_each(|pod| cluster.restore(pod));
    found
}

/// Why a node will not do as the cluster is now.
fn refusal(framework: &Framework, cluster: &Cluster, pod: &PodInfo, slot: usize) -> Option<Vec<Reason>> {
    let checks = match Checks::prepare(framework, Cycle { pod, cluster }) {
        Ok(checks) => checks,
        Err((_, reason)) => return Some(vec![reason]),
    };
    match checks.refusal_of(cluster, pod, slot)? {
        (_, Verdict::Reject(reasons) | Verdict::Hopeless(reasons)) => Some(reasons),
        (_, Verdict::Pass) => None,
    }
}

/// Broken budgets count first, then the most important victim, then all together, then their number,
/// then how short the most important ones have run.
fn cost(candidate: &Candidate) -> (usize, i32, i64, usize, Reverse<Option<Timestamp>>) {
    let victims = &candidate.victims;
    let highest = victims.iter().map(|v| v.priority).max().unwrap_or(i32::MIN);
    // As upstream, so that many pods of negative priority never look cheaper than a few.
    let sum = victims.iter().map(|v| i64::from(v.priority) + i64::from(i32::MAX) + 1).sum();
    let earliest = victims.iter().filter(|v| v.priority == highest).filter_map(|v| started(v)).min();
    (candidate.breaking, highest, sum, victims.len(), Reverse(earliest))
}

fn started(pod: &PodInfo) -> Option<Timestamp> {
    pod.object.status.as_ref().and_then(|s| s.start_time.as_ref()).map(|t| t.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycle::{Decision, Sampling, decide};
    use crate::fixtures::{budget, cluster, info, node, pod};

    fn planned(cluster: &mut Cluster, pod: &PodInfo) -> Outcome {
        let framework = Framework::new();
        framework.tally(cluster, pod);
        let Decision::Unfit(diagnosis) = decide(&framework, cluster, pod, &mut Sampling::default(), 0) else {
            panic!("must not fit")
        };
        plan(&framework, cluster, pod, &diagnosis)
    }

    fn useless(outcome: &Outcome) -> &str {
        match outcome {
            Outcome::Useless(why) => why,
            Outcome::Evict { .. } | Outcome::Off => "",
        }
    }

    #[test]
    fn the_fewest_and_least_important_pods_go() {
        let mut nodes = cluster([
            node("dear").with(pod("x").cpu("4").priority(5)),
            node("cheap").with(pod("y").cpu("2").priority(1)).with(pod("z").cpu("2").priority(3)),
        ]);
        let Outcome::Evict { node, victims } = planned(&mut nodes, &info(pod("p").cpu("2").priority(9))) else {
            panic!("must evict")
        };
        assert_eq!((node.as_str(), victims.len(), victims[0].uid.as_str()), ("cheap", 1, "y"));
    }

    #[test]
    fn nobody_goes_for_a_pod_of_no_higher_priority_or_one_that_fits_no_empty_node() {
        let busy = || node("n").with(pod("x").cpu("4").priority(5));
        let equal = planned(&mut cluster([busy()]), &info(pod("p").cpu("2").priority(5)));
        assert_eq!(useless(&equal), "0/1 nodes are available: 1 No preemption victims found for incoming pod.");
        let huge = planned(&mut cluster([busy()]), &info(pod("p").cpu("9").priority(9)));
        assert_eq!(useless(&huge), "0/1 nodes are available: 1 Preemption is not helpful for scheduling.");
    }

    #[test]
    fn what_was_tried_leaves_no_trace() {
        let busy = || node("n").with(pod("x").cpu("2").priority(1)).with(pod("y").cpu("2").priority(3));
        let mut nodes = cluster([busy()]);
        let before = nodes.at(0).requested.clone();
        assert!(matches!(planned(&mut nodes, &info(pod("p").cpu("1").priority(9))), Outcome::Evict { .. }));
        assert_eq!((nodes.at(0).requested.clone(), nodes.at(0).pods.len()), (before, 2));
    }

    #[test]
    fn a_pod_that_others_keep_away_may_make_them_go() {
        let loner = pod("loner").label("app", "x").away("zone", "app", "x").priority(1);
        let mut nodes = cluster([node("n").label("zone", "a").with(loner)]);
        let Outcome::Evict { victims, .. } = planned(&mut nodes, &info(pod("p").label("app", "x").priority(9))) else {
            panic!("must evict")
        };
        assert_eq!(victims[0].uid, "loner");
    }

    #[test]
    fn a_budget_protects_pods_as_long_as_others_can_go() {
        let web = |name: &str| pod(name).label("app", "web").cpu("4").priority(1);
        let mut nodes = cluster([node("a").with(web("x")), node("b").with(pod("y").cpu("4").priority(5))]);
        nodes.budgets_mut().set(&budget("web", 0));
        let Outcome::Evict { victims, .. } = planned(&mut nodes, &info(pod("p").cpu("2").priority(9))) else {
            panic!("must evict")
        };
        assert_eq!(victims[0].uid, "y", "though it is more important");
    }
}
