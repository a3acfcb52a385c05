//! A container's configuration, as the runtime is told it.

use std::collections::HashMap;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::{Container, Pod};

use super::{mounts, security, spec};
use crate::cri::v1;
use crate::env;
use crate::host::Host;
use crate::labels;
use crate::resources;

/// Why a container cannot be configured.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its environment cannot be made.
    #[error(transparent)]
    Env(#[from] env::Error),
    /// Its mounts cannot be made.
    #[error(transparent)]
    Mounts(#[from] mounts::Error),
    /// It may not run as it would.
    #[error(transparent)]
    Security(#[from] security::Error),
}

/// What a configuration is made of beside the specification.
pub struct Parts<'a> {
    /// The node.
    pub host: &'a Host,
    /// Whose container.
    pub pod: &'a Pod,
    /// Which container.
    pub container: &'a Container,
    /// The container whose processes it sees, by id.
    pub target: Option<&'a str>,
    /// How often it was started before.
    pub restarts: i32,
    /// Its image.
    pub image: &'a v1::Image,
    /// The pod's volumes, as they are mounted.
    pub volumes: &'a HashMap<String, PathBuf>,
    /// The pod's addresses.
    pub ips: &'a [String],
}

/// The configuration.
pub async fn config(parts: &Parts<'_>) -> Result<v1::ContainerConfig, Error> {
    let Parts { host, pod, container, target, restarts, image, volumes, ips } = *parts;
    let variables = env::of(&*host.cluster, pod, container, &host.facts(ips)).await?;
    let mut mounts = mounts::of(host, pod, container, volumes, &variables, ips)?;
    let message = mounts::message_file(host, pod, container)?;
    let message_path =
        container.termination_message_path.as_deref().filter(|p| !p.is_empty()).unwrap_or("/dev/termination-log");
    mounts.push(mounts::plain(message_path, &message));
    let lookup = |name: &str| variables.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let expanded = |list: &Option<Vec<String>>| list.iter().flatten().map(|word| env::expand(word, lookup)).collect();
    let given = container.image.clone().unwrap_or_default();
    Ok(v1::ContainerConfig {
        metadata: Some(v1::ContainerMetadata { name: container.name.clone(), attempt: restarts.unsigned_abs() }),
        image: Some(v1::ImageSpec { image: image.id.clone(), user_specified_image: given, ..Default::default() }),
        command: expanded(&container.command),
        args: expanded(&container.args),
        working_dir: container.working_dir.clone().unwrap_or_default(),
        envs: variables.iter().map(|(k, v)| v1::KeyValue { key: k.clone(), value: v.clone().into_bytes() }).collect(),
        mounts,
        labels: labels::of_container(pod, container),
        annotations: labels::annotations(container, restarts, &message.display().to_string()),
        log_path: format!("{}/{restarts}.log", container.name),
        stdin: container.stdin == Some(true),
        stdin_once: container.stdin_once == Some(true),
        tty: container.tty == Some(true),
        linux: Some(v1::LinuxContainerConfig {
            resources: Some(resources::container(pod, spec::of(pod), container, host.capacity.memory)),
            security_context: Some(security::of_container(pod, container, image, target)?),
        }),
        ..Default::default()
    })
}
