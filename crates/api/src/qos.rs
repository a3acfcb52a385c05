//! The quality of service that a pod's requests and limits amount to (`pkg/apis/core/helper/qos`).

use crate::kinds::core::{Container, PodSpec, ResourceRequirements};
use crate::quantity::Quantity;

type Resources = std::collections::BTreeMap<String, crate::kinds::Quantity>;

const COUNTED: [&str; 2] = ["cpu", "memory"];

/// `Guaranteed`, `Burstable` or `BestEffort`.
#[must_use]
pub fn class(spec: &PodSpec) -> &'static str {
    let all: Vec<&ResourceRequirements> = match &spec.resources {
        Some(pod) => vec![pod],
        None => containers(spec).filter_map(|c| c.resources.as_ref()).collect(),
    };
    let unnamed = spec.resources.is_none() && containers(spec).any(|c| c.resources.is_none());
    let given = |r: &Option<Resources>, name: &str| amount(r, name).is_some();
    if !all.iter().any(|r| COUNTED.iter().any(|n| given(&r.requests, n) || given(&r.limits, n))) {
        return "BestEffort";
    }
    let fixed = |r: &ResourceRequirements| {
        COUNTED.iter().all(|n| {
            let limit = amount(&r.limits, n);
            limit.is_some() && amount(&r.requests, n) == limit
        })
    };
    if !unnamed && all.into_iter().all(fixed) { "Guaranteed" } else { "Burstable" }
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

/// What is not more than nothing counts as not given.
fn amount(resources: &Option<Resources>, name: &str) -> Option<Quantity> {
    Quantity::try_from(resources.as_ref()?.get(name)?).ok().filter(|q| *q > Quantity::ZERO)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn class_of(containers: serde_json::Value) -> &'static str {
        class(&serde_json::from_value(json!({ "containers": containers })).expect("a spec"))
    }

    #[test]
    fn the_class_follows_requests_and_limits() {
        let both = json!({"cpu": "1", "memory": "1Gi"});
        assert_eq!(class_of(json!([{"name": "a", "resources": {}}])), "BestEffort");
        assert_eq!(class_of(json!([{"name": "a", "resources": {"requests": both, "limits": both}}])), "Guaranteed");
        assert_eq!(class_of(json!([{"name": "a", "resources": {"requests": {"cpu": "1"}}}])), "Burstable");
        let mixed =
            json!([{"name": "a", "resources": {"requests": both, "limits": both}}, {"name": "b", "resources": {}}]);
        assert_eq!(class_of(mixed), "Burstable");
    }
}
