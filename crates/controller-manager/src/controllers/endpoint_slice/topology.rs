//! The annotation `topology-mode: Auto`: endpoints are shared out among the zones as the CPU of their ready nodes is,
//! so that no zone gets more than a fifth above its share. A slice that need not change keeps its hints.

use std::collections::BTreeMap;
use std::sync::Arc;

use nakhoda_api::quantity::Quantity;
use nakhoda_api::kinds::core::{Node, Service};
use nakhoda_api::kinds::discovery::{Endpoint, EndpointHints, EndpointSlice, ForZone};
use nakhoda_client::Resource;

use super::zone;
use crate::nodes::is_ready;
use crate::slices::{Group, Plan, identity};

pub mod share;

use share::{Allocation, Shares};

/// The older name goes first.
const ANNOTATIONS: [&str; 2] = ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"];
/// Nodes with one of these labels count for no zone.
const EXCLUDED: [&str; 2] = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

/// Endpoints by the zone that they are meant for.
pub type Counts = BTreeMap<String, usize>;

/// Why there are no hints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A node tells too little, or all are in one zone.
    #[error("Insufficient Node information: allocatable CPU or zone not specified on one or more nodes")]
    Nodes,
    /// A zone would get none.
    #[error("Insufficient number of endpoints ({0} endpoints, {1} zones)")]
    TooFew(usize, usize),
    /// No whole numbers do.
    #[error(
        "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ({0} endpoints, {1} zones)"
    )]
    Overload(usize, usize),
    /// Of an endpoint nobody knows where it is.
    #[error("One or more endpoints do not have a zone specified")]
    NoZone,
}

/// Whether a service asks for hints of this kind.
#[must_use]
pub fn is_auto(service: &Service) -> bool {
    let annotations = service.metadata.annotations.as_ref();
    let told = ANNOTATIONS.iter().find_map(|name| annotations?.get(*name));
    told.is_some_and(|mode| mode == "Auto" || mode == "auto")
}

/// The share of each zone in the CPU of the ready nodes; none if a node tells too little, or if there are not two zones.
#[must_use]
pub fn shares<'a>(nodes: impl IntoIterator<Item = &'a Arc<Node>>) -> Option<Shares> {
    let mut by_zone: BTreeMap<String, i64> = BTreeMap::new();
    for node in nodes.into_iter().filter(|node| counts(node)) {
        *by_zone.entry(zone(node)?).or_default() += cpu(node).filter(|cpu| *cpu > 0)?;
    }
    let total: i64 = by_zone.values().sum();
    (by_zone.len() > 1).then(|| by_zone.into_iter().map(|(zone, cpu)| (zone, cpu as f64 / total as f64)).collect())
}

/// What of a node the shares depend on.
#[must_use]
pub fn weight(node: &Node) -> Option<(Option<String>, Option<i64>)> {
    counts(node).then(|| (zone(node), cpu(node)))
}

fn counts(node: &Node) -> bool {
    let labels = node.metadata.labels.as_ref();
    is_ready(node) && !labels.is_some_and(|labels| EXCLUDED.iter().any(|name| labels.contains_key(*name)))
}

/// In thousandths of a core.
fn cpu(node: &Node) -> Option<i64> {
    let cpu = node.status.as_ref()?.allocatable.as_ref()?.get("cpu")?;
    Quantity::parse(&cpu.0).ok().map(Quantity::milli)
}

/// Lets endpoints that are there already keep their hints, before slices are compared.
pub fn carry(groups: &mut [Group], existing: &[Arc<EndpointSlice>]) {
    let known: BTreeMap<String, &EndpointHints> = existing
        .iter()
        .flat_map(|slice| slice.endpoints.iter().flatten())
        .filter_map(|endpoint| Some((identity(endpoint), endpoint.hints.as_ref()?)))
        .collect();
    for endpoint in groups.iter_mut().flat_map(|group| &mut group.endpoints).filter(|e| is_ready_endpoint(e)) {
        endpoint.hints = known.get(&identity(endpoint)).map(|hints| (*hints).clone());
    }
}

/// Gives the hints of one address family, or takes them all.
pub fn give(
    plan: &mut Plan,
    existing: &[Arc<EndpointSlice>],
    family: &str,
    shares: Option<&Shares>,
) -> Result<(), Refusal> {
    let given = try_give(plan, existing, family, shares);
    if given.is_err() {
        take_all(plan, existing, family);
    }
    given
}

