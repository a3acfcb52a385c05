//! When a pod fits nowhere, others of lower priority may have to leave ([`crate::preempt`]).

use nakhoda_api::field::{Errors, Path};
use serde::Deserialize;
use serde_json::Value;

use crate::framework::{Candidates, Plugin, args};

/// `DefaultPreemptionArgs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Args {
    min_candidate_nodes_percentage: Option<i32>,
    min_candidate_nodes_absolute: Option<i32>,
}

/// The plugin.
#[must_use]
pub fn plugin() -> Plugin {
    with(Candidates { percent: 10, least: 100 })
}

fn with(candidates: Candidates) -> Plugin {
    let mut plugin = Plugin::named("DefaultPreemption").configured_by(configure);
    plugin.preemption = Some(candidates);
    plugin
}

fn configure(given: &Value, path: &Path, errors: &mut Errors) -> Plugin {
    let args: Args = args::read(given, path, errors);
    let (percent, least) =
        (args.min_candidate_nodes_percentage.unwrap_or(10), args.min_candidate_nodes_absolute.unwrap_or(100));
    let at = ["minCandidateNodesPercentage", "minCandidateNodesAbsolute"].map(|name| path.child(name));
    if !(0..=100).contains(&percent) {
        errors.invalid(&at[0], percent, "not in valid range [0, 100]");
    }
    if least < 0 {
        errors.invalid(&at[1], least, "not in valid range [0, inf)");
    }
    if percent == 0 && least == 0 {
        errors.invalid(&at[0], percent, "cannot be zero at the same time as minCandidateNodesAbsolute");
        errors.invalid(&at[1], least, "cannot be zero at the same time as minCandidateNodesPercentage");
    }
    let count = |number: i32| usize::try_from(number).unwrap_or_default();
    with(Candidates { percent: count(percent), least: count(least) })
}
