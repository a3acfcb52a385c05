//! What the Endpoints of a service should say.

use std::collections::BTreeMap;
use std::sync::Arc;

use nakhoda_api::kinds::core::{
    EndpointAddress, EndpointPort, EndpointSubset, Endpoints, ObjectReference, Pod, Service, ServiceSpec,
};
use nakhoda_client::Resource;

use crate::backends::{HEADLESS, addresses, has_address, hostname, is_headless, target_port};
use crate::pods::{is_ready, node};

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const KEEPER: &str = "endpoint-controller";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// The most addresses that one object tells.
const CAPACITY: usize = 1_000;

/// Ports as a key: name, number, protocol, application protocol.
type Ports = Vec<(String, i32, String, Option<String>)>;

/// The Endpoints of a service; equal to `current` if nothing is to be written.
#[must_use]
pub fn endpoints(
    service: &Service,
    spec: &ServiceSpec,
    pods: &[Arc<Pod>],
    current: Option<&Endpoints>,
) -> Endpoints {
    let mut wanted = current.cloned().unwrap_or_default();
    wanted.metadata.name = service.metadata.name.clone();
    wanted.metadata.namespace = service.metadata.namespace.clone();
    wanted.metadata.labels = Some(labels(service, spec));
    let (subsets, truncated) = subsets(service, spec, pods);
    if truncated {
        wanted.metadata.annotations.get_or_insert_default().insert(OVER_CAPACITY.into(), "truncated".into());
    } else if let Some(annotations) = &mut wanted.metadata.annotations {
        annotations.remove(OVER_CAPACITY);
    }
    let told = wanted.subsets.take().unwrap_or_default();
    wanted.subsets = if told == subsets && current.is_some_and(|c| c.subsets.is_none()) { None } else { Some(subsets) };
    wanted
}

/// Whether this controller made the Endpoints.
#[must_use]
pub fn is_ours(endpoints: &Endpoints) -> bool {
    endpoints.metadata.labels.as_ref().and_then(|l| l.get(MANAGED_BY)).is_some_and(|k| k == KEEPER)
}

fn labels(service: &Service, spec: &ServiceSpec) -> BTreeMap<String, String> {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(HEADLESS);
    if is_headless(spec) {
        labels.insert(HEADLESS.into(), String::new());
    }
    labels.insert(MANAGED_BY.into(), KEEPER.into());
    labels
}

/// One subset for each set of ports, in a fixed order; and whether addresses were left out.
fn subsets(service: &Service, spec: &ServiceSpec, pods: &[Arc<Pod>]) -> (Vec<EndpointSubset>, bool) {
    let all = spec.publish_not_ready_addresses == Some(true);
    let v6 = spec.ip_families.iter().flatten().next().is_some_and(|f| f == "IPv6");
    let portless = spec.ports.as_ref().is_none_or(Vec::is_empty) && is_headless(spec);
    let mut by_ports: BTreeMap<Ports, [Vec<EndpointAddress>; 2]> = BTreeMap::new();
    for pod in pods.iter().filter(|p| has_address(p, all)) {
        let Some(ip) = addresses(pod, v6).into_iter().next() else { continue };
        let ports = ports(spec, pod);
        if ports.is_empty() && !portless {
            continue;
        }
        let ready = all || is_ready(pod);
        by_ports.entry(ports).or_default()[usize::from(!ready)].push(address(service, pod, ip));
    }
    let mut room = CAPACITY;
    let mut truncated = false;
    let mut told = Vec::with_capacity(by_ports.len());
    for (ports, [mut ready, mut unready]) in by_ports {
        for addresses in [&mut ready, &mut unready] {
            addresses.sort_by(|a, b| (&a.ip, uid(a)).cmp(&(&b.ip, uid(b))));
            truncated |= addresses.len() > room;
            addresses.truncate(room);
            room -= addresses.len();
        }
        told.push(EndpointSubset {
            addresses: (!ready.is_empty()).then_some(ready),
            not_ready_addresses: (!unready.is_empty()).then_some(unready),
            ports: (!ports.is_empty()).then(|| ports.into_iter().map(port).collect()),
        });
    }
    (told, truncated)
}

fn ports(spec: &ServiceSpec, pod: &Pod) -> Ports {
    let found = spec.ports.iter().flatten().filter_map(|port| {
        let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".into());
        Some((port.name.clone().unwrap_or_default(), target_port(pod, port)?, protocol, port.app_protocol.clone()))
    });
    let mut ports: Ports = found.collect();
    ports.sort();
    ports
}

fn port((name, port, protocol, app_protocol): (String, i32, String, Option<String>)) -> EndpointPort {
    EndpointPort { name: (!name.is_empty()).then_some(name), port, protocol: Some(protocol), app_protocol }
}

fn address(service: &Service, pod: &Pod, ip: String) -> EndpointAddress {
    EndpointAddress {
        ip,
        hostname: hostname(pod, service),
        node_name: node(pod).map(str::to_owned),
        target_ref: Some(ObjectReference {
            kind: Some("Pod".into()),
            namespace: pod.metadata.namespace.clone(),
            name: Some(pod.name().into()),
            uid: Some(pod.uid().into()),
            ..ObjectReference::default()
        }),
    }
}

fn uid(address: &EndpointAddress) -> Option<&str> {
    address.target_ref.as_ref()?.uid.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::fixtures::{pod, service};

    #[test]
    fn pods_of_one_port_share_a_subset_and_a_second_look_changes_nothing() {
        let service = service();
        let spec = service.spec.as_ref().expect("set");
        let pods = [("b", "10.0.0.2", true), ("a", "10.0.0.1", true), ("c", "10.0.0.3", false)];
        let pods: Vec<_> = pods.iter().map(|(n, ip, r)| Arc::new(pod(n, ip, *r))).collect();
        let made = endpoints(&service, spec, &pods, None);
        let subset = &made.subsets.as_ref().expect("told")[0];
        let ips = |v: &Option<Vec<EndpointAddress>>| v.iter().flatten().map(|a| a.ip.clone()).collect::<Vec<_>>();
        assert_eq!(ips(&subset.addresses), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(ips(&subset.not_ready_addresses), ["10.0.0.3"]);
        assert_eq!(subset.ports.as_ref().expect("told")[0].port, 8080);
        assert!(is_ours(&made));
        assert_eq!(endpoints(&service, spec, &pods, Some(&made)), made);
    }

    #[test]
    fn no_pods_give_no_subsets_and_that_is_no_change_either() {
        let service = service();
        let spec = service.spec.as_ref().expect("set");
        let mut stored = endpoints(&service, spec, &[], None);
        stored.subsets = None;
        assert_eq!(endpoints(&service, spec, &[], Some(&stored)), stored);
    }

    #[test]
    fn more_addresses_than_fit_are_left_out_and_that_is_told() {
        let service = service();
        let pods: Vec<_> = (0..=CAPACITY).map(|i| Arc::new(pod(&i.to_string(), &format!("10.0.{i}"), true))).collect();
        let made = endpoints(&service, service.spec.as_ref().expect("set"), &pods, None);
        assert_eq!(made.metadata.annotations.expect("annotated")[OVER_CAPACITY], "truncated");
    }
}
