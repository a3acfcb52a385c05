//! Which pods stand behind a service, and at which ports.

use std::sync::Arc;

use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::core::{Container, Pod, Service, ServicePort, ServiceSpec};
use nakhoda_client::{Change, Informer, Key, Resource};

use crate::pods::{is_finished, is_ready, node};
use crate::selector::{Labels, matches_all};

/// The label of what belongs to a service without an address.
pub const HEADLESS: &str = "service.kubernetes.io/headless";

/// The spec of a service whose pods a controller finds; nothing if it has no selector or no pods at all.
#[must_use]
pub fn selecting(service: &Service) -> Option<&ServiceSpec> {
    let spec = service.spec.as_ref()?;
    let selects = spec.selector.is_some() && spec.type_.as_deref() != Some("ExternalName");
    selects.then_some(spec)
}

/// Whether the service has no address of its own.
#[must_use]
pub fn is_headless(spec: &ServiceSpec) -> bool {
    spec.cluster_ip.as_deref().is_none_or(|ip| ip.is_empty() || ip == "None")
}

/// Whether a pod has an address that may be told.
#[must_use]
pub fn has_address(pod: &Pod, with_terminating: bool) -> bool {
    let ip = pod.status.as_ref().and_then(|s| s.pod_ip.as_deref()).is_some_and(|ip| !ip.is_empty());
    ip && !is_finished(pod) && (with_terminating || !pod.is_terminating())
}

/// The addresses of a pod of one family.
#[must_use]
pub fn addresses(pod: &Pod, v6: bool) -> Vec<String> {
    let status = pod.status.as_ref();
    let many = status.and_then(|s| s.pod_ips.as_ref()).into_iter().flatten().map(|ip| ip.ip.as_str());
    let first = status.and_then(|s| s.pod_ip.as_deref());
    let mut found: Vec<String> = Vec::new();
    for ip in many.chain(first).filter(|ip| ip.contains(':') == v6) {
        if !found.iter().any(|f| f == ip) {
            found.push(ip.to_owned());
        }
    }
    found
}

/// The hostname by which a service's domain knows the pod.
#[must_use]
pub fn hostname(pod: &Pod, service: &Service) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let inside = spec.subdomain.as_deref() == Some(service.name());
    spec.hostname.clone().filter(|h| inside && !h.is_empty())
}

/// The port of a pod that a port of a service leads to; nothing if the pod has none of that name.
#[must_use]
pub fn target_port(pod: &Pod, port: &ServicePort) -> Option<i32> {
    match &port.target_port {
        None => Some(port.port),
        Some(IntOrString::Int(0)) => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) => named_port(pod, name, port.protocol.as_deref().unwrap_or("TCP")),
    }
}

/// The services whose pods a change concerns.
#[must_use]
pub fn affected(services: &Informer<Service>, change: &Change<Pod>) -> Vec<Key> {
    let (old, new): (Option<&Arc<Pod>>, &Arc<Pod>) = match change {
        Change::Updated { old, new } => (Some(old), new),
        Change::Added(pod) | Change::Deleted(pod) => (None, pod),
    };
    if old.is_some_and(|old| is_same(old, new)) {
        return Vec::new();
    }
    let labels: Vec<Option<&Labels>> = old.into_iter().chain([new]).map(|pod| pod.metadata.labels.as_ref()).collect();
    let selects = |service: &Arc<Service>| {
        let selector = selecting(service).and_then(|s| s.selector.as_ref());
        selector.is_some() && labels.iter().any(|l| matches_all(selector, *l))
    };
    services.in_namespace(new.namespace()).into_iter().filter(selects).map(|s| Key::of(&*s)).collect()
}

/// Whether two states of a pod look the same to every service.
fn is_same(a: &Pod, b: &Pod) -> bool {
    let names = |p: &Pod| p.spec.as_ref().map(|s| (s.hostname.clone(), s.subdomain.clone()));
    let ips = |p: &Pod| p.status.as_ref().map(|s| (s.pod_ip.clone(), s.pod_ips.clone()));
    a.metadata.labels == b.metadata.labels
        && a.is_terminating() == b.is_terminating()
        && is_ready(a) == is_ready(b)
        && is_finished(a) == is_finished(b)
        && node(a) == node(b)
        && names(a) == names(b)
        && ips(a) == ips(b)
}

