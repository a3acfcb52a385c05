//! Requests and limits: quality of service, cgroup numbers, oom scores, as upstream computes them. The sums are the
//! API's own (`nakhoda_api::resources`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use nakhoda_api::quantity;
use nakhoda_api::resources::{Side, add, is_of_pods, of_containers};

use crate::cri::v1::LinuxContainerResources;
use crate::pod::spec as pods;

const MIN_SHARES: i64 = 2;
const MAX_SHARES: i64 = 262_144;
const PERIOD: i64 = 100_000;
const MIN_QUOTA: i64 = 1_000;

/// Quality of service class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qos {
    /// Every container has equal requests and limits for cpu and memory.
    Guaranteed,
    /// Some container asks for something.
    Burstable,
    /// Nobody asks for anything.
    BestEffort,
}

/// What the pod's own cgroup is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodLimits {
    /// Relative share.
    pub cpu_shares: i64,
    /// Microseconds per 100 ms, if the pod or every container has a limit.
    pub cpu_quota: Option<i64>,
    /// Bytes, if the pod or every container has a limit.
    pub memory: Option<i64>,
}

// === impl PodLimits ===

impl PodLimits {
    /// What holds the needs of both.
    #[must_use]
    pub fn widest(self, other: Self) -> Self {
        let both = |a: Option<i64>, b: Option<i64>| a.zip(b).map(|(a, b)| a.max(b));
        Self {
            cpu_shares: self.cpu_shares.max(other.cpu_shares),
            cpu_quota: both(self.cpu_quota, other.cpu_quota),
            memory: both(self.memory, other.memory),
        }
    }
}

// === impl Qos ===

impl Qos {
    /// The word in the pod's status.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        }
    }

    /// The class of a pod.
    #[must_use]
    pub fn of(spec: &PodSpec) -> Self {
        match nakhoda_api::qos::class(spec) {
            "Guaranteed" => Self::Guaranteed,
            "Burstable" => Self::Burstable,
            _ => Self::BestEffort,
        }
    }
}

/// A quantity in thousandths, rounded up; 0 for what is no quantity (the API server admits none).
#[must_use]
pub fn milli(quantity: &Quantity) -> i64 {
    exact(quantity).milli()
}

/// A quantity in whole units, rounded up.
#[must_use]
pub fn whole(quantity: &Quantity) -> i64 {
    exact(quantity).value()
}

fn exact(quantity: &Quantity) -> quantity::Quantity {
    quantity::Quantity::try_from(quantity).unwrap_or_default()
}

/// A resource of a container; `None` when it is not named.
#[must_use]
pub fn of<'a>(list: Option<&'a BTreeMap<String, Quantity>>, name: &str) -> Option<&'a Quantity> {
    list.and_then(|m| m.get(name))
}

/// CPU shares for thousandths of a core.
#[must_use]
pub const fn shares(milli: i64) -> i64 {
    let shares = milli * 1024 / 1000;
    if milli == 0 || shares < MIN_SHARES {
        MIN_SHARES
    } else if shares > MAX_SHARES {
        MAX_SHARES
    } else {
        shares
    }
}

/// CFS quota for thousandths of a core.
#[must_use]
pub const fn quota(milli: i64) -> i64 {
    let quota = milli * PERIOD / 1000;
    if quota < MIN_QUOTA { MIN_QUOTA } else { quota }
}

/// What the runtime limits a container to. One without a limit of its own has the pod's.
#[must_use]
pub fn container(pod: &Pod, spec: &PodSpec, container: &Container, node_memory: i64) -> LinuxContainerResources {
    let resources = container.resources.as_ref();
    let requests = resources.and_then(|r| r.requests.as_ref());
    let own = resources.and_then(|r| r.limits.as_ref());
    let pods = spec.resources.as_ref().and_then(|r| r.limits.as_ref());
    let limit = |name: &str, scale: fn(&Quantity) -> i64| {
        [own, pods].into_iter().filter_map(|list| of(list, name).map(scale)).find(|limit| *limit > 0).unwrap_or(0)
    };
    let cpu_limit = limit("cpu", milli);
    LinuxContainerResources {
        cpu_shares: shares(of(requests, "cpu").map_or(cpu_limit, milli)),
        cpu_period: PERIOD,
        cpu_quota: if cpu_limit > 0 { quota(cpu_limit) } else { 0 },
        memory_limit_in_bytes: limit("memory", whole),
        oom_score_adj: oom_score(pod, spec, container, node_memory),
        ..Default::default()
    }
}

