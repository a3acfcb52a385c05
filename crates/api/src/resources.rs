//! What a pod takes as a whole: of its containers, of what is said of the pod itself, and of its overhead
//! (`component-helpers/resource`).

use std::collections::BTreeMap;

use crate::kinds;
use crate::kinds::core::{Container, ContainerStatus, Pod, PodSpec, ResourceRequirements};
use crate::quantity::Quantity;

/// Amounts by the names of their resources.
pub type Amounts = BTreeMap<String, Quantity>;

/// Which of the two lists of a container or a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is set aside.
    Requests,
    /// What must not be exceeded.
    Limits,
}

/// The amounts of a list; one that cannot be read is left out: the API server refuses such lists.
#[must_use]
pub fn amounts(list: Option<&BTreeMap<String, kinds::Quantity>>) -> Amounts {
    list.into_iter().flatten().filter_map(|(name, q)| Some((name.clone(), Quantity::try_from(q).ok()?))).collect()
}

/// Adds amounts to others.
pub fn add(into: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        *into.entry(name.clone()).or_default() += *amount;
    }
}

/// Raises amounts to those of others.
pub fn raise(into: &mut Amounts, to: Amounts) {
    for (name, amount) in to {
        let entry = into.entry(name).or_insert(amount);
        *entry = (*entry).max(amount);
    }
}

/// Whether pods as a whole may ask for a resource.
#[must_use]
pub fn is_of_pods(name: &str) -> bool {
    ["cpu", "memory"].contains(&name) || name.starts_with("hugepages-")
}

/// What a pod takes. Where its containers run with more than is asked for, because they are being resized, that counts.
#[must_use]
pub fn of_pod(pod: &Pod, side: Side) -> Amounts {
    let Some(spec) = &pod.spec else { return Amounts::new() };
    let mut all = of_containers(spec, |container| effective(pod, container, side));
    all.extend(side.of(spec.resources.as_ref()).into_iter().filter(|(name, _)| is_of_pods(name)));
    for (name, amount) in amounts(spec.overhead.as_ref()) {
        match side {
            Side::Requests => *all.entry(name).or_default() += amount,
            Side::Limits => {
                if let Some(limit) = all.get_mut(&name).filter(|limit| !limit.is_zero()) {
                    *limit += amount;
                }
            }
        }
    }
    all
}

/// All containers together, or the init container that needs more beside the sidecars before it.
#[must_use]
pub fn of_containers(spec: &PodSpec, each: impl Fn(&Container) -> Amounts) -> Amounts {
    let (mut all, mut sidecars, mut start) = (Amounts::new(), Amounts::new(), Amounts::new());
    for container in &spec.containers {
        add(&mut all, &each(container));
    }
    for container in spec.init_containers.iter().flatten() {
        let mut own = each(container);
        if is_sidecar(container) {
            add(&mut all, &own);
            add(&mut sidecars, &own);
            own = sidecars.clone();
        } else {
            add(&mut own, &sidecars);
        }
        raise(&mut start, own);
    }
    raise(&mut all, start);
    all
}

fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// What is asked for, what the container has, and what it was promised: the most of it, or without what is asked for if
/// the node can never give it.
fn effective(pod: &Pod, container: &Container, side: Side) -> Amounts {
    let asked = side.of(container.resources.as_ref());
    let Some(status) = status_of(pod, container) else { return asked };
    let Some(actual) = &status.resources else { return asked };
    let mut effective = if is_infeasible(pod) { Amounts::new() } else { asked };
    raise(&mut effective, side.of(Some(actual)));
    if side == Side::Requests {
        raise(&mut effective, amounts(status.allocated_resources.as_ref()));
    }
    effective
}

/// Containers that only start the pod are not resized.
fn status_of<'a>(pod: &'a Pod, container: &Container) -> Option<&'a ContainerStatus> {
    let (spec, status) = (pod.spec.as_ref()?, pod.status.as_ref()?);
    let starts = spec.init_containers.iter().flatten().any(|c| c.name == container.name);
    if starts && !is_sidecar(container) {
        return None;
    }
    let statuses = if starts { &status.init_container_statuses } else { &status.container_statuses };
    statuses.iter().flatten().find(|s| s.name == container.name)
}

fn is_infeasible(pod: &Pod) -> bool {
    let conditions = pod.status.iter().filter_map(|s| s.conditions.as_ref()).flatten();
    conditions.into_iter().any(|c| c.type_ == "PodResizePending" && c.reason.as_deref() == Some("Infeasible"))
}

// === impl Side ===

impl Side {
    /// The amounts of this list.
    #[must_use]
    pub fn of(self, resources: Option<&ResourceRequirements>) -> Amounts {
        amounts(resources.and_then(|r| match self {
            Self::Requests => r.requests.as_ref(),
            Self::Limits => r.limits.as_ref(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn requests(pod: Value) -> String {
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        let told = of_pod(&pod, Side::Requests).into_iter().map(|(name, amount)| format!("{name}={amount}"));
        told.collect::<Vec<_>>().join(",")
    }

    fn container(name: &str, cpu: &str) -> Value {
        json!({"name": name, "resources": {"requests": {"cpu": cpu}}})
    }

    #[test]
    fn containers_add_up_and_the_start_may_need_more() {
        let mut sidecar = container("s", "1");
        sidecar["restartPolicy"] = "Always".into();
        for (init, sum) in [
            (json!([]), "cpu=3"),
            (json!([container("i", "2")]), "cpu=3"),
            (json!([container("i", "5")]), "cpu=5"),
            (json!([sidecar, container("i", "5")]), "cpu=6"),
            (json!([container("i", "2"), sidecar]), "cpu=4"),
        ] {
            let spec = json!({"containers": [container("a", "1"), container("b", "2")], "initContainers": init});
            assert_eq!(requests(json!({ "spec": spec })), sum, "{spec}");
        }
    }

    #[test]
    fn what_is_said_of_the_pod_stands_for_its_containers_and_overhead_comes_on_top() {
        let spec = json!({"containers": [container("a", "1")], "resources": {"requests": {"cpu": "4"}},
            "overhead": {"cpu": "250m", "memory": "1Mi"}});
        assert_eq!(requests(json!({ "spec": spec })), "cpu=4250m,memory=1Mi");
    }

    #[test]
    fn a_container_that_is_being_made_smaller_counts_as_it_runs() {
        let mut pod = json!({"spec": {"containers": [container("a", "1")]}, "status": {"containerStatuses": [
            {"name": "a", "image": "", "imageID": "", "ready": true, "restartCount": 0,
             "resources": {"requests": {"cpu": "2"}}, "allocatedResources": {"cpu": "3"}}]}});
        assert_eq!(requests(pod.clone()), "cpu=3");
        pod["spec"]["containers"][0] = container("a", "9");
        assert_eq!(requests(pod.clone()), "cpu=9");
        pod["status"]["conditions"] = json!([{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]);
        assert_eq!(requests(pod), "cpu=3");
    }
}