fn named_port(pod: &Pod, name: &str, protocol: &str) -> Option<i32> {
    let spec = pod.spec.as_ref()?;
    let sidecar = |c: &&Container| c.restart_policy.as_deref() == Some("Always");
    let sidecars = spec.init_containers.iter().flatten().filter(sidecar);
    let mut ports = spec.containers.iter().chain(sidecars).flat_map(|c| c.ports.iter().flatten());
    let wanted = ports.find(|p| p.name.as_deref() == Some(name) && p.protocol.as_deref().unwrap_or("TCP") == protocol);
    wanted.map(|p| p.container_port)
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;
    use nakhoda_api::kinds::core::{ContainerPort, PodCondition, PodIP, PodSpec, PodStatus};
    use nakhoda_api::kinds::meta::ObjectMeta;

    /// A pod at an address, with a container port called `http` at 8080.
    pub(crate) fn pod(name: &str, ip: &str, ready: bool) -> Pod {
        let port = ContainerPort { name: Some("http".into()), container_port: 8080, ..ContainerPort::default() };
        let container = Container { ports: Some(vec![port]), ..Container::default() };
        let status = if ready { "True" } else { "False" };
        let condition = PodCondition { type_: "Ready".into(), status: status.into(), ..PodCondition::default() };
        Pod {
            metadata: ObjectMeta {
                name: Some(name.into()),
                namespace: Some("default".into()),
                uid: Some(format!("uid-{name}")),
                ..ObjectMeta::default()
            },
            spec: Some(PodSpec { containers: vec![container], node_name: Some("n1".into()), ..PodSpec::default() }),
            status: Some(PodStatus {
                phase: Some("Running".into()),
                pod_ip: Some(ip.into()),
                pod_ips: Some(vec![PodIP { ip: ip.into() }]),
                conditions: Some(vec![condition]),
                ..PodStatus::default()
            }),
        }
    }

    /// A service whose port 80 leads to the port called `http`.
    pub(crate) fn service() -> Service {
        let port = ServicePort {
            name: Some("web".into()),
            port: 80,
            protocol: Some("TCP".into()),
            target_port: Some(IntOrString::String("http".into())),
            ..ServicePort::default()
        };
        Service {
            metadata: ObjectMeta {
                name: Some("web".into()),
                namespace: Some("default".into()),
                uid: Some("uid-web".into()),
                labels: Some([("app".to_owned(), "web".to_owned())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(ServiceSpec {
                cluster_ip: Some("10.96.0.5".into()),
                ip_families: Some(vec!["IPv4".into()]),
                ports: Some(vec![port]),
                selector: Some(Labels::new()),
                ..ServiceSpec::default()
            }),
            status: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_port_is_looked_up_in_the_pod_and_a_number_is_taken_as_it_is() {
        let pod = fixtures::pod("a", "10.0.0.1", true);
        let port = |target| ServicePort { port: 80, target_port: target, ..ServicePort::default() };
        assert_eq!(target_port(&pod, &port(None)), Some(80));
        assert_eq!(target_port(&pod, &port(Some(IntOrString::Int(9000)))), Some(9000));
        assert_eq!(target_port(&pod, &port(Some(IntOrString::String("http".into())))), Some(8080));
        assert_eq!(target_port(&pod, &port(Some(IntOrString::String("other".into())))), None);
    }

    #[test]
    fn an_ended_or_going_pod_is_not_told() {
        let mut pod = fixtures::pod("a", "10.0.0.1", true);
        assert!(has_address(&pod, false));
        pod.metadata.deletion_timestamp = Some(nakhoda_api::kinds::meta::Time(jiff::Timestamp::UNIX_EPOCH));
        assert!(!has_address(&pod, false) && has_address(&pod, true));
        pod.status.as_mut().expect("set above").phase = Some("Failed".into());
        assert!(!has_address(&pod, true));
    }
}
