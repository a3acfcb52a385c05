//! What a pod's status may say.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{Container, ContainerStatus, Pod, PodSpec, PodStatus};
use nakhoda_api::names;

use super::annotations;
use crate::rules::check::{each, immutable, list, qualified, subdomain, text};

/// A changed status.
pub fn validate(errors: &mut Errors, new: &Pod, old: &Pod) {
    let at = Path::new("metadata.annotations");
    annotations::update(errors, &at, new.metadata.annotations.as_ref(), old.metadata.annotations.as_ref());
    let (none, no_spec) = (PodStatus::default(), PodSpec::default());
    let (status, before) = (new.status.as_ref().unwrap_or(&none), old.status.as_ref().unwrap_or(&none));
    let spec = old.spec.as_ref().unwrap_or(&no_spec);
    let path = Path::new("status");
    for (i, condition) in list(&status.conditions).iter().enumerate() {
        let at = path.child("conditions").index(i);
        if condition.observed_generation.is_some_and(|g| g < 0) {
            let why = "must be greater than or equal to 0";
            errors.invalid(&at.child("observedGeneration"), condition.observed_generation, why);
        }
        if !condition.type_.contains('/') {
            continue;
        }
        qualified(errors, &at.child("Type"), &condition.type_);
    }
    let nominated = text(&status.nominated_node_name);
    if nominated != text(&before.nominated_node_name) && !nominated.is_empty() {
        let at = path.child("nominatedNodeName");
        subdomain(errors, &at, nominated);
        if !text(&spec.node_name).is_empty() {
            errors.forbidden(&at, "may not be set on pods that are already bound to a node");
        }
    }
    immutable(errors, &path.child("qosClass"), &status.qos_class, &before.qos_class);
    transitions(errors, &path, status, before, spec);
    addresses(errors, &path, status);
}

/// What has ended stays so, unless it is to be restarted.
fn transitions(errors: &mut Errors, path: &Path, new: &PodStatus, old: &PodStatus, spec: &PodSpec) {
    let why = "may not be transitioned to non-terminated state";
    for (field, new, old, containers) in [
        ("containerStatuses", &new.container_statuses, &old.container_statuses, &spec.containers[..]),
        (
            "initContainerStatuses",
            &new.init_container_statuses,
            &old.init_container_statuses,
            list(&spec.init_containers),
        ),
    ] {
        for (i, before) in list(old).iter().enumerate() {
            let Some(code) = exit_code(before) else { continue };
            let now = list(new).iter().find(|s| s.name == before.name);
            let container = containers.iter().find(|c| c.name == before.name);
            if now.is_some_and(|s| exit_code(s).is_none()) && !restarts(container, spec, code) {
                errors.forbidden(&path.child(field).index(i).child("state"), why);
            }
        }
    }
}

fn exit_code(status: &ContainerStatus) -> Option<i32> {
    status.state.as_ref()?.terminated.as_ref().map(|t| t.exit_code)
}

/// The container's own rules come first, then its policy, then the pod's.
fn restarts(container: Option<&Container>, spec: &PodSpec, code: i32) -> bool {
    let rule = container.map_or(&[][..], |c| list(&c.restart_policy_rules)).iter().any(|rule| {
        let Some(codes) = &rule.exit_codes else { return false };
        list(&codes.values).contains(&code) == (codes.operator == "In")
    });
    let own = container.and_then(|c| c.restart_policy.as_deref());
    match own.unwrap_or_else(|| text(&spec.restart_policy)) {
        "Never" => rule,
        "OnFailure" => rule || code != 0,
        _ => true,
    }
}

fn addresses(errors: &mut Errors, path: &Path, status: &PodStatus) {
    let pods: Vec<&str> = list(&status.pod_ips).iter().map(|a| a.ip.as_str()).collect();
    let hosts: Vec<&str> = list(&status.host_ips).iter().map(|a| a.ip.as_str()).collect();
    if let Some(first) = hosts.first().filter(|first| **first != text(&status.host_ip)) {
        errors.invalid(&path.child("hostIPs").index(0).child("ip"), *first, "must be equal to `hostIP`");
    }
    for (field, ips) in [("podIPs", pods), ("hostIPs", hosts)] {
        let at = path.child(field);
        for (i, ip) in ips.iter().enumerate() {
            each(errors, &at.index(i), *ip, names::is_valid_ip(ip));
        }
        let six = ips.iter().filter(|ip| ip.contains(':')).count();
        if six > 1 || ips.len() - six > 1 {
            errors.invalid(&at, ips.clone(), "may specify no more than one IP for each IP family");
        }
    }
}
