//! Requests and limits: quality of service, cgroup numbers, oom scores, as upstream computes them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::cri::v1::LinuxContainerResources;

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
    /// Microseconds per 100 ms, if every container has a limit.
    pub cpu_quota: Option<i64>,
    /// Bytes, if every container has a limit.
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
        let all: Vec<&Container> = spec.containers.iter().chain(spec.init_containers.iter().flatten()).collect();
        let value =
            |list: fn(&ResourceRequirements) -> &Option<BTreeMap<String, Quantity>>, c: &Container, name: &str| {
                c.resources.as_ref().and_then(|r| list(r).as_ref()).and_then(|m| m.get(name)).map_or(0, milli)
            };
        let names = ["cpu", "memory"];
        let any = all
            .iter()
            .any(|c| names.iter().any(|n| value(|r| &r.requests, c, n) > 0 || value(|r| &r.limits, c, n) > 0));
        let equal = |c: &&Container| {
            names.iter().all(|n| {
                let limit = value(|r| &r.limits, c, n);
                let request = value(|r| &r.requests, c, n);
                limit > 0 && (request == 0 || request == limit)
            })
        };
        match (any, all.iter().all(equal)) {
            (false, _) => Self::BestEffort,
            (true, true) => Self::Guaranteed,
            (true, false) => Self::Burstable,
        }
    }
}

/// A quantity in thousandths, rounded up; 0 for what is no quantity (the API server admits none).
#[must_use]
pub fn milli(quantity: &Quantity) -> i64 {
    scaled(&quantity.0, 1000.0)
}

/// A quantity in whole units, rounded up.
#[must_use]
pub fn whole(quantity: &Quantity) -> i64 {
    scaled(&quantity.0, 1.0)
}

fn scaled(text: &str, by: f64) -> i64 {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        exponent => 10f64.powi(exponent[1..].parse().unwrap_or(0)),
    };
    let value = number.parse::<f64>().unwrap_or(0.0) * factor * by;
    // Binary fractions of decimal numbers must not be rounded up by their error.
    (value - value.abs() * 1e-12).ceil() as i64
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

/// What the runtime limits a container to.
#[must_use]
pub fn container(pod: &Pod, spec: &PodSpec, container: &Container, node_memory: i64) -> LinuxContainerResources {
    let resources = container.resources.as_ref();
    let requests = resources.and_then(|r| r.requests.as_ref());
    let limits = resources.and_then(|r| r.limits.as_ref());
    let cpu_limit = of(limits, "cpu").map_or(0, milli);
    let cpu = of(requests, "cpu").map_or(cpu_limit, milli);
    LinuxContainerResources {
        cpu_shares: shares(cpu),
        cpu_period: PERIOD,
        cpu_quota: if cpu_limit > 0 { quota(cpu_limit) } else { 0 },
        memory_limit_in_bytes: of(limits, "memory").map_or(0, whole),
        oom_score_adj: oom_score(pod, spec, container, node_memory),
        ..Default::default()
    }
}

/// The pod's own level.
#[must_use]
pub fn pod(spec: &PodSpec) -> PodLimits {
    let sum = |name: &str, scale: fn(&Quantity) -> i64, limits: bool| -> Option<i64> {
        spec.containers.iter().try_fold(0, |sum, c| {
            let r = c.resources.as_ref();
            let list = if limits { r.and_then(|r| r.limits.as_ref()) } else { r.and_then(|r| r.requests.as_ref()) };
            match of(list, name).map(scale) {
                Some(value) if value > 0 => Some(sum + value),
                _ if limits => None,
                _ => Some(sum),
            }
        })
    };
    PodLimits {
        cpu_shares: shares(sum("cpu", milli, false).unwrap_or(0)),
        cpu_quota: sum("cpu", milli, true).map(quota),
        memory: sum("memory", whole, true),
    }
}

fn oom_score(pod: &Pod, spec: &PodSpec, container: &Container, node_memory: i64) -> i64 {
    if spec.priority.is_some_and(|p| p >= 2_000_000_000) || is_static(pod) {
        return -997;
    }
    match Qos::of(spec) {
        Qos::Guaranteed => -997,
        Qos::BestEffort => 1000,
        Qos::Burstable => {
            let requests = container.resources.as_ref().and_then(|r| r.requests.as_ref());
            let request = of(requests, "memory").map_or(0, whole);
            let score = 1000 - (1000 * request) / node_memory.max(1);
            score.clamp(3, 999)
        }
    }
}

fn is_static(pod: &Pod) -> bool {
    let source = pod.metadata.annotations.as_ref().and_then(|a| a.get("kubernetes.io/config.source"));
    source.is_some_and(|source| source != "api")
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
        assert_eq!(class(json!({"limits": {"cpu": "1", "memory": "1Gi"}})), Qos::Guaranteed);
    }

    #[test]
    fn shares_and_quota_have_floors() {
        assert_eq!((shares(0), shares(1), shares(1000), quota(1)), (2, 2, 1024, 1000));
    }
}
