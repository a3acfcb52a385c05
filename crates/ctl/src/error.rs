//! What can go wrong in a command, as people read it.

use nakhoda_daemon::pki::PkiError;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No runtime.
    #[error("cannot start")]
    Runtime(#[source] std::io::Error),
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
