//! What can go wrong in a command, as people read it.

use std::path::PathBuf;

use nakhoda_api::GroupVersionKind;
use nakhoda_daemon::pki::PkiError;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No runtime.
    #[error("cannot start")]
    Runtime(#[source] std::io::Error),
    /// The kubeconfig does not say how to reach a cluster.
    #[error(transparent)]
    Config(#[from] nakhoda_client::ConfigError),
    /// The server refused, or did not answer.
    #[error(transparent)]
    Client(#[from] nakhoda_client::Error),
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file is not YAML.
    #[error("{path} is not valid YAML")]
    Yaml {
        /// Which file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The command line asks for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The server has no such resource.
    #[error("the server doesn't have a resource type {0:?}")]
    NoSuchResource(String),
    /// The server has no such kind.
    #[error("no matches for kind {:?} in version {:?}", .0.kind, .0.api_version())]
    NoSuchKind(GroupVersionKind),
    /// `-o` asks for what is not there.
    #[error(
        "unable to match a printer suitable for the output format {0:?}; formats are wide, yaml, json, name, jsonpath=…, custom-columns=…"
    )]
    Format(String),
    /// A template that cannot be read.
    #[error("error parsing jsonpath {template}: {why}")]
    JsonPath {
        /// It.
        template: String,
        /// Why not.
        why: String,
    },
    /// The server's answer cannot be read.
    #[error("the server's answer cannot be read")]
    Answer(#[source] serde_json::Error),
    /// Certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

/// The error with its causes in one line.
#[must_use]
pub fn sentence(error: &Error) -> String {
    let mut text = format!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}
