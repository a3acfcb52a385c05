//! What people read when a pod does not fit: upstream's sentence.

use std::collections::BTreeMap;

use crate::cycle::Diagnosis;
use crate::framework::{Reason, Verdict};

/// What upstream's resource claims say of every pod that has none; they run before preemption.
const NO_CLAIMS: &str = "no new claims to deallocate";
/// Events and conditions hold no more.
const LONGEST: usize = 1024;

/// So many nodes that were avoided are named.
const AVOIDED: usize = 3;

/// Said when the cluster has no node.
pub const NO_NODES: &str = "no nodes available to schedule pods";

/// `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` and, unless others
/// make room for the pod, what trying that came to.
#[must_use]
pub fn unfit(diagnosis: &Diagnosis, preemption: Option<&str>) -> String {
    let mut text = format!("0/{} nodes are available:", diagnosis.nodes);
    match &diagnosis.overall {
        Some((_, reason)) => text.push_str(&format!(" {reason}.")),
        None => text.push_str(&histogram(diagnosis.refusals.iter().flat_map(|r| reasons(&r.verdict)))),
    }
    if let Some(preemption) = preemption {
        text.push_str(&format!(" {NO_CLAIMS}, preemption: {preemption}"));
    }
    text
}

/// `0/3 nodes are available: 3 Preemption is not helpful for scheduling.`
#[must_use]
pub fn useless(nodes: usize, reasons: &[Reason]) -> String {
    format!("0/{nodes} nodes are available:{}", histogram(reasons.iter()))
}

/// A text short enough for an event.
#[must_use]
pub fn shortened(text: &str) -> String {
    const SUFFIX: &str = " ...";
    if text.len() <= LONGEST {
        return text.into();
    }
    format!("{}{SUFFIX}", &text[..text.floor_char_boundary(LONGEST - SUFFIX.len())])
}

/// `tasks wait on node-2 (cpu: 65 % of the time)`: the nodes that a pod was kept from, the worst first.
#[must_use]
pub fn avoided(worse: &[(&str, &'static str, u8)]) -> String {
    let told = |(node, resource, part): &(&str, &str, u8)| format!("{node} ({resource}: {part} % of the time)");
    let mut nodes: Vec<String> = worse.iter().take(AVOIDED).map(told).collect();
    if worse.len() > AVOIDED {
        nodes.push(format!("{} more", worse.len() - AVOIDED));
    }
    format!("tasks wait on {}", nodes.join(", "))
}

fn reasons(verdict: &Verdict) -> &[Reason] {
    match verdict {
        Verdict::Pass => &[],
        Verdict::Reject(reasons) | Verdict::Hopeless(reasons) => reasons,
    }
}

/// How many nodes have each reason, sorted as text: so upstream has it.
fn histogram<'a>(reasons: impl Iterator<Item = &'a Reason>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut parts: Vec<String> = counts.into_iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    parts.sort();
    if parts.is_empty() { String::new() } else { format!(" {}.", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycle::Refusal;

    fn refusal(slot: usize, verdict: Verdict) -> Refusal {
        Refusal { slot, plugin: "x", verdict }
    }

    #[test]
    fn the_sentence_is_upstreams() {
        let taint = || Verdict::hopeless("node(s) had untolerated taint(s)");
        let refusals = vec![refusal(0, taint()), refusal(1, Verdict::reject("Insufficient cpu")), refusal(2, taint())];
        let diagnosis = Diagnosis { nodes: 3, refusals, ..Diagnosis::default() };
        let useless = useless(3, &vec!["Preemption is not helpful for scheduling".into(); 3]);
        assert_eq!(
            unfit(&diagnosis, Some(&useless)),
            "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). \
             no new claims to deallocate, preemption: \
             0/3 nodes are available: 3 Preemption is not helpful for scheduling."
        );
    }

    #[test]
    fn the_worst_nodes_are_named_and_the_others_counted() {
        let worse = [("a", "cpu", 90), ("b", "io", 80), ("c", "cpu", 70), ("d", "cpu", 60)];
        assert_eq!(avoided(&worse[..1]), "tasks wait on a (cpu: 90 % of the time)");
        assert!(avoided(&worse).ends_with("c (cpu: 70 % of the time), 1 more"));
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "é".repeat(600);
        assert!(shortened(&text).len() <= LONGEST && shortened(&text).ends_with(" ..."));
        assert_eq!(shortened("short"), "short");
    }
}
