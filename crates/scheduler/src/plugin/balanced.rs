//! The best node is one whose CPU and memory are used alike once the pod is there.

use nakhoda_api::field::{Errors, Path};
use serde::Deserialize;
use serde_json::Value;

use super::resources_fit::strategy::Weighed;
use crate::framework::{BEST, Cycle, Plugin, Rate, Score, args};

#[derive(Clone)]
struct Balanced {
    resources: Vec<String>,
}

/// `NodeResourcesBalancedAllocationArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    #[serde(default)]
    resources: Vec<Weighed>,
}

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    with(["cpu", "memory"].map(str::to_owned).to_vec())
}

fn with(resources: Vec<String>) -> Plugin {
    Plugin::named("NodeResourcesBalancedAllocation").score(Balanced { resources }).configured_by(configure)
}

fn configure(given: &Value, path: &Path, errors: &mut Errors) -> Plugin {
    let args: Args = args::read(given, path, errors);
    for (i, one) in args.resources.iter().enumerate() {
        let at = path.child("resources").index(i);
        if args.resources[..i].iter().any(|other| other.name == one.name) {
            errors.duplicate(&at.child("name"), one.name.as_str());
        }
        if !(0..=1).contains(&one.weight) {
            errors.invalid(&at.child("weight"), one.weight, "must be 1");
        }
    }
    if args.resources.is_empty() { plugin() } else { with(args.resources.into_iter().map(|one| one.name).collect()) }
}

impl Score for Balanced {
    fn weight(&self) -> i64 {
        1
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        let wanted = |name: &str| cycle.pod.requests.amount(name);
        if self.resources.iter().all(|name| wanted(name) == 0) {
            return None;
        }
        Some(Box::new(move |node| {
            let parts = |with_pod: bool| {
                let of = |name: &String| {
                    let all = node.allocatable.amount(name);
                    let used = node.requested.amount(name) + if with_pod { wanted(name) } else { 0 };
                    // As upstream: what few nodes have counts only for those that ask for it.
                    let rare = !matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage");
                    (all > 0 && !(rare && wanted(name) == 0)).then_some((used, all))
                };
                balance(self.resources.iter().filter_map(of))
            };
            BEST / 2 + (BEST / 2 + parts(true) - parts(false)) / 2
        }))
    }
}

/// [`BEST`] less the standard deviation of the used parts.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a score of 0..=100")]
fn balance(amounts: impl Iterator<Item = (i64, i64)>) -> i64 {
    let parts: Vec<f64> = amounts.map(|(used, all)| (used as f64 / all as f64).min(1.0)).collect();
    let deviation = match parts.as_slice() {
        [] | [_] => 0.0,
        [a, b] => (a - b).abs() / 2.0,
        parts => {
            let (count, mean) = (parts.len() as f64, parts.iter().sum::<f64>() / parts.len() as f64);
            (parts.iter().map(|part| (part - mean).powi(2)).sum::<f64>() / count).sqrt()
        }
    };
    ((1.0 - deviation) * BEST as f64) as i64
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
        assert_eq!(balance([(1, 2), (1, 2)].into_iter()), 100);
        assert_eq!(balance([(2, 2), (0, 2)].into_iter()), 50);
    }
}
