//! What is mounted into a container: its volumes, `/etc/hosts`, and the file of its termination message.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod, VolumeMount};

use super::{spec, sub_path};
use crate::cri::v1;
use crate::env;
use crate::host::Host;
use crate::hosts;
use v1::MountPropagation;

const HOSTS: &str = "/etc/hosts";

/// Why something cannot be mounted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The pod has no such volume (the API server admits none such).
    #[error("cannot find volume {volume:?} to mount into container {container:?}")]
    NoVolume {
        /// Which volume.
        volume: String,
        /// Which container.
        container: String,
    },
    /// The sub-path leads out of the volume or cannot be made.
    #[error("failed to prepare subPath for volumeMount {volume:?} of container {container:?}: {why}")]
    SubPath {
        /// Which volume.
        volume: String,
        /// Which container.
        container: String,
        /// Why not.
        why: String,
    },
    /// The file system said no.
    #[error("cannot write {path}")]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
}

/// The mounts of a container whose environment is known.
pub fn of(
    host: &Host,
    pod: &Pod,
    container: &Container,
    volumes: &HashMap<String, PathBuf>,
    variables: &[(String, String)],
    ips: &[String],
) -> Result<Vec<v1::Mount>, Error> {
    let mut mounts = Vec::new();
    for (index, wanted) in container.volume_mounts.iter().flatten().enumerate() {
        let missing = || Error::NoVolume { volume: wanted.name.clone(), container: container.name.clone() };
        let base = volumes.get(&wanted.name).ok_or_else(missing)?;
        let place = host.paths.sub_paths(spec::uid(pod)).join(&container.name).join(index.to_string());
        mounts.push(volume(container, wanted, base, variables, &place)?);
    }
    if !mounts.iter().any(|m| m.container_path == HOSTS) {
        let path = hosts_file(host, pod, ips)?;
        mounts.push(plain(HOSTS, &path));
    }
    Ok(mounts)
}

/// Makes the file that a container writes its last words to.
pub fn message_file(host: &Host, pod: &Pod, container: &Container) -> Result<PathBuf, Error> {
    let dir = host.paths.container(spec::uid(pod), &container.name);
    let path = dir.join(format!("{:08x}", rand::random::<u32>()));
    let write = || {
        std::fs::create_dir_all(&dir)?;
        std::fs::write(&path, [])?;
        // Any user of the container may write it.
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666))
    };
    write().map_err(|source| Error::Io { path: path.clone(), source })?;
    Ok(path)
}

/// A writable bind mount of one file.
#[must_use]
pub fn plain(inside: &str, outside: &Path) -> v1::Mount {
    v1::Mount { container_path: inside.into(), host_path: outside.display().to_string(), ..Default::default() }
}

fn hosts_file(host: &Host, pod: &Pod, ips: &[String]) -> Result<PathBuf, Error> {
    let path = host.paths.hosts(spec::uid(pod));
    let aliases = spec::of(pod).host_aliases.as_deref().unwrap_or_default();
    let text = if spec::host_network(spec::of(pod)) {
        hosts::of_node(&std::fs::read_to_string(HOSTS).unwrap_or_default(), aliases)
    } else {
        hosts::managed(ips, &hosts::names(pod, &host.name, &host.dns.domain), aliases)
    };
    let io = |source| Error::Io { path: path.clone(), source };
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(io)?;
    }
    // Containers that run keep what they wrote: the file is made once for an address.
    let current = std::fs::read_to_string(&path).unwrap_or_default();
    if !current.starts_with(&text) {
        std::fs::write(&path, text).map_err(io)?;
    }
    Ok(path)
}

fn volume(
    container: &Container,
    wanted: &VolumeMount,
    base: &Path,
    variables: &[(String, String)],
    place: &Path,
) -> Result<v1::Mount, Error> {
    let fail = |why: String| Error::SubPath { volume: wanted.name.clone(), container: container.name.clone(), why };
    let sub = match (&wanted.sub_path_expr, &wanted.sub_path) {
        (Some(expression), _) if !expression.is_empty() => Some(expand(expression, variables).map_err(fail)?),
        (_, Some(path)) if !path.is_empty() => Some(path.clone()),
        _ => None,
    };
    let path = match sub {
        Some(sub) => {
            let found = sub_path::resolve(base, &sub).map_err(fail)?;
            sub_path::bind(&found, place).map_err(|error| fail(error.to_string()))?;
            place.to_path_buf()
        }
        None => base.to_path_buf(),
    };
    let propagation = match wanted.mount_propagation.as_deref() {
        Some("HostToContainer") => MountPropagation::PropagationHostToContainer,
        Some("Bidirectional") => MountPropagation::PropagationBidirectional,
        _ => MountPropagation::PropagationPrivate,
    };
    let slash = if wanted.mount_path.starts_with('/') { "" } else { "/" };
    Ok(v1::Mount {
        container_path: format!("{slash}{}", wanted.mount_path),
        host_path: path.display().to_string(),
        readonly: wanted.read_only == Some(true),
        propagation: propagation.into(),
        ..Default::default()
    })
}

fn expand(expression: &str, variables: &[(String, String)]) -> Result<String, String> {
    let missing = std::cell::Cell::new(false);
    let text = env::expand(expression, |name| {
        let value = variables.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        missing.set(missing.get() || value.is_none());
        value
    });
    if missing.get() { Err(format!("missing value for {expression:?}")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_needs_all_its_variables() {
        let variables = [("A".to_owned(), "x".to_owned())];
        assert_eq!(expand("p/$(A)", &variables).as_deref(), Ok("p/x"));
        assert!(expand("$(B)", &variables).is_err());
    }
}
