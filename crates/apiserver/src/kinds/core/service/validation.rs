//! What a Service's spec and status may be.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{ServicePort, ServiceSpec, ServiceStatus};
use nakhoda_api::names;
use serde_json::json;

use super::{addresses, is_external, is_headless, needs_health_check};
use crate::rules::address::{self, Port};
use crate::rules::check::{self, chosen, each, label, list, qualified, subdomain, supported, text};

const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const DAY: i32 = 86_400;

pub(super) fn spec(errors: &mut Errors, spec: &ServiceSpec) {
    let (path, type_) = (Path::new("spec"), text(&spec.type_));
    let ports = list(&spec.ports);
    if ports.is_empty() && !is_headless(spec) && type_ != "ExternalName" {
        errors.required(&path.child("ports"), "");
    }
    by_type(errors, &path, spec);
    let mut seen = Vec::new();
    for (i, one) in ports.iter().enumerate() {
        port(errors, &path.child("ports").index(i), one, ports.len() > 1, &mut seen);
    }
    check::labels(errors, &path.child("selector"), spec.selector.as_ref());
    affinity(errors, &path, spec);
    addresses::validate(errors, &path, spec);
    for (i, ip) in list(&spec.external_ips).iter().enumerate() {
        let at = path.child("externalIPs").index(i);
        match names::is_valid_ip(ip) {
            faults if faults.is_empty() => address::endpoint(errors, &at, ip),
            faults => each(errors, &at, ip.as_str(), faults),
        }
    }
    chosen(errors, &path.child("type"), type_, TYPES);
    repeated_ports(errors, &path.child("ports"), spec);
    load_balancer(errors, &path, spec);
    policies(errors, &path, spec);
}

fn by_type(errors: &mut Errors, path: &Path, spec: &ServiceSpec) {
    match text(&spec.type_) {
        kind @ ("LoadBalancer" | "NodePort") if is_headless(spec) => {
            let why = format!("may not be set to 'None' for {kind} services");
            errors.invalid(&path.child("clusterIPs").index(0), "None", why);
        }
        "ExternalName" => {
            for (field, set) in [
                ("clusterIPs", !list(&spec.cluster_ips).is_empty()),
                ("ipFamilies", !list(&spec.ip_families).is_empty()),
                ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
            ] {
                if set {
                    errors.forbidden(&path.child(field), "may not be set for ExternalName services");
                }
            }
            let at = path.child("externalName");
            match text(&spec.external_name).strip_suffix('.').unwrap_or(text(&spec.external_name)) {
                "" => errors.required(&at, ""),
                name => subdomain(errors, &at, name),
            }
        }
        _ => {}
    }
}

fn port<'a>(errors: &mut Errors, path: &Path, port: &'a ServicePort, named: bool, seen: &mut Vec<&'a str>) {
    let (at, name) = (path.child("name"), text(&port.name));
    if name.is_empty() {
        if named {
            errors.required(&at, "");
        }
    } else {
        label(errors, &at, name);
        if seen.contains(&name) {
            errors.duplicate(&at, name);
        }
        seen.push(name);
    }
    let value = Port { name: &None, port: port.port, protocol: &port.protocol, app_protocol: &None };
    address::port_value(errors, path, &value);
    if let Some(target) = &port.target_port {
        check::port(errors, &path.child("targetPort"), target);
    }
    if let Some(protocol) = &port.app_protocol {
        qualified(errors, &path.child("appProtocol"), protocol);
    }
}

fn affinity(errors: &mut Errors, path: &Path, spec: &ServiceSpec) {
    let (at, config) = (path.child("sessionAffinityConfig"), spec.session_affinity_config.as_ref());
    chosen(errors, &path.child("sessionAffinity"), text(&spec.session_affinity), &["ClientIP", "None"]);
    let client = config.and_then(|c| c.client_ip.as_ref());
    let why = "when session affinity type is ClientIP";
    match (text(&spec.session_affinity), client.map(|c| c.timeout_seconds)) {
        ("None", _) if config.is_some() => errors.forbidden(&at, "must not be set when session affinity is None"),
        ("ClientIP", None) if config.is_none() => errors.required(&at, why),
        ("ClientIP", None) => errors.required(&at.child("clientIP"), why),
        ("ClientIP", Some(None)) => errors.required(&at.child("clientIP").child("timeoutSeconds"), why),
        ("ClientIP", Some(Some(seconds))) if !(1..=DAY).contains(&seconds) => {
            let why = format!("must be greater than 0 and less than {DAY}");
            errors.invalid(&at.child("clientIP").child("timeoutSeconds"), seconds, why);
        }
        _ => {}
    }
}

