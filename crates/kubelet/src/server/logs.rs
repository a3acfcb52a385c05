//! Which log a caller means, and reading it while its container runs.

use std::path::PathBuf;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use nakhoda_api::{GroupResource, Status};
use nakhoda_rpc::v1::LogsRequest;
use tokio::sync::mpsc;

use super::Server;
use crate::log::read::{self, Wish};
use crate::pod::core::View;
use crate::pod::observed::Seen;
use crate::pod::spec;

/// A log that is there to be read.
#[derive(Debug)]
pub struct Found {
    pod: (String, String),
    path: PathBuf,
    id: String,
    wish: Wish,
}

// === impl Server ===

impl Server {
    /// What is known of a pod.
    pub fn view(&self, namespace: &str, name: &str, uid: &str) -> Result<View, Status> {
        let missing = || Status::not_found(&GroupResource::new("", "pods"), name);
        self.manager.view(namespace, name, uid).ok_or_else(missing)
    }

    /// Finds the log.
    pub fn find_log(&self, request: &LogsRequest) -> Result<Found, Status> {
        let pod = request.pod.clone().unwrap_or_default();
        let view = self.view(&pod.namespace, &pod.name, &pod.uid)?;
        let container = match pod.container.as_str() {
            "" => spec::of(&view.pod).containers.first().map(|c| c.name.clone()).unwrap_or_default(),
            name => name.to_owned(),
        };
        let seen = choose(&view, &container, request.previous).map_err(Status::bad_request)?;
        let running = seen.is_running();
        Ok(Found {
            pod: (pod.namespace, pod.name),
            path: seen.status.log_path.clone().into(),
            id: seen.status.id.clone(),
            wish: Wish { follow: request.follow && running, ..wish(request, Timestamp::now())? },
        })
    }

    /// Sends a log piece by piece.
    pub async fn send_log(&self, found: Found, send: mpsc::Sender<Bytes>) -> std::io::Result<()> {
        let running = || {
            let view = self.manager.view(&found.pod.0, &found.pod.1, "");
            view.is_some_and(|view| view.observed.each().any(|seen| seen.status.id == found.id && seen.is_running()))
        };
        read::run(&found.path, &found.wish, &send, running).await
    }
}

/// The run of a container whose log is meant; the texts are upstream's.
fn choose<'a>(view: &'a View, container: &str, previous: bool) -> Result<&'a Seen, String> {
    let pod = spec::name(&view.pod);
    let all = view.observed.all(container);
    let status = view.pod.status.as_ref();
    let lists = [
        status.and_then(|s| s.container_statuses.as_ref()),
        status.and_then(|s| s.init_container_statuses.as_ref()),
        status.and_then(|s| s.ephemeral_container_statuses.as_ref()),
    ];
    let told = lists.into_iter().flatten().flatten().find(|s| s.name == container);
    if told.is_none() && all.is_empty() {
        return Err(format!("container {container:?} in pod {pod:?} is not available"));
    }
    let begun = |seen: &&Seen| seen.is_running() || seen.is_exited();
    if previous {
        // While a restart is waited for, the newest run is the previous one.
        let waits = told.and_then(|s| s.state.as_ref()).is_some_and(|s| s.waiting.is_some());
        let mut ended = all.iter().skip(usize::from(!waits)).filter(|seen| seen.is_exited());
        return ended
            .next()
            .ok_or_else(|| format!("previous terminated container {container:?} in pod {pod:?} not found"));
    }
    if let Some(seen) = all.iter().find(begun) {
        return Ok(seen);
    }
    let waiting =
        told.and_then(|s| s.state.as_ref()).and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.as_deref());
    let why = match waiting {
        Some("ErrImagePull") => ": image can't be pulled",
        Some("ImagePullBackOff") => ": trying and failing to pull image",
        Some(reason) => return Err(format!("container {container:?} in pod {pod:?} is waiting to start: {reason}")),
        None => " - no logs yet",
    };
    Err(format!("container {container:?} in pod {pod:?} is waiting to start{why}"))
}

fn wish(request: &LogsRequest, now: Timestamp) -> Result<Wish, Status> {
    let since = match (request.since_seconds, request.since_time.as_str()) {
        (Some(seconds), _) => Some(now - SignedDuration::from_secs(seconds)),
        (None, "") => None,
        (None, text) => {
            Some(text.parse().map_err(|_| Status::bad_request(format!("sinceTime {text:?} is not RFC 3339")))?)
        }
    };
    let stream = match request.stream.as_str() {
        "Stdout" => Some("stdout"),
        "Stderr" => Some("stderr"),
        _ => None,
    };
    Ok(Wish {
        tail: request.tail_lines.map(|lines| usize::try_from(lines).unwrap_or(0)),
        since,
        limit: request.limit_bytes.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
        timestamps: request.timestamps,
        stream,
        follow: request.follow,
    })
}
