//! What `kubectl get services` prints.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use nakhoda_api::kinds::core::{Service, ServicePort, ServiceSpec};

use crate::kind::Columns;
use crate::rules::check::{list, text};
use crate::rules::print::{self, NONE, or_none};

pub(super) fn columns() -> Columns<Service> {
    Columns::<Service>::named()
        .text("Type", |s, _| text(&spec(s).type_).into())
        .text("Cluster-IP", |s, _| list(&spec(s).cluster_ips).first().map_or(NONE, |ip| ip).into())
        .text("External-IP", |s, _| external(s).into())
        .text("Port(s)", |s, _| or_none(&list(&spec(s).ports).iter().map(port).collect::<Vec<_>>().join(",")).into())
        .age()
        .wide("Selector", |s, _| print::labels(spec(s).selector.as_ref()).into())
}

static NONE_GIVEN: LazyLock<ServiceSpec> = LazyLock::new(ServiceSpec::default);

fn spec(service: &Service) -> &ServiceSpec {
    service.spec.as_ref().unwrap_or(&NONE_GIVEN)
}

fn port(port: &ServicePort) -> String {
    let protocol = text(&port.protocol);
    match port.node_port {
        Some(node) if node > 0 => format!("{}:{node}/{protocol}", port.port),
        _ => format!("{}/{protocol}", port.port),
    }
}

fn external(service: &Service) -> String {
    let spec = spec(service);
    let external = list(&spec.external_ips).join(",");
    match text(&spec.type_) {
        "ClusterIP" | "NodePort" => or_none(&external),
        "LoadBalancer" => match (balanced(service), external) {
            (lb, external) if lb.is_empty() && external.is_empty() => "<pending>".into(),
            (lb, external) if external.is_empty() => lb,
            (lb, external) if lb.is_empty() => external,
            (lb, external) => format!("{lb},{external}"),
        },
        "ExternalName" => text(&spec.external_name).into(),
        _ => "<unknown>".into(),
    }
}

/// Addresses of the load balancer, sorted.
fn balanced(service: &Service) -> String {
    let balancer = service.status.as_ref().and_then(|s| s.load_balancer.as_ref());
    let ingress = balancer.map_or(&[][..], |l| list(&l.ingress));
    let name = |i: &nakhoda_api::kinds::core::LoadBalancerIngress| match text(&i.ip) {
        "" => text(&i.hostname).to_owned(),
        ip => ip.to_owned(),
    };
    let names: BTreeSet<_> = ingress.iter().map(name).filter(|n| !n.is_empty()).collect();
    names.into_iter().collect::<Vec<_>>().join(",")
}
