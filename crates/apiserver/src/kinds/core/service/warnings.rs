//! What a Service says in vain.

use nakhoda_api::kinds::core::{Service, ServiceSpec};

use crate::rules::check::{list, text};

pub(super) fn service(service: &Service) -> Vec<String> {
    let none = ServiceSpec::default();
    let spec = service.spec.as_ref().unwrap_or(&none);
    let named = text(&spec.type_) == "ExternalName";
    let headless = text(&spec.type_) == "ClusterIP" && text(&spec.cluster_ip) == "None";
    let external = !list(&spec.external_ips).is_empty();
    let told = [
        (headless && !text(&spec.load_balancer_ip).is_empty(), "spec.loadBalancerIP is ignored for headless services"),
        (headless && external, "spec.externalIPs is ignored for headless services"),
        (headless && text(&spec.session_affinity) != "None", "spec.SessionAffinity is ignored for headless services"),
        (
            external && !headless && !named,
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
        ),
        (named && external, "spec.externalIPs is ignored when spec.type is \"ExternalName\""),
        (
            !named && !text(&spec.external_name).is_empty(),
            "spec.externalName is ignored when spec.type is not \"ExternalName\"",
        ),
        (
            text(&spec.traffic_distribution) == "PreferClose",
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
        ),
    ];
    told.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text.into()).collect()
}
