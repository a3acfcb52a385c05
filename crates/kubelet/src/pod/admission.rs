//! Whether the node takes a pod, though somebody has bound it here: in upstream's order and words. Pure.
//!
//! Absent: other pods never make room for a critical one.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, Pod, PodSpec, Taint, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use nakhoda_api::quantity::Quantity as Exact;
use nakhoda_api::resources::Side;
use nakhoda_api::selector::nodes::NodeSelector;

use super::spec;
use super::state::Failure;
use crate::host::Capacity;
use crate::resources::{milli, total, whole};

/// Amounts by resource: thousandths of cores, otherwise whole units.
pub type Amounts = BTreeMap<String, i64>;

/// A port of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    ip: String,
    protocol: String,
    port: i32,
}

/// What a pod takes of the node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// What it requests.
    pub amounts: Amounts,
    /// Ports of the node.
    pub ports: Vec<HostPort>,
}

// === impl Claim ===

impl Claim {
    /// What a pod takes.
    #[must_use]
    pub fn of(spec: &PodSpec) -> Self {
        let sidecars = spec::inits(spec).iter().filter(|c| spec::is_sidecar(c));
        Self { amounts: requests(spec), ports: spec.containers.iter().chain(sidecars).flat_map(ports).collect() }
    }
}

// === impl HostPort ===

impl HostPort {
    fn clashes(&self, other: &Self) -> bool {
        let any = |port: &Self| ["", "0.0.0.0", "::"].contains(&port.ip.as_str());
        let same = self.ip == other.ip || any(self) || any(other);
        same && self.protocol == other.protocol && self.port == other.port
    }
}

/// Judges a pod beside those that are here.
pub fn check(pod: &Pod, node: Option<&Node>, room: &Amounts, others: &[&Claim]) -> Result<Claim, Failure> {
    let pod_spec = spec::of(pod);
    if pod_spec.os.as_ref().is_some_and(|os| os.name != "linux") {
        return Err(failure("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"));
    }
    let claim = Claim::of(pod_spec);
    fits(&claim.amounts, room, others, true)?;
    if let Some(node) = node {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        if !selected(pod_spec, node, name) {
            return Err(predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector"));
        }
        if pod_spec.node_name.as_deref().is_some_and(|wanted| wanted != name) {
            return Err(predicate("NodeName", "node(s) didn't match the requested node name"));
        }
    }
    if others.iter().flat_map(|c| &c.ports).any(|taken| claim.ports.iter().any(|wanted| wanted.clashes(taken))) {
        return Err(predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports"));
    }
    let taints = node.and_then(|n| n.spec.as_ref()).and_then(|s| s.taints.as_ref()).into_iter().flatten();
    let tolerations = pod_spec.tolerations.as_deref().unwrap_or_default();
    if taints.filter(|t| t.effect == "NoExecute").any(|t| !tolerations.iter().any(|own| tolerates(own, t))) {
        return Err(predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate"));
    }
    Ok(claim)
}

/// Whether the node has what is asked for beside the others; `new` asks for a place among its pods too.
pub fn fits(asked: &Amounts, room: &Amounts, others: &[&Claim], new: bool) -> Result<(), Failure> {
    let places = room.get("pods").copied().unwrap_or(i64::MAX);
    let there = i64::try_from(others.len()).unwrap_or(i64::MAX);
    if new && there >= places {
        return Err(lack("pods", 1, there, places));
    }
    let known = ["cpu", "memory", "ephemeral-storage"];
    let more = asked.keys().map(String::as_str).filter(|name| !known.contains(name) && room.contains_key(*name));
    for name in known.into_iter().chain(more) {
        let (asked, capacity) = (asked.get(name).copied().unwrap_or(0), room.get(name).copied().unwrap_or(0));
        let used = others.iter().filter_map(|claim| claim.amounts.get(name)).sum::<i64>();
        if asked > 0 && asked > capacity - used {
            return Err(lack(name, asked, used, capacity));
        }
    }
    Ok(())
}

/// What the node has for pods.
#[must_use]
pub fn room(node: Option<&Node>, capacity: Capacity) -> Amounts {
    let told = node.and_then(|n| n.status.as_ref()).and_then(|s| s.allocatable.as_ref());
    match told {
        Some(told) => amounts(told),
        None => [("cpu", capacity.cpu), ("memory", capacity.memory), ("ephemeral-storage", capacity.storage)]
            .map(|(name, amount)| (name.to_owned(), amount))
            .into(),
    }
}

/// What a specification requests.
fn requests(spec: &PodSpec) -> Amounts {
    let unit = |name: &str, amount: Exact| if name == "cpu" { amount.milli() } else { amount.value() };
    total(spec, Side::Requests).into_iter().map(|(name, amount)| (name.clone(), unit(&name, amount))).collect()
}

fn amounts(list: &BTreeMap<String, Quantity>) -> Amounts {
    list.iter().map(|(name, q)| (name.clone(), if name == "cpu" { milli(q) } else { whole(q) })).collect()
}

fn ports(container: &Container) -> Vec<HostPort> {
    let taken = container.ports.iter().flatten().filter(|p| p.host_port.unwrap_or(0) > 0);
    let port = |p: &k8s_openapi::api::core::v1::ContainerPort| HostPort {
        ip: p.host_ip.clone().unwrap_or_default(),
        protocol: p.protocol.clone().unwrap_or_else(|| "TCP".into()),
        port: p.host_port.unwrap_or(0),
    };
    taken.map(port).collect()
}

fn selected(spec: &PodSpec, node: &Node, name: &str) -> bool {
    let labels = node.metadata.labels.clone().unwrap_or_default();
    let wanted = spec.node_selector.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
    let affinity = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
    let required = affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    wanted && required.is_none_or(|terms| NodeSelector::of(&terms.node_selector_terms).matches(&labels, name))
}

fn tolerates(own: &Toleration, taint: &Taint) -> bool {
    let blank = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
    let effect = blank(&own.effect) || own.effect.as_deref() == Some(&*taint.effect);
    let key = blank(&own.key) || own.key.as_deref() == Some(&*taint.key);
    let value = own.operator.as_deref() == Some("Exists")
        || own.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default();
    effect && key && value
}

fn lack(name: &str, asked: i64, used: i64, capacity: i64) -> Failure {
    let message =
        format!("Node didn't have enough resource: {name}, requested: {asked}, used: {used}, capacity: {capacity}");
    Failure { reason: format!("OutOf{name}"), message, is_disruption: false }
}

fn predicate(name: &str, why: &str) -> Failure {
    failure(name, &format!("Predicate {name} failed: {why}"))
}

fn failure(reason: &str, message: &str) -> Failure {
    Failure { reason: reason.into(), message: message.into(), is_disruption: false }
}

#[cfg(test)]
#[path = "admission/tests.rs"]
mod tests;
