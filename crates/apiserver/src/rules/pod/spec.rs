//! A pod's spec as a whole.

use nakhoda_api::field::{Errors, Path};
use nakhoda_api::kinds::core::{PodSpec, ResourceRequirements};
use nakhoda_api::names;

use super::{affinity, claims, containers, env, network, ports, resources, scheduling, security, volumes, windows};
use crate::rules::check::{self, chosen, each, label, list, qualified, subdomain, supported, text};
use crate::rules::taint;

/// All of it. The pod's name is empty for templates.
pub fn validate(errors: &mut Errors, path: &Path, spec: &PodSpec, pod: &str, is_pod: bool) {
    if spec.termination_grace_period_seconds.is_none() {
        errors.required(&path.child("terminationGracePeriodSeconds"), "");
    }
    let known = volumes::validate(errors, &path.child("volumes"), list(&spec.volumes), pod);
    claims::of_pod(errors, &path.child("resourceClaims"), list(&spec.resource_claims));
    containers::validate(errors, path, spec, &known);
    if let Some(limits) = &spec.resources {
        resources::of_pod(errors, &path.child("resources"), limits, spec);
    }
    ports::host_network(errors, &path.child("containers"), spec, is_pod);
    chosen(errors, &path.child("restartPolicy"), text(&spec.restart_policy), &["Always", "OnFailure", "Never"]);
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    chosen(errors, &path.child("dnsPolicy"), text(&spec.dns_policy), &policies);
    check::labels(errors, &path.child("nodeSelector"), spec.node_selector.as_ref());
    security::of_pod(errors, path, spec);
    if let Some(affinity) = &spec.affinity {
        affinity::validate(errors, &path.child("affinity"), affinity);
    }
    network::dns(errors, &path.child("dnsConfig"), spec);
    gates(errors, path, spec);
    scheduling::spread(errors, &path.child("topologySpreadConstraints"), list(&spec.topology_spread_constraints));
    windows::host_process(errors, path, spec);
    security::host_users(errors, path, spec);
    network::hostname_override(errors, &path.child("hostnameOverride"), spec);
    simple_fields(errors, path, spec);
    windows::of_system(errors, path, spec);
    env::files(errors, path, spec);
}

fn gates(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    for (i, gate) in list(&spec.readiness_gates).iter().enumerate() {
        qualified(errors, &path.child("readinessGates").index(i).child("conditionType"), &gate.condition_type);
    }
    let gates = list(&spec.scheduling_gates);
    for (i, gate) in gates.iter().enumerate() {
        let at = path.child("schedulingGates").index(i);
        qualified(errors, &at, &gate.name);
        if gates[..i].contains(gate) {
            errors.duplicate(&at, gate.name.as_str());
        }
    }
}

fn simple_fields(errors: &mut Errors, path: &Path, spec: &PodSpec) {
    let named = |value: &Option<String>| text(value).to_owned();
    for (field, value) in
        [("serviceAccountName", named(&spec.service_account_name)), ("nodeName", named(&spec.node_name))]
    {
        optional(errors, &path.child(field), &value, subdomain);
    }
    if let Some(seconds) = spec.active_deadline_seconds {
        let at = path.child("activeDeadlineSeconds");
        each(errors, &at, seconds, names::is_in_range(seconds, 1, i32::MAX.into()));
    }
    optional(errors, &path.child("hostname"), text(&spec.hostname), label);
    optional(errors, &path.child("subdomain"), text(&spec.subdomain), label);
    taint::tolerations(errors, &path.child("tolerations"), &spec.tolerations);
    network::host_aliases(errors, &path.child("hostAliases"), list(&spec.host_aliases));
    optional(errors, &path.child("priorityClassName"), text(&spec.priority_class_name), subdomain);
    if let Some(class) = &spec.runtime_class_name {
        subdomain(errors, &path.child("runtimeClassName"), class);
    }
    scheduling::preemption_policy(errors, &path.child("preemptionPolicy"), &spec.preemption_policy);
    // as if they were a container's limits
    let overhead = ResourceRequirements { limits: spec.overhead.clone(), ..ResourceRequirements::default() };
    resources::validate(errors, &path.child("overhead"), &overhead);
    if let Some(os) = &spec.os {
        let at = path.child("os");
        if os.name.is_empty() {
            errors.required(&at.child("name"), "");
        } else {
            supported(errors, &at, &os.name, &["linux", "windows"]);
        }
    }
}

fn optional(errors: &mut Errors, path: &Path, value: &str, rule: fn(&mut Errors, &Path, &str)) {
    if !value.is_empty() {
        rule(errors, path, value);
    }
}
