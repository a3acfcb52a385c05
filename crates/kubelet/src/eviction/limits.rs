//! Who uses more of the node's disk than it may: an emptyDir beyond its size limit, a pod or a container beyond
//! its limit of ephemeral storage. Upstream's order and words. Pure.

use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use nakhoda_api::quantity::Quantity as Amount;

use super::is_critical;
use super::plan::{Eviction, PodUsage};
use crate::pod::spec;
use crate::resources::{of, whole};

const RESOURCE: &str = "ephemeral-storage";

/// Whether there is any limit to look after.
#[must_use]
pub fn are_set(spec: &PodSpec) -> bool {
    let sized = |v: &k8s_openapi::api::core::v1::Volume| v.empty_dir.as_ref().is_some_and(|e| e.size_limit.is_some());
    spec.volumes.iter().flatten().any(sized) || spec.containers.iter().any(|c| limit(c).is_some())
}

/// The pod has to end.
#[must_use]
pub fn broken(usage: &PodUsage) -> Option<Eviction> {
    if is_critical(&usage.pod) {
        return None;
    }
    let message = volume(usage).or_else(|| pod(usage)).or_else(|| container(usage))?;
    Some(Eviction { uid: spec::uid(&usage.pod).into(), message, grace: 1, is_disruption: false })
}

fn volume(usage: &PodUsage) -> Option<String> {
    spec::of(&usage.pod).volumes.iter().flatten().find_map(|volume| {
        let size = volume.empty_dir.as_ref()?.size_limit.as_ref().filter(|size| whole(size) > 0)?;
        let used = usage.volumes.get(&volume.name)?;
        (*used > whole(size))
            .then(|| format!("Usage of EmptyDir volume {:?} exceeds the limit {:?}. ", volume.name, size.0))
    })
}

fn pod(usage: &PodUsage) -> Option<String> {
    let limits: Vec<&Quantity> = spec::of(&usage.pod).containers.iter().filter_map(limit).collect();
    let sum: Amount = limits.iter().filter_map(|limit| Amount::parse(&limit.0).ok()).sum();
    (!limits.is_empty() && usage.disk() > sum.value())
        .then(|| format!("Pod ephemeral local storage usage exceeds the total limit of containers {sum}. "))
}

fn container(usage: &PodUsage) -> Option<String> {
    usage.containers.iter().find_map(|used| {
        let own = spec::of(&usage.pod).containers.iter().find(|c| c.name == used.name)?;
        let limit = limit(own).filter(|limit| whole(limit) > 0)?;
        (used.disk > whole(limit))
            .then(|| format!("Container {} exceeded its local ephemeral storage limit {:?}. ", used.name, limit.0))
    })
}

fn limit(container: &Container) -> Option<&Quantity> {
    of(container.resources.as_ref().and_then(|r| r.limits.as_ref()), RESOURCE)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::plan::ContainerUsage;
    use super::*;

    fn judged(used: i64, in_volume: i64) -> Option<String> {
        let container = |name: &str| json!({"name": name, "resources": {"limits": {RESOURCE: "1Ki"}}});
        let volumes = json!([{"name": "v", "emptyDir": {"sizeLimit": "1Ki"}}]);
        let spec = json!({"containers": [container("a"), container("b")], "volumes": volumes});
        let pod = serde_json::from_value(json!({"metadata": {"uid": "u"}, "spec": spec})).expect("a pod");
        let containers = vec![ContainerUsage { name: "a".into(), memory: 0, disk: used }];
        let usage =
            PodUsage { pod: Arc::new(pod), containers, volumes: [("v".to_owned(), in_volume)].into(), hosts: 0 };
        broken(&usage).map(|eviction| eviction.message)
    }

    #[test]
    fn each_limit_has_its_words() {
        assert_eq!(judged(1024, 1024), None);
        assert_eq!(judged(0, 1025).as_deref(), Some("Usage of EmptyDir volume \"v\" exceeds the limit \"1Ki\". "));
        assert_eq!(
            judged(2000, 1000).as_deref(),
            Some("Pod ephemeral local storage usage exceeds the total limit of containers 2Ki. ")
        );
        assert_eq!(
            judged(1025, 0).as_deref(),
            Some("Container a exceeded its local ephemeral storage limit \"1Ki\". ")
        );
    }
}
