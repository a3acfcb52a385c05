//! The sandbox of a pod: what the runtime is told of it. The sandbox holds the pod's network and its
//! place in the cgroup tree. Absent: user namespaces.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::Pod;

use super::{security, spec};
use crate::cri::v1;
use crate::host::Host;
use crate::labels;
use crate::resources::{self, Qos};
use crate::{cri, dns, hosts, source};

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The class of its runtime is not known.
    #[error("{0}")]
    Class(#[from] source::Error),
    /// The runtime said no.
    #[error("rpc error: code = {:?} desc = {}", .0.status.code(), .0.status.message())]
    Runtime(#[from] cri::Error),
}

/// A pod's place in the cgroup tree.
#[must_use]
pub fn cgroup(host: &Host, pod: &Pod) -> String {
    host.cgroups.parent(Qos::of(spec::of(pod)), spec::uid(pod))
}

/// The configuration of the pod's `attempt`th sandbox.
#[must_use]
pub fn config(host: &Host, pod: &Pod, attempt: u32) -> v1::PodSandboxConfig {
    let pod_spec = spec::of(pod);
    let resolver = std::fs::read_to_string(&host.dns.resolv_conf).unwrap_or_default();
    let sysctls = pod_spec.security_context.as_ref().and_then(|c| c.sysctls.as_ref()).into_iter().flatten();
    v1::PodSandboxConfig {
        metadata: Some(v1::PodSandboxMetadata {
            name: spec::name(pod).into(),
            uid: spec::uid(pod).into(),
            namespace: spec::namespace(pod).into(),
            attempt,
        }),
        hostname: if spec::host_network(pod_spec) {
            String::new()
        } else {
            hosts::hostname(pod, &host.name, &host.dns.domain)
        },
        log_directory: host.paths.pod_logs(pod).display().to_string(),
        dns_config: Some(dns::of(&host.dns, pod, dns::parse(&resolver))),
        labels: labels::of_pod(pod),
        annotations: annotations(pod),
        linux: Some(v1::LinuxPodSandboxConfig {
            cgroup_parent: cgroup(host, pod),
            security_context: Some(security::of_sandbox(pod)),
            sysctls: sysctls.map(|s| (s.name.replace('/', "."), s.value.clone())).collect(),
            ..Default::default()
        }),
    }
}

/// Makes the sandbox and gives its id.
pub async fn create(host: &Host, pod: &Pod, attempt: u32) -> Result<String, Error> {
    let class = spec::of(pod).runtime_class_name.as_deref().filter(|class| !class.is_empty());
    let handler = match class {
        Some(class) => host.cluster.runtime_handler(class).await?,
        None => String::new(),
    };
    if let Err(error) = host.cgroups.create(&cgroup(host, pod), resources::pod(spec::of(pod))) {
        tracing::warn!(%error, pod = spec::full_name(pod), "the pod's cgroup is not limited");
    }
    let config = config(host, pod, attempt);
    if let Err(error) = std::fs::create_dir_all(&config.log_directory) {
        tracing::warn!(%error, directory = config.log_directory, "no log directory");
    }
    let id = host.cri.run_sandbox(config, handler).await?;
    host.owners.note(&id, spec::uid(pod));
    Ok(id)
}

fn annotations(pod: &Pod) -> HashMap<String, String> {
    pod.metadata.annotations.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
}
