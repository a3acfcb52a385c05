//! What can go wrong in a command, as people read it.

use std::path::PathBuf;

use nakhoda_api::{GroupVersionKind, Reason, Status};
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
    /// A file cannot be written.
    #[error("cannot write {path}")]
    Write {
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
    #[error(transparent)]
    JsonPath(#[from] nakhoda_api::jsonpath::TemplateError),
    /// The server's answer cannot be read.
    #[error("the server's answer cannot be read")]
    Answer(#[source] serde_json::Error),
    /// An archive is no image archive.
    #[error(transparent)]
    Archive(#[from] crate::archive::Broken),
    /// A program cannot be started.
    #[error("cannot start {program}")]
    Start {
        /// Which.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// What was waited for did not come.
    #[error("timed out waiting for the condition on {0}")]
    TimedOut(String),
    /// The terminal, or a local connection.
    #[error("{what}")]
    Local {
        /// What was done.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Certificates.
    #[error(transparent)]
    Pki(#[from] PkiError),
}

// === impl Error ===

impl Error {
    /// Whether the server says that the object is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_not_found())
    }
}

/// The error as kubectl words it, with its causes, in one line where it has no list of causes.
#[must_use]
pub fn sentence(error: &Error) -> String {
    if let Error::Client(nakhoda_client::Error::Api(status)) = error {
        return refusal(status);
    }
    let mut text = format!("error: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

/// `Error from server (NotFound): …`; an invalid object is told field by field.
fn refusal(status: &Status) -> String {
    if let (Some(Reason::Invalid), Some(details)) = (status.reason, &status.details) {
        let mut text = match details.kind.as_str() {
            "" => "The request is invalid".to_owned(),
            kind => format!("The {kind} {:?} is invalid", details.name),
        };
        match details.causes.as_slice() {
            [] => {}
            [one] => text.push_str(&format!(": {}: {}", one.field, one.message)),
            many => {
                text.push_str(": ");
                text.extend(many.iter().map(|cause| format!("\n* {}: {}", cause.field, cause.message)));
            }
        }
        return text;
    }
    match status.reason {
        Some(reason) => format!("Error from server ({reason:?}): {}", status.message),
        None => format!("Error from server: {}", status.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::field::{Errors, Path as Field};
    use nakhoda_api::{GroupKind, GroupResource};

    #[test]
    fn refusals_are_worded_as_kubectl_words_them() {
        let status = Status::not_found(&GroupResource::new("", "pods"), "x");
        assert_eq!(refusal(&status), "Error from server (NotFound): pods \"x\" not found");
        let mut errors = Errors::default();
        errors.invalid(&Field::new("spec").child("replicas"), -1, "must be greater than or equal to 0");
        let kind = GroupKind { group: "apps".into(), kind: "Deployment".into() };
        assert_eq!(
            refusal(&Status::invalid(&kind, "x", &errors)),
            "The Deployment \"x\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
        );
    }
}
