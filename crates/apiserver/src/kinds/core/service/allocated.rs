//! Values that the server allocates: a client that leaves them out means to keep them; one that changes
//! the type means to give them back.

use std::collections::BTreeSet;

use nakhoda_api::kinds::core::{ServicePort, ServiceSpec};

use super::{is_external, needs_health_check};
use crate::rules::check::{list, text};

/// `clusterIP` and `clusterIPs` say the same; clients may write one of them.
pub(super) fn normalize(new: &mut ServiceSpec, old: Option<&ServiceSpec>) {
    let ip = text(&new.cluster_ip).to_owned();
    let Some(old) = old else {
        if !ip.is_empty() && list(&new.cluster_ips).is_empty() {
            new.cluster_ips = Some(vec![ip]);
        }
        return;
    };
    let old_ip = text(&old.cluster_ip);
    if list(&new.cluster_ips).is_empty() && ip == old_ip {
        new.cluster_ips.clone_from(&old.cluster_ips);
    }
    if ip != old_ip && list(&new.cluster_ips) == list(&old.cluster_ips) {
        new.cluster_ips = if ip.is_empty() { None } else { Some(vec![ip]) };
    }
}

/// Puts back what the client left out.
pub(super) fn keep(new: &mut ServiceSpec, old: &ServiceSpec) {
    if has_address(new) && has_address(old) {
        if text(&new.cluster_ip).is_empty() {
            new.cluster_ip.clone_from(&old.cluster_ip);
        }
        if list(&new.cluster_ips).is_empty() {
            new.cluster_ips.clone_from(&old.cluster_ips);
        }
    }
    if has_node_ports(new) && has_node_ports(old) {
        node_ports(new, list(&old.ports));
    }
    if needs_health_check(new) && needs_health_check(old) && new.health_check_node_port.unwrap_or(0) == 0 {
        new.health_check_node_port = old.health_check_node_port;
    }
}

/// Node ports are known by the name of the port, and never given twice.
fn node_ports(new: &mut ServiceSpec, old: &[ServicePort]) {
    let used =
        |ports: &[ServicePort]| ports.iter().filter_map(|p| p.node_port).filter(|p| *p != 0).collect::<BTreeSet<_>>();
    let taken: BTreeSet<_> = used(old).intersection(&used(list(&new.ports))).copied().collect();
    for port in new.ports.iter_mut().flatten().filter(|p| p.node_port.unwrap_or(0) == 0) {
        let before = old.iter().rev().find(|o| text(&o.name) == text(&port.name)).and_then(|o| o.node_port);
        port.node_port = before.filter(|p| !taken.contains(p));
    }
}

/// Drops what the new type has no use for, unless the client changed it too.
pub(super) fn release(new: &mut ServiceSpec, old: &ServiceSpec) {
    if has_address(old) && !has_address(new) {
        if new.cluster_ips == old.cluster_ips && new.cluster_ip == old.cluster_ip {
            (new.cluster_ip, new.cluster_ips) = (None, None);
        }
        drop_same(&mut new.ip_families, &old.ip_families);
        drop_same(&mut new.ip_family_policy, &old.ip_family_policy);
    }
    if has_node_ports(old) && !has_node_ports(new) {
        let ports = |s: &ServiceSpec| list(&s.ports).iter().filter_map(|p| p.node_port).collect::<Vec<_>>();
        if ports(new) == ports(old) {
            new.ports.iter_mut().flatten().for_each(|p| p.node_port = None);
        }
    }
    if needs_health_check(old) && !needs_health_check(new) {
        drop_same(&mut new.health_check_node_port, &old.health_check_node_port);
    }
    if text(&old.type_) == "LoadBalancer" && text(&new.type_) != "LoadBalancer" {
        drop_same(&mut new.allocate_load_balancer_node_ports, &old.allocate_load_balancer_node_ports);
        drop_same(&mut new.load_balancer_class, &old.load_balancer_class);
    }
    if is_external(old) && !is_external(new) {
        drop_same(&mut new.external_traffic_policy, &old.external_traffic_policy);
    }
}

fn drop_same<T: PartialEq>(new: &mut Option<T>, old: &Option<T>) {
    if new == old {
        *new = None;
    }
}

fn has_address(spec: &ServiceSpec) -> bool {
    text(&spec.type_) != "ExternalName"
}

fn has_node_ports(spec: &ServiceSpec) -> bool {
    match text(&spec.type_) {
        "NodePort" => true,
        "LoadBalancer" => spec.allocate_load_balancer_node_ports != Some(false),
        _ => false,
    }
}
