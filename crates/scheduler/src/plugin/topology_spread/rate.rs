//! How well a node would keep the domains even: the fewer pods its domains have, the better.

use std::collections::HashSet;

use super::constraint::{Constraint, HOST};
use super::domains::Domains;
use crate::framework::{BEST, Cycle, Rate};
use crate::node::Node;

/// Marks a node that has not all the labels.
const IGNORED: i64 = -1;

/// A constraint, how many pods are at each slot if a node is its own domain, and how much it counts.
struct Rated<'a> {
    domains: Domains<'a>,
    alone: Option<&'a [u32]>,
    weight: f64,
}

/// `every`: a node without all labels gets nothing.
pub(super) fn prepare<'a>(
    cycle: Cycle<'a>,
    soft: Vec<Constraint>,
    feasible: &[usize],
    every: bool,
) -> Option<Rate<'a>> {
    if soft.is_empty() {
        return None;
    }
    let keys: Vec<String> = if every { soft.iter().map(|c| c.key.clone()).collect() } else { Vec::new() };
    let rated: Vec<Rated<'_>> = soft
        .into_iter()
        .map(|constraint| {
            let alone = (constraint.key == HOST).then(|| cycle.cluster.count(&constraint.group));
            let weight = weight(sizes(cycle, &constraint, feasible));
            Rated { domains: Domains::of(constraint, cycle, &keys), alone, weight }
        })
        .collect();
    Some(Box::new(move |node| rate(&rated, node, every)))
}

pub(super) fn normalise(scores: &mut [i64]) {
    let counted = || scores.iter().copied().filter(|s| *s != IGNORED);
    let (least, most) = (counted().min().unwrap_or_default(), counted().max().unwrap_or_default());
    for score in scores {
        *score = match *score {
            IGNORED => 0,
            _ if most == 0 => BEST,
            score => BEST * (most + least - score) / most,
        };
    }
}

/// How many domains the nodes that will do are in.
fn sizes(cycle: Cycle<'_>, constraint: &Constraint, feasible: &[usize]) -> usize {
    if constraint.key == HOST {
        return feasible.len();
    }
    let Some(topology) = cycle.cluster.topology(&constraint.key) else { return 0 };
    feasible.iter().filter_map(|slot| topology.of(*slot)).collect::<HashSet<_>>().len()
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of pods, as upstream weighs them")]
fn rate(rated: &[Rated<'_>], node: &Node, every: bool) -> i64 {
    let mut score = 0.0;
    for Rated { domains, alone, weight } in rated {
        let Some(in_domain) = domains.at(node) else {
            if every {
                return IGNORED;
            }
            continue;
        };
        let here = alone.map_or(in_domain, |counts| counts.get(node.slot).copied().unwrap_or_default().into());
        score += here as f64 * weight + (domains.constraint.skew - 1) as f64;
    }
    score.round() as i64
}

#[allow(clippy::cast_precision_loss, reason = "a number of domains")]
fn weight(domains: usize) -> f64 {
    ((domains + 2) as f64).ln()
}
