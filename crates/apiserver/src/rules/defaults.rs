//! Defaults of pods and pod templates (`pkg/apis/core/v1/defaults.go`).

use std::collections::BTreeMap;

use nakhoda_api::kinds::core::{PodSpec, PodStatus, PodTemplateSpec};
use nakhoda_api::kinds::{self, core};
use nakhoda_api::quantity::Quantity;

mod containers;
pub(crate) mod volumes;

/// Amounts of resources by name.
pub type Resources = BTreeMap<String, kinds::Quantity>;

/// A template of pods.
pub fn template(template: &mut PodTemplateSpec) {
    pod_spec(template.spec.get_or_insert_default());
}

/// What pods and templates have in common.
pub fn pod_spec(spec: &mut PodSpec) {
    fill(&mut spec.dns_policy, "ClusterFirst");
    fill(&mut spec.restart_policy, "Always");
    fill(&mut spec.scheduler_name, "default-scheduler");
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds.get_or_insert(30);
    same_account(spec);
    for volume in spec.volumes.iter_mut().flatten() {
        volumes::volume(volume);
    }
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        containers::container(container);
    }
    for container in spec.ephemeral_containers.iter_mut().flatten() {
        containers::ephemeral(container);
    }
    quantities(&mut spec.overhead);
    if let Some(resources) = &mut spec.resources {
        containers::resources(resources);
    }
}

/// What only pods have: requests follow limits, and host ports follow container ports.
pub fn pod(spec: &mut PodSpec) {
    pod_spec(spec);
    spec.enable_service_links.get_or_insert(true);
    let host = spec.host_network == Some(true);
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        if let Some(core::ResourceRequirements { limits: Some(limits), requests, .. }) = &mut container.resources {
            let requests = requests.get_or_insert_default();
            for (name, limit) in limits.iter() {
                requests.entry(name.clone()).or_insert_with(|| limit.clone());
            }
        }
        for port in container.ports.iter_mut().flatten().filter(|p| host && p.host_port.unwrap_or(0) == 0) {
            port.host_port = Some(port.container_port);
        }
    }
}

/// Amounts in a pod's status.
pub fn status(status: &mut PodStatus) {
    let lists =
        [&mut status.init_container_statuses, &mut status.container_statuses, &mut status.ephemeral_container_statuses];
    lists.into_iter().flatten().flatten().for_each(containers::status);
}

/// Puts a text where none stands.
pub fn fill(slot: &mut Option<String>, text: &str) {
    if slot.as_deref().unwrap_or_default().is_empty() {
        *slot = Some(text.into());
    }
}

/// The same of a field that Go keeps behind a pointer: an empty text was meant, and is told of.
pub fn fill_absent(slot: &mut Option<String>, text: &str) {
    slot.get_or_insert_with(|| text.into());
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are always given out.
fn same_account(spec: &mut PodSpec) {
    let given = |s: &Option<String>| s.clone().filter(|s| !s.is_empty());
    let name = given(&spec.service_account_name).or_else(|| given(&spec.service_account));
    spec.service_account_name.clone_from(&name);
    spec.service_account = name;
}

/// One value, and the list of all of which it is the first. Who writes only the one means it.
pub fn both_forms(one: &mut Option<String>, all: &mut Option<Vec<String>>) {
    match (one.as_deref().unwrap_or_default(), all.as_ref().and_then(|a| a.first())) {
        ("", Some(first)) => *one = Some(first.clone()),
        ("", None) => {}
        (given, first) if first.is_none_or(|f| f != given) => *all = Some(vec![given.into()]),
        _ => {}
    }
}

/// Canonical form, rounded up to thousandths; what cannot be read is left to validation.
pub fn quantities(resources: &mut Option<Resources>) {
    for amount in resources.iter_mut().flatten().map(|(_, q)| q) {
        if let Ok(parsed) = Quantity::parse(&amount.0) {
            *amount = parsed.rounded_to_milli().into();
        }
    }
}

/// Whether an image without a policy is pulled each time: only if its tag is `latest`, said or not.
#[must_use]
pub fn pull_policy(image: &str) -> &'static str {
    // what is no reference has no tag
    if image.contains(|c: char| c.is_whitespace() || c == '!') {
        return "IfNotPresent";
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    let (tagged, digest) = last.split_once('@').map_or((last, false), |(name, _)| (name, true));
    match tagged.split_once(':') {
        Some((_, "latest")) => "Always",
        None if !digest && !image.is_empty() => "Always",
        _ => "IfNotPresent",
    }
}

#[cfg(test)]
mod tests;