fn try_give(
    plan: &mut Plan,
    existing: &[Arc<EndpointSlice>],
    family: &str,
    shares: Option<&Shares>,
) -> Result<(), Refusal> {
    let unchanged = unchanged(plan, existing, family);
    let ready = |slice: &EndpointSlice| slice.endpoints.iter().flatten().filter(|e| is_ready_endpoint(e)).count();
    let total = unchanged.iter().map(|slice| ready(slice)).sum::<usize>() + open(plan, family).map(ready).sum::<usize>();
    let allocations = share::allocate(shares.ok_or(Refusal::Nodes)?, total)?;
    let mut given = Counts::new();
    for slice in unchanged {
        match still_right(&slice, &given, &allocations) {
            Some(counts) => counts.into_iter().for_each(|(zone, count)| *given.entry(zone).or_default() += count),
            None => plan.update.push((*slice).clone()),
        }
    }
    for endpoint in endpoints(plan, family) {
        let zone = endpoint.zone.clone().filter(|zone| !zone.is_empty()).ok_or(Refusal::NoZone)?;
        *given.entry(zone.clone()).or_default() += 1;
        endpoint.hints = Some(for_zone(zone));
    }
    let (mut giving, mut receiving) = share::exchange(&allocations, &given);
    for endpoint in endpoints(plan, family) {
        let Some(left) = endpoint.zone.as_ref().and_then(|zone| giving.get_mut(zone)).filter(|left| **left > 0) else { continue };
        let Some((to, missing)) = receiving.iter_mut().find(|(_, missing)| **missing > 0) else { break };
        (*left, *missing) = (*left - 1, *missing - 1);
        endpoint.hints = Some(for_zone(to.clone()));
    }
    Ok(())
}

/// The hints of a slice by zone, unless one lacks or a zone would get too many.
fn still_right(
    slice: &EndpointSlice,
    given: &Counts,
    allocations: &BTreeMap<String, Allocation>,
) -> Option<Counts> {
    let mut counts = Counts::new();
    for endpoint in slice.endpoints.iter().flatten().filter(|e| is_ready_endpoint(e)) {
        let zones = endpoint.hints.as_ref()?.for_zones.as_ref().filter(|zones| !zones.is_empty())?;
        zones.iter().for_each(|zone| *counts.entry(zone.name.clone()).or_default() += 1);
    }
    let fits = |(zone, count): (&String, &usize)| {
        let before = given.get(zone).copied().unwrap_or_default();
        allocations.get(zone).is_some_and(|allocation| before + count <= allocation.maximum)
    };
    counts.iter().all(fits).then_some(counts)
}

/// Takes the hints of a family, from what is written anyway and from slices that have some.
fn take_all(plan: &mut Plan, existing: &[Arc<EndpointSlice>], family: &str) {
    let hinted = |slice: &Arc<EndpointSlice>| slice.endpoints.iter().flatten().any(|e| e.hints.is_some());
    let more: Vec<_> = unchanged(plan, existing, family).into_iter().filter(hinted).collect();
    plan.update.extend(more.iter().map(|slice| (**slice).clone()));
    for slice in open_mut(plan, family) {
        slice.endpoints.iter_mut().flatten().for_each(|endpoint| endpoint.hints = None);
    }
}

/// How many endpoints of a service are meant for each zone.
#[must_use]
pub fn hinted(slices: &[Arc<EndpointSlice>]) -> Counts {
    let mut counts = Counts::new();
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    for hints in endpoints.filter_map(|endpoint| endpoint.hints.as_ref()) {
        hints.for_zones.iter().flatten().for_each(|zone| *counts.entry(zone.name.clone()).or_default() += 1);
    }
    counts
}

fn unchanged(plan: &Plan, existing: &[Arc<EndpointSlice>], family: &str) -> Vec<Arc<EndpointSlice>> {
    let written = |slice: &EndpointSlice| {
        plan.update.iter().any(|s| s.name() == slice.name()) || plan.delete.iter().any(|s| s.name() == slice.name())
    };
    existing.iter().filter(|slice| slice.address_type == family && !written(slice)).cloned().collect()
}

fn open<'a>(plan: &'a Plan, family: &str) -> impl Iterator<Item = &'a EndpointSlice> {
    plan.create.iter().chain(&plan.update).filter(move |slice| slice.address_type == family)
}

fn open_mut<'a>(plan: &'a mut Plan, family: &str) -> impl Iterator<Item = &'a mut EndpointSlice> {
    plan.create.iter_mut().chain(&mut plan.update).filter(move |slice| slice.address_type == family)
}

/// The ready endpoints of slices that are written; the others lose their hints.
fn endpoints<'a>(plan: &'a mut Plan, family: &str) -> impl Iterator<Item = &'a mut Endpoint> {
    open_mut(plan, family).flat_map(|slice| slice.endpoints.iter_mut().flatten()).filter_map(|endpoint| {
        let ready = is_ready_endpoint(endpoint);
        if !ready {
            endpoint.hints = None;
        }
        ready.then_some(endpoint)
    })
}

fn is_ready_endpoint(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().is_some_and(|conditions| conditions.ready == Some(true))
}

fn for_zone(name: String) -> EndpointHints {
    EndpointHints { for_zones: Some(vec![ForZone { name }]), for_nodes: None }
}

#[cfg(test)]
mod tests;
