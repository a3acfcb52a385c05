//! Pod: containers that run together on one node. Most of its spec stands once it is made; its kubelet
//! writes the status. What is valid lies in [`crate::rules::pod`].

use nakhoda_api::qos;
use nakhoda_api::Scope;
use nakhoda_api::field::Errors;
use nakhoda_api::kinds::core::{Pod, PodCondition, PodIP, PodSpec, PodStatus};

use crate::kind::{Columns, Cx, Fields, Info, Kind, STATUS, Sub};
use crate::kinds::core::node::PROXY_VERBS;
use crate::rules::check::{keep_status, list, text};
use crate::rules::{defaults, pod};

mod cells;
mod reason;

/// The kind.
pub struct Pods;

const STREAM_VERBS: &[&str] = &["create", "get"];

const SUBRESOURCES: &[Sub] = &[
    Sub { name: "attach", verbs: STREAM_VERBS, kind: Some(("", "v1", "PodAttachOptions")) },
    Sub { name: "binding", verbs: &["create"], kind: Some(("", "v1", "Binding")) },
    Sub { name: "ephemeralcontainers", ..STATUS },
    Sub { name: "eviction", verbs: &["create"], kind: Some(("policy", "v1", "Eviction")) },
    Sub { name: "exec", verbs: STREAM_VERBS, kind: Some(("", "v1", "PodExecOptions")) },
    Sub { name: "log", verbs: &["get"], kind: None },
    Sub { name: "portforward", verbs: STREAM_VERBS, kind: Some(("", "v1", "PodPortForwardOptions")) },
    Sub { name: "proxy", verbs: PROXY_VERBS, kind: Some(("", "v1", "PodProxyOptions")) },
    Sub { name: "resize", ..STATUS },
    STATUS,
];

/// Most of a pod, and nothing that [`cells`] or [`reason`] look at.
const UNPRINTED: &[&str] = &[
    "affinity",
    "allocatedResources",
    "annotations",
    "args",
    "command",
    "env",
    "envFrom",
    "labels",
    "lifecycle",
    "livenessProbe",
    "managedFields",
    "ownerReferences",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "startupProbe",
    "tolerations",
    "topologySpreadConstraints",
    "volumeMounts",
    "volumes",
];

impl Kind for Pods {
    type Object = Pod;

    fn info() -> Info {
        Info {
            short: &["po"],
            categories: &["all"],
            subresources: SUBRESOURCES,
            resets: &[(
                "status",
                &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
            )],
            generation: true,
            returns_deleted: true,
            ..Info::of::<Pod>("pods", "pod", Scope::Namespaced)
        }
    }

    fn default(pod: &mut Pod) {
        let spec = pod.spec.get_or_insert_default();
        defaults::pod(spec);
        // of a pod, not of a template: what is less than nothing is a second
        spec.termination_grace_period_seconds =
            spec.termination_grace_period_seconds.map(|seconds| if seconds < 0 { 1 } else { seconds });
        if let Some(status) = &mut pod.status {
            defaults::status(status);
            let PodStatus { pod_ip, pod_ips, .. } = status;
            let mut all = pod_ips.take().map(|ips| ips.into_iter().map(|a| a.ip).collect());
            defaults::both_forms(pod_ip, &mut all);
            *pod_ips = all.map(|ips: Vec<String>| ips.into_iter().map(|ip| PodIP { ip }).collect());
        }
    }

    fn prepare(cx: &Cx, new: &mut Pod, old: Option<&Pod>) {
        match old {
            None => {
                new.status = Some(first_status(cx, new.spec.as_ref()));
                pod::label_keys::merge(new);
            }
            Some(old) => {
                keep_status(cx, &mut new.status, Some(&old.status));
                match cx.subresource.as_str() {
                    "status" => keep_in_status(new, old),
                    "ephemeralcontainers" => pod::ephemeral::keep(new, old),
                    "resize" => pod::resize::keep(new, old),
                    _ => {}
                }
            }
        }
    }

