//! A node must have what the pod asks for; of those that have, the emptier is better.

use std::sync::Arc;

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::names;
use serde::Deserialize;
use serde_json::Value;

use crate::framework::{Changes, Check, Cycle, Filter, Plugin, Rate, Reason, Score, Verdict, args};
use crate::node::Node;
use crate::pod::PodInfo;

pub(crate) mod strategy;

use strategy::{Scale, Strategy};

#[derive(Clone, Default)]
struct ResourcesFit {
    scale: Scale,
    /// Resources that somebody else looks after, by name and by the part before the slash.
    ignored: Arc<[String]>,
    ignored_groups: Arc<[String]>,
}

/// `NodeResourcesFitArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Args {
    #[serde(default)]
    ignored_resources: Vec<String>,
    #[serde(default)]
    ignored_resource_groups: Vec<String>,
    scoring_strategy: Option<Strategy>,
}

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    with(ResourcesFit::default())
}

fn configure(given: &Value, path: &Path, errors: &mut Errors) -> Plugin {
    let args: Args = args::read(given, path, errors);
    for (i, name) in args.ignored_resources.iter().enumerate() {
        for fault in names::is_qualified_name(name) {
            errors.invalid(&path.child("ignoredResources").index(i), name.as_str(), fault);
        }
    }
    for (i, name) in args.ignored_resource_groups.iter().enumerate().filter(|(_, name)| name.contains('/')) {
        let at = path.child("ignoredResourceGroups").index(i);
        errors.invalid(&at, name.as_str(), "resource group name can't contain '/'");
    }
    let strategy = args.scoring_strategy;
    with(ResourcesFit {
        scale: strategy.map(|s| Scale::of(s, &path.child("scoringStrategy"), errors)).unwrap_or_default(),
        ignored: args.ignored_resources.into(),
        ignored_groups: args.ignored_resource_groups.into(),
    })
}

fn with(fit: ResourcesFit) -> Plugin {
    let helped_by = Changes::NODE_ADDED.or(Changes::NODE_ALLOCATABLE).or(Changes::POD_REMOVED);
    Plugin::named("NodeResourcesFit").filter(fit.clone(), helped_by).score(fit).configured_by(configure)
}

impl Filter for ResourcesFit {
    fn prepare<'a>(&'a self, cycle: Cycle<'a>) -> Check<'a> {
        Check::Each(Box::new(|node| self.fits(cycle.pod, node)))
    }
}

impl Score for ResourcesFit {
    fn weight(&self) -> i64 {
        1
    }

    fn prepare<'a>(&'a self, cycle: Cycle<'a>, _: &[usize]) -> Option<Rate<'a>> {
        Some(Box::new(|node| self.scale.rate(cycle.pod, node)))
    }
}

// === impl ResourcesFit ===

impl ResourcesFit {
    fn ignores(&self, resource: &str) -> bool {
        let group = || resource.split_once('/').is_some_and(|(group, _)| self.ignored_groups.iter().any(|g| g == group));
        self.ignored.iter().any(|name| name == resource) || group()
    }

fn fits(&self, pod: &PodInfo, node: &Node) -> Verdict {
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
    for (name, amount) in wanted.others.iter().filter(|(name, _)| !self.ignores(name)) {
        let of = |amounts: &crate::resources::Resources| amounts.others.get(name).copied().unwrap_or_default();
        demand(*amount, of(used), of(all), &|| format!("Insufficient {name}").into());
    }
    match (reasons.is_empty(), hopeless) {
        (true, _) => Verdict::Pass,
        (false, true) => Verdict::Hopeless(reasons),
        (false, false) => Verdict::Reject(reasons),
    }
}
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