/// The pod's own level: what is asked for it as a whole, else what its containers come to if each has a limit.
#[must_use]
pub fn pod(spec: &PodSpec) -> PodLimits {
    let limits = total(spec, Side::Limits);
    let whole_pod = Side::Limits.of(spec.resources.as_ref());
    let declared = |name: &str| {
        let has = |c: &Container| Side::Limits.of(c.resources.as_ref()).get(name).is_some_and(|q| !q.is_zero());
        whole_pod.get(name).is_some_and(|q| !q.is_zero()) || pods::containers(spec).all(|(_, c)| has(c))
    };
    let limit = |name: &str| limits.get(name).filter(|_| declared(name));
    PodLimits {
        cpu_shares: shares(total(spec, Side::Requests).get("cpu").map_or(0, |cpu| cpu.milli())),
        cpu_quota: limit("cpu").map(|cpu| quota(cpu.milli())),
        memory: limit("memory").map(|memory| memory.value()),
    }
}

/// What a pod's specification comes to; its overhead widens only what is limited.
#[must_use]
pub fn total(spec: &PodSpec, side: Side) -> nakhoda_api::resources::Amounts {
    let mut all = of_containers(spec, |container| side.of(container.resources.as_ref()));
    all.extend(side.of(spec.resources.as_ref()).into_iter().filter(|(name, _)| is_of_pods(name)));
    let mut overhead = nakhoda_api::resources::amounts(spec.overhead.as_ref());
    if side == Side::Limits {
        overhead.retain(|name, _| all.get(name).is_some_and(|limit| !limit.is_zero()));
    }
    add(&mut all, &overhead);
    all
}

fn oom_score(pod: &Pod, spec: &PodSpec, container: &Container, node_memory: i64) -> i64 {
    if spec.priority.is_some_and(|p| p >= 2_000_000_000) || pods::is_static(pod) {
        return -997;
    }
    match Qos::of(spec) {
        Qos::Guaranteed => -997,
        Qos::BestEffort => 1000,
        Qos::Burstable => {
            let least = spec.containers.iter().map(memory).min().unwrap_or(0);
            // A sidecar goes no earlier than those it serves.
            let own = if pods::is_sidecar(container) { memory(container).max(least) } else { memory(container) };
            let score = 1000 - (1000 * (own + share_of_rest(spec))) / node_memory.max(1);
            score.clamp(3, 999)
        }
    }
}

fn memory(container: &Container) -> i64 {
    Side::Requests.of(container.resources.as_ref()).get("memory").map_or(0, |q| q.value())
}

/// What the pod asks for as a whole beyond its containers' requests, for each of them.
fn share_of_rest(spec: &PodSpec) -> i64 {
    let asked = Side::Requests.of(spec.resources.as_ref()).get("memory").map_or(0, |q| q.value());
    if asked == 0 {
        return 0;
    }
    let own = of_containers(spec, |c| Side::Requests.of(c.resources.as_ref())).get("memory").map_or(0, |q| q.value());
    (asked - own) / i64::try_from(pods::containers(spec).count().max(1)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities_scale_and_round_up() {
        let q = |text: &str| Quantity(text.into());
        assert_eq!(milli(&q("100m")), 100);
        assert_eq!(milli(&q("0.1")), 100);
        assert_eq!(milli(&q("1")), 1000);
        assert_eq!(whole(&q("1Ki")), 1024);
        assert_eq!(whole(&q("1.5Gi")), 1_610_612_736);
        assert_eq!(whole(&q("1e3")), 1000);
        assert_eq!(whole(&q("1500m")), 2);
    }

    #[test]
    fn classes_follow_requests_and_limits() {
        let class = |resources| {
            let spec = json!({"containers": [{"name": "a", "resources": resources}]});
            Qos::of(&serde_json::from_value(spec).expect("a spec"))
        };
        assert_eq!(class(json!({})), Qos::BestEffort);
        assert_eq!(class(json!({"requests": {"cpu": "1"}})), Qos::Burstable);
        let both = json!({"cpu": "1", "memory": "1Gi"});
        assert_eq!(class(json!({"requests": both, "limits": both})), Qos::Guaranteed);
    }

    #[test]
    fn shares_and_quota_have_floors() {
        assert_eq!((shares(0), shares(1), shares(1000), quota(1)), (2, 2, 1024, 1000));
    }

    #[test]
    fn a_pods_own_limits_stand_for_those_of_its_containers() {
        let spec: PodSpec = serde_json::from_value(json!({
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "100m"}}}, {"name": "b"}],
            "resources": {"requests": {"cpu": "1", "memory": "300Mi"}, "limits": {"cpu": "2", "memory": "1Gi"}},
        }))
        .expect("a spec");
        let expected = PodLimits { cpu_shares: 1024, cpu_quota: Some(200_000), memory: Some(1 << 30) };
        assert_eq!(super::pod(&spec), expected);
        let unlimited = super::container(&Pod::default(), &spec, &spec.containers[1], 3 << 30);
        assert_eq!((unlimited.cpu_quota, unlimited.memory_limit_in_bytes), (200_000, 1 << 30));
        assert_eq!(unlimited.oom_score_adj, 1000 - 1000 * (150 << 20) / (3 << 30));
        let mut alone = spec;
        alone.resources = None;
        assert_eq!(super::pod(&alone), PodLimits { cpu_shares: 102, cpu_quota: None, memory: None });
    }
}