/// No port is told twice.
fn repeated_ports(errors: &mut Errors, path: &Path, spec: &ServiceSpec) {
    let ports = list(&spec.ports);
    let node_port = |p: &ServicePort| p.node_port.unwrap_or(0);
    if text(&spec.type_) == "ClusterIP" {
        for (i, _) in ports.iter().enumerate().filter(|(_, p)| node_port(p) != 0) {
            errors.forbidden(&path.index(i).child("nodePort"), "may not be used when `type` is 'ClusterIP'");
        }
    }
    for (i, port) in ports.iter().enumerate().filter(|(_, p)| node_port(p) != 0) {
        if ports[..i].iter().any(|p| p.protocol == port.protocol && p.node_port == port.node_port) {
            errors.duplicate(&path.index(i).child("nodePort"), node_port(port));
        }
    }
    for (i, port) in ports.iter().enumerate() {
        if ports[..i].iter().any(|p| p.protocol == port.protocol && p.port == port.port) {
            errors.duplicate(&path.index(i), json!({"port": port.port, "protocol": port.protocol}));
        }
    }
}

fn load_balancer(errors: &mut Errors, path: &Path, spec: &ServiceSpec) {
    let balanced = text(&spec.type_) == "LoadBalancer";
    let only = "may only be used when `type` is 'LoadBalancer'";
    let ranges = list(&spec.load_balancer_source_ranges);
    // Upstream gives this path a capital letter.
    let at = path.child("LoadBalancerSourceRanges");
    if !ranges.is_empty() && !balanced {
        errors.forbidden(&at, only);
    }
    for (i, range) in ranges.iter().enumerate() {
        each(errors, &at.index(i), range.trim(), names::is_valid_cidr(range.trim()));
    }
    if spec.allocate_load_balancer_node_ports.is_some() && !balanced {
        errors.forbidden(&path.child("allocateLoadBalancerNodePorts"), only);
    }
    match &spec.load_balancer_class {
        Some(class) if balanced => qualified(errors, &path.child("loadBalancerClass"), class),
        Some(_) => errors.forbidden(&path.child("loadBalancerClass"), only),
        None => {}
    }
}

fn policies(errors: &mut Errors, path: &Path, spec: &ServiceSpec) {
    let (at, policy) = (path.child("externalTrafficPolicy"), text(&spec.external_traffic_policy));
    if is_external(spec) {
        chosen(errors, &at, policy, &["Cluster", "Local"]);
    } else if !policy.is_empty() {
        errors.invalid(&at, policy, "may only be set for externally-accessible services");
    }
    let (at, port) = (path.child("healthCheckNodePort"), spec.health_check_node_port.unwrap_or(0));
    if port == 0 && needs_health_check(spec) {
        errors.required(&at, "");
    } else if needs_health_check(spec) {
        each(errors, &at, port, names::is_valid_port_num(port.into()));
    } else if port != 0 {
        let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.invalid(&at, port, why);
    }
    match &spec.internal_traffic_policy {
        Some(policy) => supported(errors, &path.child("internalTrafficPolicy"), policy, &["Cluster", "Local"]),
        None if text(&spec.type_) == "ExternalName" => {}
        None => errors.required(&path.child("internalTrafficPolicy"), ""),
    }
    if let Some(distribution) = &spec.traffic_distribution {
        let known = ["PreferClose", "PreferSameZone", "PreferSameNode"];
        supported(errors, &path.child("trafficDistribution"), distribution, &known);
    }
}

pub(super) fn update(errors: &mut Errors, new: &ServiceSpec, old: &ServiceSpec) {
    let balanced = |s: &ServiceSpec| text(&s.type_) == "LoadBalancer";
    if balanced(new) && balanced(old) && new.load_balancer_class != old.load_balancer_class {
        let at = Path::new("spec.loadBalancerClass");
        errors.invalid(&at, new.load_balancer_class.clone(), "may not change once set");
    }
    let both = needs_health_check(new) && needs_health_check(old);
    if both && new.health_check_node_port != old.health_check_node_port {
        errors.forbidden(&Path::new("spec.healthCheckNodePort"), check::IMMUTABLE);
    }
}

pub(super) fn status(errors: &mut Errors, status: Option<&ServiceStatus>, type_: &str) {
    let path = Path::new("status.loadBalancer.ingress");
    let balancer = status.and_then(|s| s.load_balancer.as_ref());
    let ingress = balancer.map_or(&[][..], |l| list(&l.ingress));
    if type_ != "LoadBalancer" && !ingress.is_empty() {
        return errors.forbidden(&path, "may only be used when `spec.type` is 'LoadBalancer'");
    }
    for (i, one) in ingress.iter().enumerate() {
        let at = path.index(i);
        match (text(&one.ip), one.ip_mode.as_deref()) {
            ("", Some(_)) => errors.forbidden(&at.child("ipMode"), "may not be specified when `ip` is not set"),
            ("", None) => {}
            (ip, mode) => {
                each(errors, &at.child("ip"), ip, names::is_valid_ip(ip));
                match mode {
                    None => errors.required(&at.child("ipMode"), "must be specified when `ip` is set"),
                    Some(mode) => supported(errors, &at.child("ipMode"), mode, &["Proxy", "VIP"]),
                }
            }
        }
        match text(&one.hostname) {
            "" => {}
            name if names::is_valid_ip(name).is_empty() => {
                errors.invalid(&at.child("hostname"), name, "must be a DNS name, not an IP address");
            }
            name => subdomain(errors, &at.child("hostname"), name),
        }
    }
}
