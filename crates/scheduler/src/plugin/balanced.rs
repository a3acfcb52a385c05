//! The best node is one whose CPU and memory are used alike once the pod is there.

use nakhoda_api::field::{Errors, Path};
use serde::Deserialize;
use serde_json::Value;

use super::resources_fit::strategy::Weighed;
use crate::framework::{BEST, Cycle, Plugin, Rate, Score, args};
use crate::resources::ResourceName;

#[derive(Clone)]
struct Balanced {
    resources: Vec<ResourceName>,
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
    with(vec![ResourceName::Cpu, ResourceName::Memory])
}

fn with(resources: Vec<ResourceName>) -> Plugin {
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
    if args.resources.is_empty() { plugin() } else { with(args.resources.iter().map(|one| one.name.as_str().into()).collect()) }
}

impl Score for Balanced {
    fn weight(&self) -> i64 {
        1
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        let wanted = |name: &ResourceName| cycle.pod.requests.amount(name);
        if self.resources.iter().all(|name| wanted(name) == 0) {
            return None;
        }
        Some(Box::new(move |node| {
            let parts = |with_pod: bool| {
                let of = |name: &ResourceName| {
                    let all = node.allocatable.amount(name);
                    let used = node.requested.amount(name) + if with_pod { wanted(name) } else { 0 };
                    // As upstream: what few nodes have counts only for those that ask for it.
                    let rare = matches!(name, ResourceName::Other(_));
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
fn balance(amounts: impl Iterator<Item = (i64, i64)> + Clone) -> i64 {
    let parts = amounts.map(|(used, all)| (used as f64 / all as f64).min(1.0));
    let (count, sum) = parts.clone().fold((0_u32, 0.0), |(count, sum), part| (count + 1, sum + part));
    let deviation = match count {
        0 | 1 => 0.0,
        2 => parts.fold(0.0, |difference, part| part - difference).abs() / 2.0,
        count => {
            let mean = sum / f64::from(count);
            (parts.map(|part| (part - mean).powi(2)).sum::<f64>() / f64::from(count)).sqrt()
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
