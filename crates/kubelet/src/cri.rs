//! The Container Runtime Interface: the only module that knows it by name.
//!
//! Everything else in this crate sees [`Cri`] and the messages re-exported here. The channel is
//! containerd's own and reconnects by itself, so a runtime that was restarted is simply reached again.

use std::collections::HashMap;

use tonic::transport::Channel;

use v1::image_service_client::ImageServiceClient;
use v1::runtime_service_client::RuntimeServiceClient;

/// The generated messages of `proto/cri`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery, reason = "generated")]
pub mod v1 {
    tonic::include_proto!("runtime.v1");
}

/// A call to the runtime that failed.
#[derive(Debug, thiserror::Error)]
#[error("{} failed: {}", .attempt, .status.message())]
pub struct Error {
    /// Which call.
    pub attempt: &'static str,
    /// What the runtime said.
    #[source]
    pub status: Box<tonic::Status>,
}

/// A client of both CRI services. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cri {
    runtime: RuntimeServiceClient<Channel>,
    images: ImageServiceClient<Channel>,
}

// === impl Error ===

impl Error {
    /// Whether the runtime does not know the object.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status.code() == tonic::Code::NotFound
    }
}

/// Names the attempt in the error and unwraps the answer.
macro_rules! call {
    ($client:expr, $method:ident, $request:expr) => {
        match $client.clone().$method($request).await {
            Ok(answer) => Ok(answer.into_inner()),
            Err(status) => Err(Error { attempt: stringify!($method), status: Box::new(status) }),
        }
    };
}

// === impl Cri ===

