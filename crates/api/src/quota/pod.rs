//! Pods.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Measured, Requirement, one, scope};
use crate::kinds::core::{Affinity, Container, Pod, PodAffinityTerm, PodSpec, WeightedPodAffinityTerm};
use crate::names::is_qualified_name;
use crate::qos;
use crate::resources::{Amounts, Side, is_of_pods, of_pod};

const COUNT: &str = "count/pods";
/// What is limited both by its own name and by that of a request.
const BOTH: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// What a quota on it makes every container say. It was a mistake, and stays.
const MUST_BE_SAID: [&str; 6] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
const REQUESTS: &str = "requests.";
const LIMITS: &str = "limits.";
const HUGE: &str = "hugepages-";
const DEVICE_CLASS: &str = "deviceclass.resource.kubernetes.io/";

pub(super) fn counts(name: &str) -> bool {
    let bare = name.strip_prefix(REQUESTS);
    [COUNT, "pods"].contains(&name)
        || name.starts_with(HUGE)
        || BOTH.contains(&name.strip_prefix(LIMITS).or(bare).unwrap_or(name))
        || bare.is_some_and(|bare| bare.starts_with(HUGE) || bare.starts_with(DEVICE_CLASS) || is_foreign(name))
}

/// Whether a resource belongs to somebody else's domain.
fn is_foreign(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    let own =
        is_foreign(name) && !name.starts_with(REQUESTS) && is_qualified_name(&format!("{REQUESTS}{name}")).is_empty();
    own || name.starts_with(DEVICE_CLASS)
}

/// Whether a pod still takes what it asks for: it has not ended, nor outstayed its time to end.
#[must_use]
pub fn is_counted(pod: &Pod, now: Timestamp) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    if matches!(phase, Some("Failed" | "Succeeded")) {
        return false;
    }
    let (end, grace) = (&pod.metadata.deletion_timestamp, pod.metadata.deletion_grace_period_seconds);
    let (Some(end), Some(grace)) = (end, grace) else { return true };
    now <= end.0.saturating_add(SignedDuration::from_secs(grace)).unwrap_or(Timestamp::MAX)
}

/// How the requests and limits of a pod, or of one container, are counted.
fn computed(requests: Amounts, limits: Amounts) -> Amounts {
    let mut all = Amounts::from([("pods".into(), one())]);
    for (name, amount) in requests {
        let both = BOTH.contains(&name.as_str()) || name.starts_with(HUGE);
        if both || is_extended(&name) {
            all.insert(format!("{REQUESTS}{name}"), amount);
        }
        if both {
            all.insert(name, amount);
        }
    }
    let limits = limits.into_iter().filter(|(name, _)| BOTH.contains(&name.as_str()));
    all.extend(limits.map(|(name, amount)| (format!("{LIMITS}{name}"), amount)));
    all
}

fn is_terminating(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|s| s.active_deadline_seconds).is_some_and(|seconds| seconds >= 0)
}

fn is_best_effort(pod: &Pod) -> bool {
    let told = pod.status.as_ref().and_then(|s| s.qos_class.as_deref()).filter(|class| !class.is_empty());
    told.or_else(|| pod.spec.as_ref().map(qos::class)) == Some("BestEffort")
}

/// Whether a pod chooses its neighbours among those of other namespaces.
fn looks_abroad(affinity: &Affinity) -> bool {
    let abroad = |term: &PodAffinityTerm| {
        term.namespaces.as_ref().is_some_and(|all| !all.is_empty()) || term.namespace_selector.is_some()
    };
    let weighted = |term: &WeightedPodAffinityTerm| abroad(&term.pod_affinity_term);
    let (near, far) = (affinity.pod_affinity.as_ref(), affinity.pod_anti_affinity.as_ref());
    let required = near.iter().filter_map(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    let preferred = near.iter().filter_map(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref());
    let required =
        required.chain(far.iter().filter_map(|a| a.required_during_scheduling_ignored_during_execution.as_ref()));
    let preferred =
        preferred.chain(far.iter().filter_map(|a| a.preferred_during_scheduling_ignored_during_execution.as_ref()));
    required.flatten().any(abroad) || preferred.flatten().any(weighted)
}

fn speaks_for_itself(spec: &PodSpec) -> bool {
    let lists = spec.resources.iter().flat_map(|r| [&r.requests, &r.limits]);
    lists.flatten().flat_map(BTreeMap::keys).any(|name| is_of_pods(name))
}

impl Measured for Pod {
    fn usage(&self, now: Timestamp) -> Amounts {
        let mut usage = Amounts::from([(COUNT.into(), one())]);
        if is_counted(self, now) {
            usage.extend(computed(of_pod(self, Side::Requests), of_pod(self, Side::Limits)));
        }
        usage
    }

    fn is_in(&self, scope: &Requirement) -> bool {
        match scope.scope_name.as_str() {
            "Terminating" => is_terminating(self),
            "NotTerminating" => !is_terminating(self),
            "BestEffort" => is_best_effort(self),
            "NotBestEffort" => !is_best_effort(self),
            "PriorityClass" => {
                let class = self.spec.as_ref().and_then(|s| s.priority_class_name.as_deref());
                scope::holds(scope, class.filter(|class| !class.is_empty()))
            }
            "CrossNamespacePodAffinity" => {
                self.spec.as_ref().and_then(|s| s.affinity.as_ref()).is_some_and(looks_abroad)
            }
            _ => false,
        }
    }

    fn unsaid(&self, names: &[&str]) -> Option<String> {
        let spec = self.spec.as_ref().filter(|spec| !speaks_for_itself(spec))?;
        let mut unsaid: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let of = |container: &Container| {
            let resources = container.resources.as_ref();
            computed(Side::Requests.of(resources), Side::Limits.of(resources))
        };
        for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
            let said = of(container);
            for name in names.iter().filter(|name| MUST_BE_SAID.contains(name) && !said.contains_key(**name)) {
                unsaid.entry(name).or_default().insert(&container.name);
            }
        }
        let each = |(name, containers): (&&str, &BTreeSet<&str>)| {
            format!("{name} for: {}", containers.iter().copied().collect::<Vec<_>>().join(","))
        };
        (!unsaid.is_empty()).then(|| format!("must specify {}", unsaid.iter().map(each).collect::<Vec<_>>().join("; ")))
    }
}
