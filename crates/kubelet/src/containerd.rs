//! containerd: its channel, the instance that the kubelet owns, and the native services that CRI does
//! not offer (events, content, images, snapshots, tasks).

pub mod config;
pub mod events;
pub mod exec;
pub mod process;

use std::path::Path;

use tonic::transport::Channel;

/// The containerd namespace in which its CRI plugin keeps pods and images.
pub const NAMESPACE: &str = "k8s.io";

/// A native call that failed.
#[derive(Debug, thiserror::Error)]
#[error("containerd could not {attempt}: {}", .status.message())]
pub struct Error {
    /// What was attempted.
    pub attempt: String,
    /// What containerd said.
    #[source]
    pub status: Box<tonic::Status>,
}

// === impl Error ===

impl Error {
    /// For `map_err`.
    pub fn attempting(attempt: impl Into<String>) -> impl FnOnce(tonic::Status) -> Self {
        let attempt = attempt.into();
        move |status| Self { attempt, status: Box::new(status) }
    }

    /// Whether containerd does not know the object.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status.code() == tonic::Code::NotFound
    }

    /// Whether the object was there before.
    #[must_use]
    pub fn already_exists(&self) -> bool {
        self.status.code() == tonic::Code::AlreadyExists
    }
}

/// A channel to the runtime's socket; it reconnects by itself.
pub async fn connect(socket: &Path) -> Result<Channel, tonic::transport::Error> {
    containerd_client::connect(socket).await
}

/// A native request in the namespace of CRI.
pub fn request<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("containerd-namespace", tonic::metadata::MetadataValue::from_static(NAMESPACE));
    request
}