impl Cri {
    /// Speaks over a channel to the runtime's socket.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self {
            runtime: RuntimeServiceClient::new(channel.clone()).max_decoding_message_size(64 << 20),
            images: ImageServiceClient::new(channel).max_decoding_message_size(64 << 20),
        }
    }

    /// Name and version of the runtime.
    pub async fn version(&self) -> Result<v1::VersionResponse, Error> {
        call!(self.runtime, version, v1::VersionRequest { version: "v1".into() })
    }

    /// The runtime's conditions; with `verbose` its configuration too.
    pub async fn status(&self, verbose: bool) -> Result<v1::StatusResponse, Error> {
        call!(self.runtime, status, v1::StatusRequest { verbose })
    }

    /// Makes the sandbox of a pod, with its network, and gives its id; `handler` names the runtime, if it is not the
    /// usual one.
    pub async fn run_sandbox(&self, config: v1::PodSandboxConfig, handler: String) -> Result<String, Error> {
        let request = v1::RunPodSandboxRequest { config: Some(config), runtime_handler: handler };
        call!(self.runtime, run_pod_sandbox, request).map(|r| r.pod_sandbox_id)
    }

    /// Stops a sandbox with all that is in it. Unknown ones count as stopped.
    pub async fn stop_sandbox(&self, id: &str) -> Result<(), Error> {
        gone_is_fine(call!(self.runtime, stop_pod_sandbox, v1::StopPodSandboxRequest { pod_sandbox_id: id.into() }))
    }

    /// Removes a sandbox with all that is in it. Unknown ones count as removed.
    pub async fn remove_sandbox(&self, id: &str) -> Result<(), Error> {
        gone_is_fine(call!(self.runtime, remove_pod_sandbox, v1::RemovePodSandboxRequest { pod_sandbox_id: id.into() }))
    }

    /// State and addresses of one sandbox.
    pub async fn sandbox_status(&self, id: &str) -> Result<Option<v1::PodSandboxStatus>, Error> {
        let request = v1::PodSandboxStatusRequest { pod_sandbox_id: id.into(), verbose: false };
        none_if_gone(call!(self.runtime, pod_sandbox_status, request)).map(|r| r.and_then(|r| r.status))
    }

    /// The process that holds a sandbox's namespaces.
    pub async fn sandbox_pid(&self, id: &str) -> Result<Option<u32>, Error> {
        #[derive(serde::Deserialize)]
        struct Info {
            pid: u32,
        }
        let request = v1::PodSandboxStatusRequest { pod_sandbox_id: id.into(), verbose: true };
        let answer = none_if_gone(call!(self.runtime, pod_sandbox_status, request))?;
        let info = answer.and_then(|mut answer| answer.info.remove("info"));
        Ok(info.and_then(|text| serde_json::from_str::<Info>(&text).ok()).map(|info| info.pid).filter(|pid| *pid > 0))
    }

    /// The sandboxes that carry these labels.
    pub async fn sandboxes(&self, labels: HashMap<String, String>) -> Result<Vec<v1::PodSandbox>, Error> {
        let filter = v1::PodSandboxFilter { id: String::new(), label_selector: labels };
        call!(self.runtime, list_pod_sandbox, v1::ListPodSandboxRequest { filter: Some(filter) }).map(|r| r.items)
    }

    /// Makes a container in a sandbox and gives its id.
    pub async fn create_container(&self, request: v1::CreateContainerRequest) -> Result<String, Error> {
        call!(self.runtime, create_container, request).map(|r| r.container_id)
    }

    /// Starts a container that was made.
    pub async fn start_container(&self, id: &str) -> Result<(), Error> {
        call!(self.runtime, start_container, v1::StartContainerRequest { container_id: id.into() }).map(drop)
    }

    /// Sends the stop signal, and the kill after `timeout` seconds. Unknown ones count as stopped.
    pub async fn stop_container(&self, id: &str, timeout: i64) -> Result<(), Error> {
        let request = v1::StopContainerRequest { container_id: id.into(), timeout };
        gone_is_fine(call!(self.runtime, stop_container, request))
    }

    /// Removes a container that has ended. Unknown ones count as removed.
    pub async fn remove_container(&self, id: &str) -> Result<(), Error> {
        gone_is_fine(call!(self.runtime, remove_container, v1::RemoveContainerRequest { container_id: id.into() }))
    }

    /// The containers that carry these labels.
    pub async fn containers(&self, labels: HashMap<String, String>) -> Result<Vec<v1::Container>, Error> {
        let filter = v1::ContainerFilter { label_selector: labels, ..Default::default() };
        call!(self.runtime, list_containers, v1::ListContainersRequest { filter: Some(filter) }).map(|r| r.containers)
    }

    /// State, exit code and times of one container.
    pub async fn container_status(&self, id: &str) -> Result<Option<v1::ContainerStatus>, Error> {
        let request = v1::ContainerStatusRequest { container_id: id.into(), verbose: false };
        none_if_gone(call!(self.runtime, container_status, request)).map(|r| r.and_then(|r| r.status))
    }

    /// Changes what a container that runs is limited to.
    pub async fn update_container(&self, id: &str, linux: v1::LinuxContainerResources) -> Result<(), Error> {
        let request = v1::UpdateContainerResourcesRequest { container_id: id.into(), linux: Some(linux) };
        call!(self.runtime, update_container_resources, request).map(drop)
    }

    /// Makes the runtime write to a fresh log file, after the old one was moved away.
    pub async fn reopen_log(&self, id: &str) -> Result<(), Error> {
        call!(self.runtime, reopen_container_log, v1::ReopenContainerLogRequest { container_id: id.into() }).map(drop)
    }

    /// Runs a command to its end; `timeout` in seconds.
    pub async fn exec_sync(&self, id: &str, cmd: Vec<String>, timeout: i64) -> Result<v1::ExecSyncResponse, Error> {
        call!(self.runtime, exec_sync, v1::ExecSyncRequest { container_id: id.into(), cmd, timeout })
    }

    /// A URL at which the runtime attaches to a container.
    pub async fn attach_url(&self, request: v1::AttachRequest) -> Result<String, Error> {
        call!(self.runtime, attach, request).map(|r| r.url)
    }

    /// What containers use now.
    pub async fn container_stats(&self) -> Result<Vec<v1::ContainerStats>, Error> {
        call!(self.runtime, list_container_stats, v1::ListContainerStatsRequest { filter: None }).map(|r| r.stats)
    }

    /// What a sandbox uses now.
    pub async fn sandbox_stats(&self, id: &str) -> Result<Vec<v1::PodSandboxStats>, Error> {
        let filter = v1::PodSandboxStatsFilter { id: id.into(), ..Default::default() };
        let request = v1::ListPodSandboxStatsRequest { filter: Some(filter) };
        call!(self.runtime, list_pod_sandbox_stats, request).map(|r| r.stats)
    }

    /// All images.
    pub async fn images(&self) -> Result<Vec<v1::Image>, Error> {
        call!(self.images, list_images, v1::ListImagesRequest { filter: None }).map(|r| r.images)
    }

    /// The image that a name or id means here, if it is here.
    pub async fn image(&self, name: &str) -> Result<Option<v1::Image>, Error> {
        let request = v1::ImageStatusRequest { image: Some(image_spec(name)), verbose: false };
        none_if_gone(call!(self.images, image_status, request)).map(|r| r.and_then(|r| r.image))
    }

    /// Fetches an image and gives its id.
    pub async fn pull(&self, request: v1::PullImageRequest) -> Result<String, Error> {
        call!(self.images, pull_image, request).map(|r| r.image_ref)
    }

    /// Removes an image. Unknown ones count as removed.
    pub async fn remove_image(&self, name: &str) -> Result<(), Error> {
        gone_is_fine(call!(self.images, remove_image, v1::RemoveImageRequest { image: Some(image_spec(name)) }))
    }

    /// What images use of the disk.
    pub async fn image_fs(&self) -> Result<Vec<v1::FilesystemUsage>, Error> {
        call!(self.images, image_fs_info, v1::ImageFsInfoRequest {}).map(|r| r.image_filesystems)
    }
}

/// The message form of an image name.
#[must_use]
pub fn image_spec(name: &str) -> v1::ImageSpec {
    v1::ImageSpec { image: name.into(), ..Default::default() }
}

fn gone_is_fine<T>(result: Result<T, Error>) -> Result<(), Error> {
    none_if_gone(result).map(drop)
}

fn none_if_gone<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
