//! The Node object and its status, out of facts. Pure. Reasons and messages are upstream's.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{
    ContainerImage, DaemonEndpoint, Node, NodeAddress, NodeCondition, NodeDaemonEndpoints, NodeSpec, NodeStatus,
    NodeSystemInfo,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use super::machine::Machine;
use crate::cri::v1;
use crate::eviction::Pressure;

/// The release whose API this kubelet serves.
pub const VERSION: &str = "v1.37.0";
/// Memory below which the node is under pressure, and which pods are not given.
const RESERVED: i64 = 100 << 20;
/// Images that the status names.
const IMAGES: usize = 50;
const NAMES: usize = 5;
/// Unchanged conditions are told again after this.
const HEARTBEAT: SignedDuration = SignedDuration::from_mins(5);

/// What the status is made of.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The node's name.
    pub name: String,
    /// Its addresses.
    pub ips: Vec<String>,
    /// The port of its server.
    pub port: i32,
    /// More pods are not taken.
    pub max_pods: u32,
    /// What it is.
    pub machine: Machine,
    /// What it is short of.
    pub pressure: Pressure,
    /// `containerd://1.6.20`.
    pub runtime: String,
    /// Why it is not ready.
    pub faults: Vec<String>,
    /// What it has.
    pub images: Vec<v1::Image>,
}

/// The Node to register.
#[must_use]
pub fn node(facts: &Facts, labels: &BTreeMap<String, String>, now: Timestamp) -> Node {
    let (os, arch) = ("linux".to_owned(), facts.machine.architecture.to_owned());
    let mut all: BTreeMap<String, String> = [
        ("beta.kubernetes.io/arch", &arch),
        ("beta.kubernetes.io/os", &os),
        ("kubernetes.io/arch", &arch),
        ("kubernetes.io/os", &os),
        ("kubernetes.io/hostname", &facts.name),
    ]
    .map(|(key, value)| (key.to_owned(), value.clone()))
    .into();
    all.extend(labels.clone());
    let annotation = ("volumes.kubernetes.io/controller-managed-attach-detach".to_owned(), "true".to_owned());
    Node {
        metadata: ObjectMeta {
            name: Some(facts.name.clone()),
            labels: Some(all),
            annotations: Some([annotation].into()),
            ..ObjectMeta::default()
        },
        spec: Some(NodeSpec::default()),
        status: Some(status(facts, &NodeStatus::default(), now)),
    }
}

/// The status now, given the one that the API has.
#[must_use]
pub fn status(facts: &Facts, old: &NodeStatus, now: Timestamp) -> NodeStatus {
    let machine = &facts.machine;
    let others = others(old);
    let resources = |memory: i64, disk: String| {
        let own = [
            ("cpu".to_owned(), Quantity(machine.cores.to_string())),
            ("ephemeral-storage".to_owned(), Quantity(disk)),
            ("memory".to_owned(), Quantity(format!("{}Ki", memory / 1024))),
            ("pods".to_owned(), Quantity(facts.max_pods.to_string())),
        ];
        others.clone().into_iter().chain(own).collect::<BTreeMap<_, _>>()
    };
    let address = |kind: &str, address: &String| NodeAddress { type_: kind.into(), address: address.clone() };
    let addresses = facts.ips.iter().map(|ip| address("InternalIP", ip)).chain([address("Hostname", &facts.name)]);
    NodeStatus {
        addresses: Some(addresses.collect()),
        capacity: Some(resources(machine.memory, format!("{}Ki", machine.disk / 1024))),
        allocatable: Some(resources(machine.memory - RESERVED, (machine.disk / 10 * 9).to_string())),
        conditions: Some(conditions(facts, old.conditions.as_deref().unwrap_or_default(), now)),
        daemon_endpoints: Some(NodeDaemonEndpoints { kubelet_endpoint: Some(DaemonEndpoint { port: facts.port }) }),
        images: Some(images(&facts.images)),
        node_info: Some(NodeSystemInfo {
            architecture: machine.architecture.into(),
            boot_id: machine.boot_id.clone(),
            container_runtime_version: facts.runtime.clone(),
            kernel_version: machine.kernel.clone(),
            kube_proxy_version: String::new(),
            kubelet_version: VERSION.into(),
            machine_id: machine.machine_id.clone(),
            operating_system: "linux".into(),
            os_image: machine.os_image.clone(),
            system_uuid: machine.system_uuid.clone(),
            ..NodeSystemInfo::default()
        }),
        ..old.clone()
    }
}

/// What others say that the node has: extended resources, all of which pods may ask for
/// (`pkg/kubelet/nodestatus/setters.go`).
fn others(old: &NodeStatus) -> BTreeMap<String, Quantity> {
    let all = old.capacity.clone().unwrap_or_default().into_iter();
    all.filter(|(name, _)| name.contains('/')).collect()
}

