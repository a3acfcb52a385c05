//! Addresses of services of type LoadBalancer: those of nodes where none of the service's ports is
//! taken. The oldest service wins a port; one that wins nowhere waits, and says which port is taken by
//! whom.
//!
//! All such services are judged together, by one worker: whether one has a port depends on the others.
//! A service of a `loadBalancerClass` is somebody else's. Absent: ports that a node's kubelet reports
//! as listening.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use nakhoda_api::kinds::core::{LoadBalancerIngress, LoadBalancerStatus, Node, Pod, Service};
use nakhoda_api::kinds::discovery::EndpointSlice;
use nakhoda_api::kinds::meta::{Condition, Time};
use nakhoda_client::{Change, EventType, Informer, Key, Outcome, Reconcile, Recorder, Resource, Result, reference};

use super::endpoint_slice;
use crate::context::{Context, Watches};
use crate::{nodes, pods};

pub mod plan;

use plan::{Claim, Host, Port, Verdict};

const NAME: &str = "service-lb";
/// The index of pods with host ports, by node.
const HOST_PORTS: &str = "host-ports";
const BY_SERVICE: &str = "service";
/// The label of nodes that stay out of load balancing.
const EXCLUDED: &str = "node.kubernetes.io/exclude-from-external-load-balancers";
/// The condition about ports that cannot be had.
const PORTS_ERROR: &str = "LoadBalancerPortsError";

/// Starts the controller.
pub fn start(cx: &Context) {
    let (services, nodes) = (cx.informers.of::<Service>(), cx.informers.of::<Node>());
    let (pods, slices) = (cx.informers.of::<Pod>(), cx.informers.of::<EndpointSlice>());
    pods.add_index(HOST_PORTS, by_host_ports);
    slices.add_index(BY_SERVICE, endpoint_slice::by_service);
    let mut watches = Watches::new(cx, NAME);
    watches.on(&services, |s: &Service| wake(is_balanced(s) || !ingress(s).is_empty()));
    watches.on_change(&nodes, |change| wake(has_moved(change)));
    watches.on_change(&pods, |change| wake(takes_ports(change)));
    let all = services.clone();
    watches.on(&slices, move |slice: &EndpointSlice| wake(is_of_local(&all, slice)));
    let recorder = cx.recorder("service-controller");
    watches.run(1, Balancer { cx: cx.clone(), recorder, services, nodes, pods, slices });
}

struct Balancer {
    cx: Context,
    recorder: Recorder,
    services: Informer<Service>,
    nodes: Informer<Node>,
    pods: Informer<Pod>,
    slices: Informer<EndpointSlice>,
}

// === impl Balancer ===

impl Reconcile for Balancer {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn reconcile(&self, _: &Key) -> Result<Outcome> {
        let all = self.services.list();
        let (balanced, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|s| is_balanced(s));
        let claims: Vec<Claim> = balanced.iter().map(|s| self.claim(s)).collect();
        let verdicts = plan::plan(&self.hosts(), &claims);
        let now = crate::clock::now();
        for (service, verdict) in balanced.iter().zip(&verdicts) {
            self.write(service, verdict, now).await?;
        }
        for service in others.iter().filter(|s| !ingress(s).is_empty() && is_free(s)) {
            self.write(service, &Verdict::Addresses(Vec::new()), now).await?;
        }
        Ok(Outcome::Done)
    }
}

impl Balancer {
    fn hosts(&self) -> Vec<Host> {
        let usable = |node: &Arc<Node>| {
            let excluded = node.metadata.labels.as_ref().is_some_and(|l| l.contains_key(EXCLUDED));
            nodes::is_ready(node) && !node.is_terminating() && !excluded
        };
        self.nodes.list().into_iter().filter(usable).map(|n| self.host(&n)).collect()
    }

    fn host(&self, node: &Node) -> Host {
        let taken = self.pods.by_index(HOST_PORTS, node.name());
        let taken = taken.iter().filter(|p| !pods::is_finished(p));
        Host {
            name: node.name().into(),
            addresses: nodes::addresses(node, "InternalIP").map(str::to_owned).collect(),
            taken: taken.flat_map(|p| host_ports(p).map(|port| (port, format!("pod {}", Key::of(&**p))))).collect(),
        }
    }

    fn claim(&self, service: &Service) -> Claim {
        let spec = service.spec.clone().unwrap_or_default();
        let local = spec.external_traffic_policy.as_deref() == Some("Local");
        Claim {
            name: format!("service {}", Key::of(service)),
            made: service.metadata.creation_timestamp.as_ref().map(|t| t.0),
            v6: spec.ip_families.iter().flatten().next().is_some_and(|f| f == "IPv6"),
            ports: spec.ports.iter().flatten().map(|p| Port::new(p.port, p.protocol.as_deref())).collect(),
            only_on: local.then(|| self.nodes_with_endpoints(service)),
        }
    }

    fn nodes_with_endpoints(&self, service: &Service) -> BTreeSet<String> {
        let slices = self.slices.by_index(BY_SERVICE, &format!("{}/{}", endpoint_slice::KEEPER, Key::of(service)));
        let endpoints = slices.iter().flat_map(|s| s.endpoints.iter().flatten());
        let ready = endpoints.filter(|e| e.conditions.as_ref().is_none_or(|c| c.ready != Some(false)));
        ready.filter_map(|e| e.node_name.clone()).collect()
    }

