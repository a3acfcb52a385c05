//! Service: one address for many pods. Addresses and node ports are allocated elsewhere; here stands
//! what they may be, and that an update which leaves them out keeps them.

use nakhoda_api::Scope;
use nakhoda_api::field::Errors;
use nakhoda_api::kinds::IntOrString;
use nakhoda_api::kinds::core::{
    ClientIPConfig, LoadBalancerStatus, Service, ServiceSpec, ServiceStatus, SessionAffinityConfig,
};

use crate::kind::{Columns, Cx, Fields, Info, Kind, NameRule, STATUS, Sub};
use crate::kinds::core::node::PROXY_VERBS;
use crate::rules::check::{list, text};
use crate::rules::defaults::{fill, fill_absent};

mod addresses;
mod allocated;
mod cells;
mod validation;
mod warnings;

/// The kind.
pub struct Services;

/// Seconds for which a client stays with its pod.
const AFFINITY_SECONDS: i32 = 10_800;

impl Kind for Services {
    type Object = Service;

    fn info() -> Info {
        Info {
            short: &["svc"],
            categories: &["all"],
            subresources: &[
                Sub { name: "proxy", verbs: PROXY_VERBS, kind: Some(("", "v1", "ServiceProxyOptions")) },
                STATUS,
            ],
            storage: "services/specs",
            create_on_update: true,
            names: NameRule::Label,
            returns_deleted: true,
            ..Info::of::<Service>("services", "service", Scope::Namespaced)
        }
    }

    fn default(service: &mut Service) {
        let spec = service.spec.get_or_insert_default();
        fill(&mut spec.session_affinity, "None");
        fill(&mut spec.type_, "ClusterIP");
        affinity(spec);
        for port in spec.ports.iter_mut().flatten() {
            fill(&mut port.protocol, "TCP");
            let unset = [None, Some(IntOrString::Int(0)), Some(IntOrString::String(String::new()))];
            if unset.contains(&port.target_port) {
                port.target_port = Some(IntOrString::Int(port.port));
            }
        }
        if is_external(spec) {
            fill(&mut spec.external_traffic_policy, "Cluster");
        }
        if text(&spec.type_) != "ExternalName" {
            fill_absent(&mut spec.internal_traffic_policy, "Cluster");
        }
        if text(&spec.type_) == "LoadBalancer" {
            spec.allocate_load_balancer_node_ports.get_or_insert(true);
        }
        for ingress in ingress_mut(&mut service.status).filter(|i| !text(&i.ip).is_empty()) {
            ingress.ip_mode.get_or_insert_with(|| "VIP".into());
        }
    }

    fn prepare(cx: &Cx, new: &mut Service, old: Option<&Service>) {
        if !cx.subresource.is_empty() {
            return;
        }
        let status = new.status.insert(old.and_then(|o| o.status.clone()).unwrap_or_default());
        status.load_balancer.get_or_insert_default();
        let old_spec = old.and_then(|o| o.spec.as_ref());
        let spec = new.spec.get_or_insert_default();
        if let Some(old) = old_spec {
            allocated::keep(spec, old);
        }
        allocated::normalize(spec, old_spec);
        if let Some(old) = old_spec {
            allocated::release(spec, old);
            if text(&spec.type_) != "LoadBalancer" {
                status.load_balancer = Some(LoadBalancerStatus::default());
            }
        }
    }

    fn validate(cx: &Cx, new: &Service, old: Option<&Service>, errors: &mut Errors) {
        let none = ServiceSpec::default();
        let (spec, old_spec) = (new.spec.as_ref().unwrap_or(&none), old.and_then(|o| o.spec.as_ref()));
        if cx.subresource == "status" {
            return validation::status(errors, new.status.as_ref(), text(&spec.type_));
        }
        if let Some(old) = old_spec {
            addresses::update(errors, spec, old);
            validation::update(errors, spec, old);
        }
        validation::spec(errors, spec);
    }

    fn warnings(new: &Service, _: Option<&Service>) -> Vec<String> {
        warnings::service(new)
    }

    fn fields(service: &Service) -> Fields {
        let spec =
            |of: fn(&ServiceSpec) -> &Option<String>| service.spec.as_ref().map_or("", |s| text(of(s))).to_owned();
        vec![("spec.clusterIP", spec(|s| &s.cluster_ip)), ("spec.type", spec(|s| &s.type_))]
    }

    fn columns() -> Columns<Service> {
        cells::columns()
    }
}

fn affinity(spec: &mut ServiceSpec) {
    match text(&spec.session_affinity) {
        "None" => spec.session_affinity_config = None,
        "ClientIP" => {
            let config = spec.session_affinity_config.get_or_insert_with(SessionAffinityConfig::default);
            let client = config.client_ip.get_or_insert_with(ClientIPConfig::default);
            client.timeout_seconds.get_or_insert(AFFINITY_SECONDS);
        }
        _ => {}
    }
}

fn ingress_mut(
    status: &mut Option<ServiceStatus>,
) -> impl Iterator<Item = &mut nakhoda_api::kinds::core::LoadBalancerIngress> {
    status.iter_mut().filter_map(|s| s.load_balancer.as_mut()).filter_map(|l| l.ingress.as_mut()).flatten()
}

/// Whether traffic may come from outside the cluster.
fn is_external(spec: &ServiceSpec) -> bool {
    match text(&spec.type_) {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !list(&spec.external_ips).is_empty(),
        _ => false,
    }
}

/// Whether there is no address, only the pods' own.
fn is_headless(spec: &ServiceSpec) -> bool {
    list(&spec.cluster_ips) == ["None"]
}

/// Whether a port tells on which nodes there are pods.
fn needs_health_check(spec: &ServiceSpec) -> bool {
    text(&spec.type_) == "LoadBalancer" && text(&spec.external_traffic_policy) == "Local"
}

#[cfg(test)]
mod tests;
