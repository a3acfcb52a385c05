//! What a Service, and what a pod with host ports, puts into the maps: plain functions.

pub mod endpoints;

use std::net::Ipv4Addr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ContainerPort, Pod, Service, ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::EndpointSlice;

use crate::relay::Relay;
use crate::table::{Element, Set};
use endpoints::{Endpoints, Place, Target};

/// Seconds of session affinity if the Service does not say.
const AFFINITY: i32 = 10_800;

/// The elements of a Service as this node sees it.
#[must_use]
pub fn service(service: &Service, slices: &[Arc<EndpointSlice>], place: &Place) -> Vec<Element> {
    let Some(spec) = &service.spec else { return Vec::new() };
    if spec.type_.as_deref() == Some("ExternalName") {
        return Vec::new();
    }
    let external = external_addresses(service);
    let ports = spec.ports.iter().flatten();
    ports.flat_map(|port| Port { spec, port, place, external: &external }.elements(slices)).collect()
}

/// The elements of a pod's host ports, while it runs on this node.
#[must_use]
pub fn host_ports(pod: &Pod) -> Vec<Element> {
    let mut elements: Vec<Element> = Vec::new();
    for HostPort { ip, port, host_port, host } in published(pod) {
        let protocol = protocol(port.protocol.as_deref());
        let targets = vec![format!("{ip} . {}", port.container_port)];
        match host {
            None => elements.push(Element { set: Set::Ports, key: format!("{protocol} . {host_port}"), targets }),
            Some(host) if host.is_loopback() => {}
            Some(host) => {
                elements.push(Element {
                    set: Set::Addresses,
                    key: format!("{host} . {protocol} . {host_port}"),
                    targets,
                });
            }
        }
        elements.push(hairpin(&ip.to_string()));
    }
    elements.sort();
    elements.dedup();
    elements
}

/// The same on the loopback, where rules do not reach.
#[must_use]
pub fn relays(pod: &Pod) -> Vec<Relay> {
    let on_loopback = published(pod).into_iter().filter(|p| p.host.is_none_or(|host| host.is_loopback()));
    let relays = on_loopback.filter_map(|HostPort { ip, port, host_port, host }| {
        let datagrams = match protocol(port.protocol.as_deref()) {
            "tcp" => false,
            "udp" => true,
            _ => return None,
        };
        let at = (host.unwrap_or(Ipv4Addr::LOCALHOST), host_port).into();
        Some(Relay { datagrams, at, to: (ip, u16::try_from(port.container_port).ok()?).into() })
    });
    relays.collect()
}

/// A port of a pod that its node offers.
struct HostPort<'a> {
    ip: Ipv4Addr,
    port: &'a ContainerPort,
    host_port: u16,
    /// The one address of the node where it is offered, if not on all.
    host: Option<Ipv4Addr>,
}

/// The host ports of a pod that runs.
fn published(pod: &Pod) -> Vec<HostPort<'_>> {
    let Some((spec, status)) = pod.spec.as_ref().zip(pod.status.as_ref()) else { return Vec::new() };
    let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let Some(ip) = status.pod_ip.as_deref().and_then(|ip| ip.parse().ok()) else { return Vec::new() };
    if over || spec.host_network == Some(true) {
        return Vec::new();
    }
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let ports = containers.flat_map(|c| c.ports.iter().flatten()).filter_map(|port| {
        let host_port = u16::try_from(port.host_port?).ok().filter(|&port| port > 0)?;
        let host = port.host_ip.as_deref().filter(|ip| !ip.is_empty()).map(str::parse::<Ipv4Addr>);
        match host {
            Some(Err(_)) => None,
            Some(Ok(host)) if !host.is_unspecified() => Some(HostPort { ip, port, host_port, host: Some(host) }),
            Some(Ok(_)) | None => Some(HostPort { ip, port, host_port, host: None }),
        }
    });
    ports.collect()
}

/// One port of a Service.
struct Port<'a> {
    spec: &'a ServiceSpec,
    port: &'a ServicePort,
    place: &'a Place,
    external: &'a [String],
}

// === impl Port ===

