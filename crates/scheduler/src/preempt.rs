//! Whether pods of lower priority can make room for one that fits nowhere, and which should go.
//!
//! Absent: disruption budgets are not weighed, and a nominated node is not kept free of pods of lower
//! priority while its victims end. Filters that look at several nodes do not see the victims gone.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::cluster::Cluster;
use crate::cycle::{Checks, Diagnosis};
use crate::framework::{Cycle, Framework, Reason, Verdict};
use crate::node::Node;
use crate::pod::PodInfo;
use crate::report;

const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";
/// So many nodes with victims are compared.
const ENOUGH: usize = 100;

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
}

/// Looks for the node on which the least important pods would have to go.
#[must_use]
pub fn plan(framework: &Framework, cluster: &Cluster, pod: &PodInfo, diagnosis: &Diagnosis) -> Outcome {
    if let Some(why) = ineligible(cluster, pod, diagnosis) {
        return Outcome::Useless(why.into());
    }
    let Ok(checks) = Checks::prepare(framework, Cycle { pod, cluster }) else {
        return Outcome::Useless(report::useless(diagnosis.nodes, &vec![NOT_HELPFUL.into(); diagnosis.nodes]));
    };
    let mut reasons: Vec<Reason> = Vec::new();
    let mut candidates = Vec::new();
    for refusal in &diagnosis.refusals {
        if !matches!(refusal.verdict, Verdict::Reject(_)) {
            reasons.push(NOT_HELPFUL.into());
            continue;
        }
        match victims(&checks, cluster.at(refusal.slot), pod.priority) {
            Ok(victims) => candidates.push((refusal.slot, victims)),
            Err(why) => reasons.extend(why),
        }
        if candidates.len() >= ENOUGH {
            break;
        }
    }
    match candidates.into_iter().min_by_key(|(_, victims)| cost(victims)) {
        Some((slot, victims)) => Outcome::Evict { node: cluster.at(slot).name.clone(), victims },
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

/// The fewest pods of lower priority that must leave, or why that does not help.
fn victims(checks: &Checks<'_>, node: &Node, priority: i32) -> Result<Vec<Arc<PodInfo>>, Vec<Reason>> {
    let mut lower: Vec<Arc<PodInfo>> = node.pods.values().filter(|p| p.priority < priority).cloned().collect();
    if lower.is_empty() {
        return Err(vec![NO_VICTIMS.into()]);
    }
    let mut node = node.clone();
    for pod in &lower {
        node.displace(&pod.uid);
    }
    match checks.refusal(&node) {
        None => {}
        Some((_, Verdict::Reject(reasons) | Verdict::Hopeless(reasons))) => return Err(reasons),
        Some((_, Verdict::Pass)) => return Err(vec![NOT_HELPFUL.into()]),
    }
    lower.sort_by_key(|pod| (Reverse(pod.priority), started(pod)));
    let mut leaving = Vec::new();
    for pod in lower {
        node.place(pod.clone());
        if !checks.pass(&node) {
            node.displace(&pod.uid);
            leaving.push(pod);
        }
    }
    Ok(leaving)
}

/// The most important victim counts first, then all together, then their number.
fn cost(victims: &[Arc<PodInfo>]) -> (i32, i64, usize) {
    let highest = victims.iter().map(|v| v.priority).max().unwrap_or(i32::MIN);
    // As upstream, so that many pods of negative priority never look cheaper than a few.
    let sum = victims.iter().map(|v| i64::from(v.priority) + i64::from(i32::MAX) + 1).sum();
    (highest, sum, victims.len())
}

fn started(pod: &PodInfo) -> Option<jiff::Timestamp> {
    pod.object.status.as_ref().and_then(|s| s.start_time.as_ref()).map(|t| t.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycle::{Decision, Sampling, decide};
    use crate::fixtures::{cluster, info, node, pod};

    fn planned(cluster: &Cluster, pod: &PodInfo) -> Outcome {
        let framework = Framework::new();
        let Decision::Unfit(diagnosis) = decide(&framework, cluster, pod, &mut Sampling::default(), 0) else {
            panic!("must not fit")
        };
        plan(&framework, cluster, pod, &diagnosis)
    }

    fn useless(outcome: &Outcome) -> &str {
        match outcome {
            Outcome::Useless(why) => why,
            Outcome::Evict { .. } => "",
        }
    }

    #[test]
    fn the_fewest_and_least_important_pods_go() {
        let nodes = cluster([
            node("dear").with(pod("x").cpu("4").priority(5)),
            node("cheap").with(pod("y").cpu("2").priority(1)).with(pod("z").cpu("2").priority(3)),
        ]);
        let Outcome::Evict { node, victims } = planned(&nodes, &info(pod("p").cpu("2").priority(9))) else {
            panic!("must evict")
        };
        assert_eq!((node.as_str(), victims.len(), victims[0].uid.as_str()), ("cheap", 1, "y"));
    }

    #[test]
    fn nobody_goes_for_a_pod_of_no_higher_priority_or_one_that_fits_no_empty_node() {
        let busy = || node("n").with(pod("x").cpu("4").priority(5));
        let equal = planned(&cluster([busy()]), &info(pod("p").cpu("2").priority(5)));
        assert_eq!(useless(&equal), "0/1 nodes are available: 1 No preemption victims found for incoming pod.");
        let huge = planned(&cluster([busy()]), &info(pod("p").cpu("9").priority(9)));
        assert_eq!(useless(&huge), "0/1 nodes are available: 1 Preemption is not helpful for scheduling.");
    }
}
