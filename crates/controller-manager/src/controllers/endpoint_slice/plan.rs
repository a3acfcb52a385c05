//! What the slices of a service should hold.

use std::sync::Arc;

use nakhoda_api::kinds::core::{ObjectReference, Pod, Service, ServiceSpec};
use nakhoda_api::kinds::discovery::{Endpoint, EndpointConditions, EndpointPort};
use nakhoda_client::{Resource, owner};

use super::{KEEPER, hints};
use crate::backends::{HEADLESS, addresses, has_address, hostname, is_headless, target_port};
use crate::pods::{is_ready, node};
use crate::slices::{Group, MANAGED_BY, SERVICE_NAME, Shape};

/// The most endpoints of one slice.
const CAPACITY: usize = 100;

/// What all slices of the service have: its own labels too.
#[must_use]
pub fn shape(service: &Service, spec: &ServiceSpec) -> Shape {
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.remove(HEADLESS);
    if is_headless(spec) {
        labels.insert(HEADLESS.into(), String::new());
    }
    labels.insert(SERVICE_NAME.into(), service.name().into());
    labels.insert(MANAGED_BY.into(), KEEPER.into());
    Shape {
        namespace: service.namespace().into(),
        service: service.name().into(),
        labels,
        annotations: std::collections::BTreeMap::new(),
        owner: owner(service),
        capacity: CAPACITY,
    }
}

/// The endpoints by address family and ports: pods may give one port name different numbers.
#[must_use]
pub fn groups(
    service: &Service,
    spec: &ServiceSpec,
    pods: &[Arc<Pod>],
    zone: impl Fn(&str) -> Option<String>,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for family in families(spec) {
        let before = groups.len();
        for pod in pods.iter().filter(|p| has_address(p, true)) {
            let ports = ports(spec, pod);
            let Some(endpoint) = endpoint(service, spec, pod, family == "IPv6", &zone) else { continue };
            if ports.is_empty() && !is_portless(spec) {
                continue;
            }
            match groups[before..].iter_mut().find(|g| g.ports == ports) {
                Some(group) => group.endpoints.push(endpoint),
                None => groups.push(Group { address_type: family.into(), ports, endpoints: vec![endpoint] }),
            }
        }
        if groups.len() == before {
            groups.push(Group { address_type: family.into(), ..Group::default() });
        }
    }
    groups
}

/// The address families of a service.
#[must_use]
pub fn families(spec: &ServiceSpec) -> Vec<&str> {
    let told: Vec<&str> = spec.ip_families.iter().flatten().map(String::as_str).collect();
    match spec.cluster_ip.as_deref() {
        _ if !told.is_empty() => told,
        Some(ip) if ip.contains(':') => vec!["IPv6"],
        _ => vec!["IPv4"],
    }
}

/// A service without an address may do without ports.
fn is_portless(spec: &ServiceSpec) -> bool {
    spec.ports.as_ref().is_none_or(Vec::is_empty) && is_headless(spec)
}

fn ports(spec: &ServiceSpec, pod: &Pod) -> Vec<EndpointPort> {
    let ports = spec.ports.iter().flatten();
    let told = ports.filter_map(|port| {
        Some(EndpointPort {
            name: Some(port.name.clone().unwrap_or_default()),
            port: Some(target_port(pod, port)?),
            protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".into())),
            app_protocol: port.app_protocol.clone(),
        })
    });
    told.collect()
}

/// Nothing if the pod has no address of the family. A pod that is going is never ready, whatever it
/// says, unless the service wants all addresses.
fn endpoint(
    service: &Service,
    spec: &ServiceSpec,
    pod: &Pod,
    v6: bool,
    zone: impl Fn(&str) -> Option<String>,
) -> Option<Endpoint> {
    let addresses = addresses(pod, v6);
    if addresses.is_empty() {
        return None;
    }
    let (serving, terminating) = (is_ready(pod), pod.is_terminating());
    let zone = node(pod).and_then(zone);
    let ready = spec.publish_not_ready_addresses == Some(true) || (serving && !terminating);
    Some(Endpoint {
        addresses,
        conditions: Some(EndpointConditions {
            ready: Some(ready),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        target_ref: Some(ObjectReference {
            kind: Some("Pod".into()),
            namespace: pod.metadata.namespace.clone(),
            name: pod.metadata.name.clone(),
            uid: pod.metadata.uid.clone(),
            ..ObjectReference::default()
        }),
        node_name: node(pod).map(str::to_owned),
        hints: if ready { hints::of(service, zone.as_deref(), node(pod)) } else { None },
        zone,
        hostname: hostname(pod, service),
        ..Endpoint::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::fixtures::{pod, service};
    use nakhoda_api::kinds::meta::Time;

    fn of(pods: Vec<Pod>) -> Vec<Group> {
        let service = service();
        let pods: Vec<_> = pods.into_iter().map(Arc::new).collect();
        groups(&service, service.spec.as_ref().expect("set"), &pods, |n| Some(format!("zone of {n}")))
    }

    fn conditions(group: &Group) -> Vec<[bool; 3]> {
        let read = |e: &Endpoint| {
            let c = e.conditions.clone().unwrap_or_default();
            [c.ready, c.serving, c.terminating].map(|b| b.expect("always told"))
        };
        group.endpoints.iter().map(read).collect()
    }

    #[test]
    fn ready_unready_and_terminating_pods_are_told_apart() {
        let mut going = pod("c", "10.0.0.3", true);
        going.metadata.deletion_timestamp = Some(Time(jiff::Timestamp::UNIX_EPOCH));
        let groups = of(vec![pod("a", "10.0.0.1", true), pod("b", "10.0.0.2", false), going]);
        assert_eq!(groups.len(), 1);
        let expected = [[true, true, false], [false, false, false], [false, true, true]];
        assert_eq!(conditions(&groups[0]), expected);
        let first = &groups[0].endpoints[0];
        assert_eq!((first.node_name.as_deref(), first.zone.as_deref()), (Some("n1"), Some("zone of n1")));
        assert_eq!((groups[0].ports[0].port, groups[0].ports[0].name.as_deref()), (Some(8080), Some("web")));
    }

    #[test]
    fn other_numbers_for_one_name_make_another_group_and_no_pod_an_empty_one() {
        let mut other = pod("b", "10.0.0.2", true);
        let spec = other.spec.as_mut().expect("set");
        spec.containers[0].ports.as_mut().expect("set")[0].container_port = 9090;
        assert_eq!(of(vec![pod("a", "10.0.0.1", true), other]).len(), 2);
        let empty = of(Vec::new());
        assert_eq!((empty.len(), empty[0].endpoints.len()), (1, 0));
    }

    #[test]
    fn slices_carry_the_labels_of_their_service_and_its_name() {
        let mut service = service();
        service.spec.as_mut().expect("set").cluster_ip = Some("None".into());
        let shape = shape(&service, service.spec.as_ref().expect("set"));
        let read = |key: &str| shape.labels.get(key).map(String::as_str);
        assert_eq!((read("app"), read(SERVICE_NAME), read(HEADLESS)), (Some("web"), Some("web"), Some("")));
        assert_eq!(read(MANAGED_BY), Some("endpointslice-controller.k8s.io"));
    }
}