impl Port<'_> {
    fn elements(&self, slices: &[Arc<EndpointSlice>]) -> Vec<Element> {
        let endpoints = Endpoints::of(slices, self.port.name.as_deref().unwrap_or_default(), self.place);
        let inside = endpoints.balanced(self.spec.internal_traffic_policy.as_deref() == Some("Local"));
        let outside = endpoints.balanced(self.keeps_source());
        let mut elements = Vec::new();
        for address in cluster_ips(self.spec) {
            elements.push(plain(Set::ClusterIps, address.to_owned()));
            self.address(address, &inside, &mut elements);
        }
        for address in self.external {
            self.address(address, &outside, &mut elements);
            if self.keeps_source() {
                elements.push(plain(Set::KeepAddresses, self.at(address)));
            }
        }
        if let Some(node_port) = self.port.node_port.filter(|&p| p > 0) {
            self.node_port(node_port, &outside, &mut elements);
        }
        let local = inside.iter().chain(&outside).filter(|t| t.local);
        elements.extend(local.map(|t| hairpin(&t.address)));
        elements.sort();
        elements.dedup();
        elements
    }

    fn address(&self, address: &str, targets: &[Target], elements: &mut Vec<Element>) {
        let key = self.at(address);
        if targets.is_empty() {
            elements.push(plain(Set::EmptyAddresses, key));
            return;
        }
        elements.extend(self.affinity().map(|seconds| plain(Set::StickyAddresses(seconds), key.clone())));
        elements.push(Element { set: Set::Addresses, key, targets: texts(targets) });
    }

    fn node_port(&self, node_port: i32, targets: &[Target], elements: &mut Vec<Element>) {
        let key = format!("{} . {node_port}", protocol(self.port.protocol.as_deref()));
        if self.keeps_source() {
            elements.push(plain(Set::KeepPorts, key.clone()));
        }
        if targets.is_empty() {
            elements.push(plain(Set::EmptyPorts, key));
            return;
        }
        elements.extend(self.affinity().map(|seconds| plain(Set::StickyPorts(seconds), key.clone())));
        elements.push(Element { set: Set::Ports, key, targets: texts(targets) });
    }

    fn at(&self, address: &str) -> String {
        format!("{address} . {} . {}", protocol(self.port.protocol.as_deref()), self.port.port)
    }

    fn keeps_source(&self) -> bool {
        self.spec.external_traffic_policy.as_deref() == Some("Local")
    }

    fn affinity(&self) -> Option<u32> {
        if self.spec.session_affinity.as_deref() != Some("ClientIP") {
            return None;
        }
        let config = self.spec.session_affinity_config.as_ref().and_then(|c| c.client_ip.as_ref());
        u32::try_from(config.and_then(|c| c.timeout_seconds).unwrap_or(AFFINITY)).ok()
    }
}

fn cluster_ips(spec: &ServiceSpec) -> impl Iterator<Item = &str> {
    let many = spec.cluster_ips.as_deref().unwrap_or_default();
    let one = spec.cluster_ip.iter().filter(|_| many.is_empty());
    many.iter().chain(one).map(String::as_str).filter(|ip| ip.contains('.'))
}

/// Load-balancer addresses and `externalIPs`; of IPv4 only.
fn external_addresses(service: &Service) -> Vec<String> {
    let ingress = service.status.iter().flat_map(|s| s.load_balancer.iter()).flat_map(|l| l.ingress.iter().flatten());
    let balanced = ingress.filter(|i| i.ip_mode.as_deref() != Some("Proxy")).filter_map(|i| i.ip.clone());
    let given = service.spec.iter().flat_map(|s| s.external_ips.iter().flatten().cloned());
    balanced.chain(given).filter(|ip| ip.contains('.')).collect()
}

fn texts(targets: &[Target]) -> Vec<String> {
    targets.iter().map(|t| format!("{} . {}", t.address, t.port)).collect()
}

fn hairpin(address: &str) -> Element {
    plain(Set::Hairpins, format!("{address} . {address}"))
}

const fn plain(set: Set, key: String) -> Element {
    Element { set, key, targets: Vec::new() }
}

fn protocol(name: Option<&str>) -> &'static str {
    match name {
        Some("UDP") => "udp",
        Some("SCTP") => "sctp",
        _ => "tcp",
    }
}

#[cfg(test)]
mod tests;