    async fn write(&self, service: &Arc<Service>, verdict: &Verdict, now: Timestamp) -> Result<()> {
        let Some(next) = tell(service, verdict, now) else { return Ok(()) };
        match self.cx.client.namespaced::<Service>(service.namespace()).update_status(&next).await {
            Ok(_) => {}
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        }
        let about = reference(&**service);
        match verdict {
            Verdict::Addresses(addresses) if !addresses.is_empty() => {
                self.recorder.event(&about, EventType::Normal, "EnsuredLoadBalancer", "Ensured load balancer");
            }
            Verdict::Addresses(_) => {}
            Verdict::Pending(why) => {
                let message = format!("Error syncing load balancer: failed to ensure load balancer: {why}");
                self.recorder.event(&about, EventType::Warning, "SyncLoadBalancerFailed", message);
            }
        }
        Ok(())
    }
}

/// The service with the addresses and the condition of a verdict; nothing if it has them.
fn tell(service: &Service, verdict: &Verdict, now: Timestamp) -> Option<Service> {
    let mut next = service.clone();
    let status = next.status.get_or_insert_default();
    let (addresses, why) = match verdict {
        Verdict::Addresses(addresses) => (addresses.as_slice(), None),
        Verdict::Pending(why) => (&[][..], Some(why.to_string())),
    };
    let before: Vec<_> = ingress(service).iter().filter_map(|i| i.ip.as_deref()).collect();
    let conditions = status.conditions.get_or_insert_default();
    let told = conditions.iter().find(|c| c.type_ == PORTS_ERROR && c.status == "True").map(|c| c.message.clone());
    if before == addresses && told == why {
        return None;
    }
    conditions.retain(|c| c.type_ != PORTS_ERROR);
    conditions.extend(why.map(|message| Condition {
        type_: PORTS_ERROR.into(),
        status: "True".into(),
        reason: "PortTaken".into(),
        message,
        observed_generation: service.metadata.generation,
        last_transition_time: Time(now),
    }));
    let entry = |ip: &String| LoadBalancerIngress {
        ip: Some(ip.clone()),
        ip_mode: Some("VIP".into()),
        ..LoadBalancerIngress::default()
    };
    let entries: Vec<_> = addresses.iter().map(entry).collect();
    status.load_balancer = Some(LoadBalancerStatus { ingress: (!entries.is_empty()).then_some(entries) });
    Some(next)
}

/// There is but one key: all services are judged together.
fn wake(needed: bool) -> Vec<Key> {
    if needed { vec![Key::default()] } else { Vec::new() }
}

fn is_balanced(service: &Service) -> bool {
    let type_ = service.spec.as_ref().and_then(|s| s.type_.as_deref());
    type_ == Some("LoadBalancer") && is_free(service) && !service.is_terminating()
}

fn is_free(service: &Service) -> bool {
    service.spec.as_ref().is_none_or(|s| s.load_balancer_class.is_none())
}

fn ingress(service: &Service) -> &[LoadBalancerIngress] {
    let balancer = service.status.as_ref().and_then(|s| s.load_balancer.as_ref());
    balancer.and_then(|b| b.ingress.as_deref()).unwrap_or_default()
}

fn has_moved(change: &Change<Node>) -> bool {
    let seen = |node: &Node| {
        let addresses: Vec<String> = nodes::addresses(node, "InternalIP").map(str::to_owned).collect();
        let excluded = node.metadata.labels.as_ref().is_some_and(|l| l.contains_key(EXCLUDED));
        (nodes::is_ready(node), node.is_terminating(), excluded, addresses)
    };
    !matches!(change, Change::Updated { old, new } if seen(old) == seen(new))
}

fn takes_ports(change: &Change<Pod>) -> bool {
    let pod = change.object();
    let same = |old: &Pod| pods::node(old) == pods::node(pod) && pods::is_finished(old) == pods::is_finished(pod);
    host_ports(pod).next().is_some() && !matches!(change, Change::Updated { old, .. } if same(old))
}

fn is_of_local(services: &Informer<Service>, slice: &EndpointSlice) -> bool {
    let name = slice.metadata.labels.as_ref().and_then(|l| l.get(crate::slices::SERVICE_NAME));
    let service = name.and_then(|n| services.get(&Key::new(slice.namespace(), n)));
    service.is_some_and(|s| {
        let local = s.spec.as_ref().and_then(|s| s.external_traffic_policy.as_deref()) == Some("Local");
        local && is_balanced(&s)
    })
}

fn host_ports(pod: &Pod) -> impl Iterator<Item = Port> + '_ {
    let containers = pod.spec.iter().flat_map(|s| s.containers.iter().chain(s.init_containers.iter().flatten()));
    let ports = containers.flat_map(|c| c.ports.iter().flatten());
    ports.filter_map(|p| Some(Port::new(p.host_port.filter(|&h| h > 0)?, p.protocol.as_deref())))
}

fn by_host_ports(pod: &Pod) -> Vec<String> {
    if host_ports(pod).next().is_some() { nodes::by_node(pod) } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_once_and_a_refusal_takes_them_away() {
        let now = Timestamp::UNIX_EPOCH;
        let verdict = Verdict::Addresses(vec!["10.0.0.1".into()]);
        let told = tell(&Service::default(), &verdict, now).expect("news");
        assert_eq!(ingress(&told)[0].ip.as_deref(), Some("10.0.0.1"));
        assert_eq!(tell(&told, &verdict, Timestamp::MAX), None);
        let refusal = Verdict::Pending(plan::Refusal::NoNode);
        let pending = tell(&told, &refusal, now).expect("news");
        assert!(ingress(&pending).is_empty());
        assert_eq!(tell(&pending, &refusal, Timestamp::MAX), None);
    }
}
