//! Which endpoints a port of a Service is balanced over (`pkg/proxy/topology.go`).

use std::sync::Arc;

use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};

/// One endpoint's port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// An IPv4 address.
    pub address: String,
    /// The port there.
    pub port: u16,
    /// Whether it is on this node.
    pub local: bool,
}

/// Where this node is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub node: String,
    /// Its zone, or empty.
    pub zone: String,
}

/// All endpoints of one port.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    ready: Vec<Target>,
    terminating: Vec<Target>,
    for_node: Hinted,
    for_zone: Hinted,
}

/// The ready endpoints that are meant for a place. Hints count only if every ready endpoint has one.
#[derive(Clone, Debug, Default)]
struct Hinted {
    targets: Vec<Target>,
    lacking: bool,
}

// === impl Endpoints ===

impl Endpoints {
    /// The endpoints of the named port, in order of their addresses, each once.
    #[must_use]
    pub fn of(slices: &[Arc<EndpointSlice>], port: &str, place: &Place) -> Self {
        let mut all = Self::default();
        for slice in slices.iter().filter(|s| s.address_type == "IPv4") {
            let named = slice.ports.iter().flatten().find(|p| p.name.as_deref().unwrap_or_default() == port);
            let Some(port) = named.and_then(|p| p.port).and_then(|p| u16::try_from(p).ok()) else { continue };
            for endpoint in slice.endpoints.iter().flatten() {
                all.add(endpoint, port, place);
            }
        }
        let Self { ready, terminating, for_node, for_zone } = &mut all;
        for list in [ready, terminating, &mut for_node.targets, &mut for_zone.targets] {
            list.sort();
            list.dedup();
        }
        all
    }

    /// Those that get traffic: the ready ones, else those that still serve while they end. If asked only those on
    /// this node; else those meant for this node, or for its zone, if there are any.
    #[must_use]
    pub fn balanced(&self, local: bool) -> Vec<Target> {
        if !local && let Some(near) = self.for_node.usable().or_else(|| self.for_zone.usable()) {
            return near.to_vec();
        }
        let of = |list: &[Target]| list.iter().filter(|t| !local || t.local).cloned().collect::<Vec<_>>();
        let ready = of(&self.ready);
        if ready.is_empty() { of(&self.terminating) } else { ready }
    }

    fn add(&mut self, endpoint: &Endpoint, port: u16, place: &Place) {
        let conditions = endpoint.conditions.as_ref();
        let ready = conditions.and_then(|c| c.ready).unwrap_or(true);
        let serving = conditions.and_then(|c| c.serving).unwrap_or(ready);
        let terminating = conditions.and_then(|c| c.terminating).unwrap_or(false);
        let local = endpoint.node_name.as_deref() == Some(&place.node);
        // All addresses of one endpoint are the same endpoint: upstream uses the first.
        let Some(address) = endpoint.addresses.first() else { return };
        let target = Target { address: address.clone(), port, local };
        match (ready, serving && terminating) {
            (true, _) => self.add_ready(endpoint, target, place),
            (false, true) => self.terminating.push(target),
            (false, false) => {}
        }
    }

    fn add_ready(&mut self, endpoint: &Endpoint, target: Target, place: &Place) {
        let hints = endpoint.hints.as_ref();
        let nodes = hints.into_iter().flat_map(|h| h.for_nodes.iter().flatten()).map(|hint| hint.name.as_str());
        self.for_node.add(nodes, &place.node, &target);
        let zones = hints.into_iter().flat_map(|h| h.for_zones.iter().flatten()).map(|hint| hint.name.as_str());
        self.for_zone.add(zones, &place.zone, &target);
        self.ready.push(target);
    }
}

// === impl Hinted ===

impl Hinted {
    fn add<'a>(&mut self, hints: impl Iterator<Item = &'a str>, here: &str, target: &Target) {
        let mut hints = hints.peekable();
        self.lacking |= hints.peek().is_none();
        if hints.any(|hint| hint == here) {
            self.targets.push(target.clone());
        }
    }

    fn usable(&self) -> Option<&[Target]> {
        (!self.lacking && !self.targets.is_empty()).then_some(&self.targets)
    }
}
