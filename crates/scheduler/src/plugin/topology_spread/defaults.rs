//! The constraints of pods that have none of their own (`PodTopologySpreadArgs`).

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::TopologySpreadConstraint;
use serde::Deserialize;
use serde_json::Value;

use super::constraint::{Constraint, HOST};
use crate::cluster::Group;
use crate::framework::args;
use crate::pod::PodInfo;

const ZONE: &str = "topology.kubernetes.io/zone";

/// What a profile says of pods without constraints.
pub(super) enum Defaults {
    /// Nothing: upstream's count.
    System,
    /// These, which may be none.
    List(Vec<TopologySpreadConstraint>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Args {
    #[serde(default)]
    default_constraints: Vec<TopologySpreadConstraint>,
    defaulting_type: Option<String>,
}

// === impl Defaults ===

impl Defaults {
    /// A pod's constraints: its own, or without any the defaults for pods of one controller.
    pub(super) fn constraints(&self, pod: &PodInfo) -> Vec<Constraint> {
        let own = pod.spec().and_then(|s| s.topology_spread_constraints.as_deref()).unwrap_or_default();
        if !own.is_empty() {
            return own.iter().filter_map(|c| Constraint::read(pod, c)).collect();
        }
        let Some(uid) = &pod.controller else { return Vec::new() };
        let group = || Group::Controller { namespace: pod.key.namespace.clone(), uid: uid.clone() };
        match self {
            Self::System => {
                [soft(HOST, 3), soft(ZONE, 5)].iter().map(|c| Constraint::of_group(c, group())).collect()
            }
            Self::List(list) => list.iter().map(|c| Constraint::of_group(c, group())).collect(),
        }
    }
}

/// Reads and checks the arguments.
pub(super) fn read(given: &Value, path: &Path, errors: &mut Errors) -> Defaults {
    let args: Args = args::read(given, path, errors);
    let (at, list) = (path.child("defaultingType"), args.default_constraints);
    check(&list, &path.child("defaultConstraints"), errors);
    match args.defaulting_type.as_deref().unwrap_or("System") {
        "System" => {
            if !list.is_empty() {
                errors.invalid(&at, "System", "when .defaultConstraints are not empty");
            }
            Defaults::System
        }
        "List" => Defaults::List(list),
        other => {
            errors.not_supported(&at, other, &["System", "List"]);
            Defaults::System
        }
    }
}

fn check(list: &[TopologySpreadConstraint], path: &Path, errors: &mut Errors) {
    for (i, constraint) in list.iter().enumerate() {
        let at = path.index(i);
        if constraint.max_skew <= 0 {
            errors.invalid(&at.child("maxSkew"), constraint.max_skew, "not in valid range (0, inf)");
        }
        if constraint.topology_key.is_empty() {
            errors.required(&at.child("topologyKey"), "can not be empty");
        }
        match constraint.when_unsatisfiable.as_str() {
            "" => errors.required(&at.child("whenUnsatisfiable"), "can not be empty"),
            "DoNotSchedule" | "ScheduleAnyway" => {}
            other => {
                errors.not_supported(&at.child("whenUnsatisfiable"), other, &["DoNotSchedule", "ScheduleAnyway"]);
            }
        }
        if constraint.label_selector.is_some() {
            let why = "constraint must not define a selector, as they deduced for each pod";
            errors.forbidden(&at.child("labelSelector"), why);
        }
        let same = |other: &&TopologySpreadConstraint| {
            other.topology_key == constraint.topology_key && other.when_unsatisfiable == constraint.when_unsatisfiable
        };
        if list[..i].iter().any(|other| same(&other)) {
            errors.duplicate(&at, format!("{{{}, {}}}", constraint.topology_key, constraint.when_unsatisfiable));
        }
    }
}

fn soft(key: &str, skew: i32) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        topology_key: key.into(),
        max_skew: skew,
        when_unsatisfiable: "ScheduleAnyway".into(),
        ..TopologySpreadConstraint::default()
    }
}
