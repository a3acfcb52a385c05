//! Volumes of a pod: a registry with one file for each type, and what they share.
//!
//! Each type says which volumes are its own and brings one of them to its directory. Setting up again
//! is how content is refreshed, so it changes nothing that is as it should be.

pub mod atomic;
pub mod owner;
pub mod tmpfs;

use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{Pod, Volume};

use crate::downward::{self, Facts};
use crate::pod::spec;
use crate::source::{self, Cluster};

/// Why a volume is not there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API does not have what is referred to.
    #[error(transparent)]
    Api(#[from] source::Error),
    /// A key is not in the object.
    #[error("references non-existent {kind} key: {key}")]
    NoKey {
        /// `config` or `secret`.
        kind: &'static str,
        /// Which key.
        key: String,
    },
    /// A field means nothing.
    #[error(transparent)]
    Downward(#[from] downward::Error),
    /// The file system said no.
    #[error("{attempt} {path}: {source}")]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// Where.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A host path is not of the type that was asked for.
    #[error("hostPath type check failed: {path} is not {wanted}")]
    HostPath {
        /// Which path.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
    },
    /// No such type here.
    #[error("volume {0:?} is of a type that this kubelet does not support")]
    Unsupported(String),
}

/// What setting up may use.
pub struct Setup<'a> {
    /// The API.
    pub cluster: &'a dyn Cluster,
    /// Whose volume.
    pub pod: &'a Pod,
    /// Which volume.
    pub volume: &'a Volume,
    /// Its own directory.
    pub dir: PathBuf,
    /// The node's facts.
    pub facts: &'a Facts<'a>,
}

/// A type of volume.
pub struct Plugin {
    /// Upstream's name, part of the directory's.
    pub name: &'static str,
    /// Whether a volume is of this type.
    pub owns: fn(&Volume) -> bool,
    /// Brings a volume to its directory and gives the path to mount.
    pub set_up: for<'a> fn(&'a Setup<'a>) -> BoxFuture<'a, Result<PathBuf, Error>>,
}

/// Emits `mod` and table from one list.
macro_rules! volumes {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*
        /// Every type.
        pub static PLUGINS: &[Plugin] = &[$($module::PLUGIN),*];
    };
}

volumes! { claim, config_map, downward_api, empty_dir, host_path, projected, secret }

/// Sets up one volume and gives the path to mount.
pub async fn set_up(setup: &mut Setup<'_>, base: &Path) -> Result<PathBuf, Error> {
    let found = PLUGINS.iter().find(|plugin| (plugin.owns)(setup.volume));
    let plugin = found.ok_or_else(|| Error::Unsupported(setup.volume.name.clone()))?;
    setup.dir = base.join(plugin.name.replace('/', "~")).join(&setup.volume.name);
    (plugin.set_up)(setup).await
}

/// Unmounts and removes all volumes of a pod.
pub fn tear_down(base: &Path) -> Result<(), Error> {
    tmpfs::unmount_below(base)?;
    match std::fs::remove_dir_all(base) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("remove", base)(error)),
        _ => Ok(()),
    }
}

/// The group that files are given to, if the pod names one.
fn fs_group(pod: &Pod) -> Option<u32> {
    let group = spec::of(pod).security_context.as_ref()?.fs_group?;
    u32::try_from(group).ok()
}

/// For `map_err`.
fn io(attempt: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io { attempt, path, source }
}
