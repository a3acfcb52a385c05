//! What can go wrong between a caller and the API server.

use nakhoda_api::{Reason, Status};

/// The outcome of a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused, or could not be reached; the code says which.
    #[error("{0}")]
    Api(Box<Status>),
    /// What travelled does not fit its type: the two sides disagree about the kind.
    #[error("cannot decode {what}")]
    Decode {
        /// What was being read.
        what: String,
        /// Why it does not fit.
        #[source]
        source: serde_json::Error,
    },
}

// === impl Error ===

impl Error {
    /// 404: the object, or the resource, does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.is(Reason::NotFound)
    }

    /// 409: the object has changed, or leadership has moved; read again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.is(Reason::Conflict)
    }

    /// 409: the name is taken.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        self.is(Reason::AlreadyExists)
    }

    /// 410: the history asked for is gone; list again.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.status().is_some_and(|s| s.code == 410 || s.is(Reason::Expired) || s.is(Reason::Gone))
    }

    /// 403.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.is(Reason::Forbidden)
    }

    /// Whether the reason is this one.
    #[must_use]
    pub fn is(&self, reason: Reason) -> bool {
        self.status().is_some_and(|s| s.is(reason))
    }

    /// The API server's answer, if it is one.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Api(status) => Some(status),
            Self::Decode { .. } => None,
        }
    }

    pub(crate) fn decode(what: impl Into<String>) -> impl FnOnce(serde_json::Error) -> Self {
        |source| Self::Decode { what: what.into(), source }
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self::Api(Box::new(status))
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        nakhoda_rpc::status::from_tonic(&status).into()
    }
}