fn conditions(facts: &Facts, old: &[NodeCondition], now: Timestamp) -> Vec<NodeCondition> {
    let pressure = |kind: &'static str, is: bool, what: [&str; 3]| {
        let [bad, good, word] = what;
        let (reason, message) = if is {
            (format!("KubeletHas{bad}"), format!("kubelet has {word}"))
        } else {
            (
                format!("KubeletHas{good}"),
                format!(
                    "kubelet has {}",
                    if kind == "DiskPressure" {
                        "no disk pressure".to_owned()
                    } else {
                        word.replace("insufficient", "sufficient")
                    }
                ),
            )
        };
        (kind, is, reason, message)
    };
    let ready = match facts.faults.as_slice() {
        [] => ("Ready", true, "KubeletReady".to_owned(), "kubelet is posting ready status".to_owned()),
        [one] => ("Ready", false, "KubeletNotReady".into(), one.clone()),
        many => ("Ready", false, "KubeletNotReady".into(), format!("[{}]", many.join(", "))),
    };
    let own = [
        pressure(
            "MemoryPressure",
            facts.pressure.has("MemoryPressure"),
            ["InsufficientMemory", "SufficientMemory", "insufficient memory available"],
        ),
        pressure(
            "DiskPressure",
            facts.pressure.has("DiskPressure"),
            ["DiskPressure", "NoDiskPressure", "disk pressure"],
        ),
        pressure(
            "PIDPressure",
            facts.pressure.has("PIDPressure"),
            ["InsufficientPID", "SufficientPID", "insufficient PID available"],
        ),
        ready,
    ];
    own.into_iter().map(|judged| finish(judged, old, now)).collect()
}

fn finish(judged: (&str, bool, String, String), old: &[NodeCondition], now: Timestamp) -> NodeCondition {
    let (kind, truth, reason, message) = judged;
    let status = if truth { "True" } else { "False" };
    let now = Time(whole_second(now));
    let before = old.iter().find(|c| c.type_ == kind);
    let same = before.filter(|c| c.status == status);
    let unchanged = same.filter(|c| c.reason.as_ref() == Some(&reason) && c.message.as_ref() == Some(&message));
    let beat = unchanged.and_then(|c| c.last_heartbeat_time.clone()).filter(|t| now.0.duration_since(t.0) < HEARTBEAT);
    NodeCondition {
        type_: kind.into(),
        status: status.into(),
        reason: Some(reason),
        message: Some(message),
        last_heartbeat_time: beat.or_else(|| Some(now.clone())),
        last_transition_time: same.and_then(|c| c.last_transition_time.clone()).or(Some(now)),
    }
}

/// The largest images, as the scheduler's image locality wants them.
fn images(all: &[v1::Image]) -> Vec<ContainerImage> {
    let mut sorted: Vec<&v1::Image> = all.iter().collect();
    sorted.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.id.cmp(&b.id)));
    let one = |image: &&v1::Image| {
        let names = image.repo_digests.iter().chain(&image.repo_tags).take(NAMES).cloned().collect();
        ContainerImage { names: Some(names), size_bytes: i64::try_from(image.size).ok() }
    };
    sorted.iter().take(IMAGES).map(one).collect()
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let machine = Machine { cores: 2, memory: 1 << 30, disk: 1 << 40, architecture: "amd64", ..Machine::default() };
        Facts { name: "n".into(), ips: vec!["10.0.0.1".into()], machine, ..Facts::default() }
    }

    fn condition(status: &NodeStatus, kind: &str) -> NodeCondition {
        status.conditions.iter().flatten().find(|c| c.type_ == kind).cloned().expect("present")
    }

    #[test]
    fn unchanged_conditions_keep_their_times_for_five_minutes() {
        let at = |s| Timestamp::from_second(s).expect("in range");
        let first = status(&facts(), &NodeStatus::default(), at(1000));
        assert_eq!(status(&facts(), &first, at(1100)), first);
        let later = status(&facts(), &first, at(1400));
        assert_eq!(condition(&later, "Ready").last_heartbeat_time, Some(Time(at(1400))));
        assert_eq!(condition(&later, "Ready").last_transition_time, Some(Time(at(1000))));
    }

    #[test]
    fn texts_are_upstreams() {
        let status = status(&facts(), &NodeStatus::default(), Timestamp::UNIX_EPOCH);
        let text = |kind| condition(&status, kind).message.unwrap_or_default();
        assert_eq!(text("MemoryPressure"), "kubelet has sufficient memory available");
        assert_eq!(text("DiskPressure"), "kubelet has no disk pressure");
        assert_eq!(text("PIDPressure"), "kubelet has sufficient PID available");
        assert_eq!(condition(&status, "DiskPressure").reason.as_deref(), Some("KubeletHasNoDiskPressure"));
    }

    #[test]
    fn what_others_say_that_the_node_has_stays_and_can_be_given_to_pods() {
        let foreign = || ("example.com/foo".to_owned(), Quantity("5".into()));
        let mut old = status(&facts(), &NodeStatus::default(), Timestamp::UNIX_EPOCH);
        old.capacity.get_or_insert_default().extend([foreign()]);
        let kept = status(&facts(), &old, Timestamp::UNIX_EPOCH);
        assert_eq!(kept.capacity.as_ref().and_then(|c| c.get("example.com/foo")), Some(&foreign().1));
        assert_eq!(kept.allocatable.as_ref().and_then(|a| a.get("example.com/foo")), Some(&foreign().1));
        let withdrawn = NodeStatus { capacity: None, ..kept };
        assert!(
            !status(&facts(), &withdrawn, Timestamp::UNIX_EPOCH)
                .allocatable
                .unwrap_or_default()
                .contains_key("example.com/foo")
        );
    }
}
