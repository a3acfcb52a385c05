//! Which plugins run, and how they are configured: `--enable-admission-plugins`, `--disable-admission-plugins` and
//! the AdmissionConfiguration of `--admission-control-config-file`.
//!
//! Absent: the plugins of [`ABSENT`], which can be named where they are not to run; kubeconfigs of webhooks in the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::{Chain, Usual, resource_quota};
use crate::quota;

/// Upstream's plugins that are not here.
pub const ABSENT: &[&str] = &["ImagePolicyWebhook", "JobValidation", "NodeDeclaredFeatureValidator", "PodNodeSelector"];
const GROUPS: [&str; 3] =
    ["apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1", "apiserver.config.k8s.io/v1alpha1"];

/// What is said of plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    enabled: BTreeSet<String>,
    disabled: BTreeSet<String>,
    /// By plugin.
    configurations: BTreeMap<String, Value>,
}

/// Why nothing can be selected so.
#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    /// A name that means nothing.
    #[error("{flag}-admission-plugins plugin {name:?} is unknown")]
    Unknown {
        /// `enable` or `disable`.
        flag: &'static str,
        /// Which name.
        name: String,
    },
    /// A plugin that is not here.
    #[error("enable-admission-plugins plugin {0:?} is not part of this server")]
    Absent(String),
    /// Both at once.
    #[error("[{0}] in enable-admission-plugins and disable-admission-plugins overlapped")]
    Both(String),
    /// The file, or one that it names, cannot be read.
    #[error("unable to read admission control configuration from {path:?}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is no YAML of the right shape.
    #[error("admission control configuration {path:?} cannot be understood")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<serde_saphyr::Error>,
    },
    /// It is something else.
    #[error("admission control configuration {path:?} is no AdmissionConfiguration but {found:?}")]
    Kind {
        /// Which file.
        path: PathBuf,
        /// Its version and kind.
        found: String,
    },
    /// A plugin does not take its configuration.
    #[error("couldn't init admission plugin {plugin:?}: {why}")]
    Configuration {
        /// Which plugin.
        plugin: String,
        /// Why not.
        why: String,
    },
}

/// An AdmissionConfiguration.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    plugins: Vec<Configured>,
}

#[derive(Deserialize)]
struct Configured {
    name: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    configuration: Value,
}

// === impl Selection ===

impl Selection {
    /// Reads flags.
    pub fn of(enable: &[String], disable: &[String], file: Option<&Path>) -> Result<Self, SelectionError> {
        let known: BTreeSet<&str> = super::all().iter().map(|(plugin, _)| plugin.name()).collect();
        let checked = |flag: &'static str, names: &[String]| {
            let unknown = names.iter().find(|name| !known.contains(name.as_str()) && !ABSENT.contains(&name.as_str()));
            match unknown {
                Some(name) => Err(SelectionError::Unknown { flag, name: name.clone() }),
                None => Ok(names.iter().cloned().collect::<BTreeSet<_>>()),
            }
        };
        let (enabled, disabled) = (checked("enable", enable)?, checked("disable", disable)?);
        if let Some(name) = enabled.iter().find(|name| ABSENT.contains(&name.as_str())) {
            return Err(SelectionError::Absent(name.clone()));
        }
        let both: Vec<&str> = enabled.intersection(&disabled).map(String::as_str).collect();
        if !both.is_empty() {
            return Err(SelectionError::Both(both.join(" ")));
        }
        Ok(Self { enabled, disabled, configurations: file.map(read).transpose()?.unwrap_or_default() })
    }

    /// The plugins that run, configured, in their order.
    pub fn chain(&self) -> Result<Chain, SelectionError> {
        let mut chain = Chain::default();
        for (mut plugin, usual) in super::all() {
            let name = plugin.name();
            let runs = match usual {
                Usual::Always => true,
                Usual::On => !self.disabled.contains(name),
                Usual::Off => self.enabled.contains(name),
            };
            if !runs {
                continue;
            }
            if let Some(configuration) = self.configurations.get(name) {
                plugin
                    .configure(configuration)
                    .map_err(|why| SelectionError::Configuration { plugin: name.into(), why })?;
            }
            chain.0.push(plugin);
        }
        Ok(chain)
    }

    /// What the quotas' plugin is told.
    pub fn quota(&self) -> Result<quota::Configuration, SelectionError> {
        let configuration = self.configurations.get(resource_quota::NAME).cloned().unwrap_or_default();
        let limited = resource_quota::limited(&configuration)
            .map_err(|why| SelectionError::Configuration { plugin: resource_quota::NAME.into(), why })?;
        Ok(quota::Configuration(limited.into()))
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Value>, SelectionError> {
    let file: File = parse(path)?;
    if file.kind != "AdmissionConfiguration" || !GROUPS.contains(&file.api_version.as_str()) {
        let found = format!("{} {}", file.api_version, file.kind);
        return Err(SelectionError::Kind { path: path.into(), found });
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let read = |plugin: Configured| {
        // a file of its own goes before what stands here
        let configuration =
            if plugin.path.is_empty() { plugin.configuration } else { parse(&folder.join(plugin.path))? };
        Ok((plugin.name, configuration))
    };
    file.plugins.into_iter().map(read).collect()
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, SelectionError> {
    let text = std::fs::read(path).map_err(|source| SelectionError::File { path: path.into(), source })?;
    serde_saphyr::from_slice(&text)
        .map_err(|source| SelectionError::Syntax { path: path.into(), source: Box::new(source) })
}

#[cfg(test)]
mod tests;
