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

/// All endpoints of one port.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    ready: Vec<Target>,
    terminating: Vec<Target>,
}

// === impl Endpoints ===

impl Endpoints {
    /// The endpoints of the named port, in order of their addresses, each once.
    #[must_use]
    pub fn of(slices: &[Arc<EndpointSlice>], port: &str, node: &str) -> Self {
        let mut all = Self::default();
        for slice in slices.iter().filter(|s| s.address_type == "IPv4") {
            let named = slice.ports.iter().flatten().find(|p| p.name.as_deref().unwrap_or_default() == port);
            let Some(port) = named.and_then(|p| p.port).and_then(|p| u16::try_from(p).ok()) else { continue };
            for endpoint in slice.endpoints.iter().flatten() {
                all.add(endpoint, port, node);
            }
        }
        for list in [&mut all.ready, &mut all.terminating] {
            list.sort();
            list.dedup();
        }
        all
    }

    /// Those that get traffic: the ready ones, else those that still serve while they end; on this node
    /// only if asked.
    #[must_use]
    pub fn balanced(&self, local: bool) -> Vec<Target> {
        let of = |list: &[Target]| list.iter().filter(|t| !local || t.local).cloned().collect::<Vec<_>>();
        let ready = of(&self.ready);
        if ready.is_empty() { of(&self.terminating) } else { ready }
    }

    fn add(&mut self, endpoint: &Endpoint, port: u16, node: &str) {
        let conditions = endpoint.conditions.as_ref();
        let ready = conditions.and_then(|c| c.ready).unwrap_or(true);
        let serving = conditions.and_then(|c| c.serving).unwrap_or(ready);
        let terminating = conditions.and_then(|c| c.terminating).unwrap_or(false);
        let list = match (ready, serving && terminating) {
            (true, _) => &mut self.ready,
            (false, true) => &mut self.terminating,
            (false, false) => return,
        };
        let local = endpoint.node_name.as_deref() == Some(node);
        // All addresses of one endpoint are the same endpoint: upstream uses the first.
        list.extend(endpoint.addresses.first().map(|address| Target { address: address.clone(), port, local }));
    }
}
