//! What can go wrong in a command, as people read it.

use std::path::PathBuf;

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