    fn validate(cx: &Cx, new: &Pod, old: Option<&Pod>, errors: &mut Errors) {
        match (cx.subresource.as_str(), old) {
            ("", None) => pod::create(errors, new),
            ("", Some(old)) => pod::update::validate(errors, new, old),
            ("status", Some(old)) => pod::status::validate(errors, new, old),
            ("ephemeralcontainers", Some(old)) => pod::ephemeral::validate(errors, new, old),
            ("resize", Some(old)) => pod::resize::validate(errors, new, old),
            _ => {}
        }
    }

    fn warnings(new: &Pod, old: Option<&Pod>) -> Vec<String> {
        if old.is_some() { Vec::new() } else { pod::warnings::pod(new) }
    }

    const PLAIN_FIELDS: bool = true;

    fn fields(pod: &Pod) -> Fields {
        let spec = |of: fn(&PodSpec) -> &Option<String>| pod.spec.as_ref().map_or("", |s| text(of(s))).to_owned();
        let status = |of: fn(&PodStatus) -> &Option<String>| pod.status.as_ref().map_or("", |s| text(of(s))).to_owned();
        let host = pod.spec.as_ref().and_then(|s| s.host_network).unwrap_or(false);
        vec![
            ("spec.nodeName", spec(|s| &s.node_name)),
            ("spec.restartPolicy", spec(|s| &s.restart_policy)),
            ("spec.schedulerName", spec(|s| &s.scheduler_name)),
            ("spec.serviceAccountName", spec(|s| &s.service_account_name)),
            ("spec.hostNetwork", host.to_string()),
            ("status.phase", status(|s| &s.phase)),
            ("status.podIP", status(|s| &s.pod_ip)),
            ("status.nominatedNodeName", status(|s| &s.nominated_node_name)),
        ]
    }

    fn columns() -> Columns<Pod> {
        cells::columns()
    }

    const UNPRINTED: &'static [&'static str] = UNPRINTED;

    /// A pod that no kubelet runs, or no longer runs, goes at once.
    fn grace(pod: &Pod, asked: Option<i64>) -> Option<i64> {
        let spec = pod.spec.as_ref();
        let phase = pod.status.as_ref().map_or("", |s| text(&s.phase));
        if spec.is_none_or(|s| text(&s.node_name).is_empty()) || ["Failed", "Succeeded"].contains(&phase) {
            return Some(0);
        }
        let seconds = asked.or_else(|| spec?.termination_grace_period_seconds).unwrap_or(0);
        Some(if seconds < 0 { 1 } else { seconds })
    }
}

fn first_status(cx: &Cx, spec: Option<&PodSpec>) -> PodStatus {
    let spec = spec.cloned().unwrap_or_default();
    let gated = (!list(&spec.scheduling_gates).is_empty()).then(|| {
        vec![PodCondition {
            type_: "PodScheduled".into(),
            status: "False".into(),
            reason: Some("SchedulingGated".into()),
            message: Some("Scheduling is blocked due to non-empty scheduling gates".into()),
            last_transition_time: Some(nakhoda_api::time::time(cx.now)),
            ..PodCondition::default()
        }]
    });
    PodStatus {
        phase: Some("Pending".into()),
        qos_class: Some(qos::class(&spec).into()),
        conditions: gated,
        ..PodStatus::default()
    }
}

/// What a writer of the status cannot change or unset.
fn keep_in_status(new: &mut Pod, old: &Pod) {
    new.metadata.owner_references.clone_from(&old.metadata.owner_references);
    let (Some(status), Some(old)) = (&mut new.status, &old.status) else { return };
    if text(&status.qos_class).is_empty() {
        status.qos_class.clone_from(&old.qos_class);
    }
    if status.observed_generation.unwrap_or(0) == 0 {
        status.observed_generation = old.observed_generation;
    }
    for condition in status.conditions.iter_mut().flatten().filter(|c| c.observed_generation.unwrap_or(0) == 0) {
        let before = list(&old.conditions).iter().find(|c| c.type_ == condition.type_);
        condition.observed_generation = before.and_then(|c| c.observed_generation);
    }
}

#[cfg(test)]
mod tests;
