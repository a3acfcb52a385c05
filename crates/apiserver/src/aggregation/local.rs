//! APIServices of what this server serves itself: a plain function of the kinds.

use std::collections::BTreeSet;

use nakhoda_api::time::now_rfc3339;
use serde_json::{Value, json};

use crate::kinds::Kinds;

/// Says that the object is made and kept by the server.
pub const LABEL: &str = "kube-aggregator.kubernetes.io/automanaged";

/// How groups and their versions are ranked, as upstream ranks them.
const RANKS: &[(&str, &str, i32, i32)] = &[
    ("", "v1", 18000, 1),
    ("admissionregistration.k8s.io", "v1", 16700, 15),
    ("apiextensions.k8s.io", "v1", 16700, 15),
    ("apps", "v1", 17800, 15),
    ("authentication.k8s.io", "v1", 17700, 15),
    ("authorization.k8s.io", "v1", 17600, 15),
    ("autoscaling", "v1", 17500, 15),
    ("autoscaling", "v2", 17500, 30),
    ("batch", "v1", 17400, 15),
    ("certificates.k8s.io", "v1", 17300, 15),
    ("coordination.k8s.io", "v1", 16500, 15),
    ("discovery.k8s.io", "v1", 16200, 15),
    ("events.k8s.io", "v1", 17750, 15),
    ("flowcontrol.apiserver.k8s.io", "v1", 16100, 21),
    ("metrics.k8s.io", "v1beta1", 100, 100),
    ("networking.k8s.io", "v1", 17200, 15),
    ("node.k8s.io", "v1", 16300, 15),
    ("policy", "v1", 17100, 15),
    ("rbac.authorization.k8s.io", "v1", 17000, 15),
    ("resource.k8s.io", "v1", 16200, 21),
    ("scheduling.k8s.io", "v1", 16600, 15),
    ("scheduling.k8s.io", "v1beta1", 16600, 9),
    ("storage.k8s.io", "v1", 16800, 15),
    ("storagemigration.k8s.io", "v1", 16000, 15),
];

/// The APIServices that there should be, with their status.
#[must_use]
pub fn plan(kinds: &Kinds, now: jiff::Timestamp) -> Vec<Value> {
    let versions: BTreeSet<(String, String, bool)> = kinds
        .all()
        .iter()
        .filter(|kind| kind.info.gvk.group != "apiregistration.k8s.io")
        .map(|kind| (kind.info.gvk.group.clone(), kind.info.gvk.version.clone(), kind.strategy.schema().is_some()))
        .collect();
    versions.into_iter().map(|(group, version, custom)| one(&group, &version, custom, now)).collect()
}

fn one(group: &str, version: &str, custom: bool, now: jiff::Timestamp) -> Value {
    let rank = RANKS.iter().find(|(g, v, ..)| *g == group && *v == version);
    let (minimum, priority) = rank.map_or((1000, 100), |(_, _, minimum, priority)| (*minimum, *priority));
    let mut spec = json!({"version": version, "groupPriorityMinimum": minimum, "versionPriority": priority});
    if !group.is_empty() {
        spec["group"] = group.into();
    }
    json!({
        "kind": "APIService",
        "apiVersion": "apiregistration.k8s.io/v1",
        "metadata": {
            "name": format!("{version}.{group}"),
            "labels": {LABEL: if custom { "true" } else { "onstart" }},
        },
        "spec": spec,
        "status": {"conditions": [{"type": "Available", "status": "True", "lastTransitionTime": now_rfc3339(now),
            "reason": "Local", "message": "Local APIServices are always available"}]},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_every_group_has_its_api_service() {
        let all = plan(&Kinds::built_in(), jiff::Timestamp::UNIX_EPOCH);
        let names: Vec<&str> = all.iter().filter_map(|s| s["metadata"]["name"].as_str()).collect();
        assert!(names.contains(&"v1.") && names.contains(&"v1.apps"), "{names:?}");
        let apps = all.iter().find(|s| s["metadata"]["name"] == "v1.apps").expect("there");
        assert_eq!(
            (&apps["spec"]["groupPriorityMinimum"], &apps["spec"]["versionPriority"]),
            (&17800.into(), &15.into())
        );
        let ranked = |s: &&Value| s["spec"]["groupPriorityMinimum"] != 1000 || s["spec"]["versionPriority"] != 100;
        let without: Vec<_> = all.iter().filter(|s| !ranked(s)).map(|s| &s["metadata"]["name"]).collect();
        assert!(without.is_empty(), "a line in RANKS is missing for {without:?}");
    }
}
