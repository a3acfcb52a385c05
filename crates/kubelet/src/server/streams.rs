//! Upstream's streaming paths: `/exec`, `/attach`, `/portForward` over SPDY or a websocket, and `/run`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use nakhoda_api::Status;
use nakhoda_rpc::v1::{NodeFrame, NodeOpen, PodRef};
use nakhoda_streams::session::Wanted;
use nakhoda_streams::{Channels, Dial, Duplex, Frame, forward, session, spdy, upgrade, websocket};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Server;

/// Frames that may wait.
const WAITING: usize = 16;
/// The longest that a command of `/run` may take, in seconds.
const RUN: i64 = 600;

/// What a session does.
#[derive(Clone, Copy)]
enum Deed {
    Exec,
    Attach,
}

/// Names and values of a query, in order.
struct Query(Vec<(String, String)>);

/// A pod whose ports are forwarded.
struct Ports {
    server: Server,
    pod: PodRef,
}

// === impl Query ===

impl Query {
    fn of(parts: &Parts) -> Self {
        Self(axum::extract::Query::try_from_uri(&parts.uri).map(|query| query.0).unwrap_or_default())
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The kubelet knows the streams by other names than the API server does.
    fn flag(&self, name: &str) -> bool {
        let own = match name {
            "stdin" => "input",
            "stdout" => "output",
            "stderr" => "error",
            other => other,
        };
        self.all(own).next() == Some("1")
    }
}

// === impl Ports ===

impl Dial for Ports {
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Box<dyn Duplex>, Status>> {
        async move {
            let open = NodeOpen { pod: Some(self.pod.clone()), port: port.into(), ..NodeOpen::default() };
            let stream = self.server.connect_pod(&open).await?;
            Ok(Box::new(stream) as Box<dyn Duplex>)
        }
        .boxed()
    }
}

/// `/exec/NAMESPACE/POD[/UID]/CONTAINER?command=…&input=1&output=1&error=1&tty=1`.
pub(super) async fn exec(State(server): State<Server>, Path(path): Path<String>, request: Request) -> Response {
    answer(talk(server, &path, request, Deed::Exec).await)
}

/// `/attach/NAMESPACE/POD[/UID]/CONTAINER`.
pub(super) async fn attach(State(server): State<Server>, Path(path): Path<String>, request: Request) -> Response {
    answer(talk(server, &path, request, Deed::Attach).await)
}

/// `/portForward/NAMESPACE/POD[/UID]`.
pub(super) async fn port_forward(State(server): State<Server>, Path(path): Path<String>, request: Request) -> Response {
    answer(ports(server, &path, request).await)
}

/// `POST /run/NAMESPACE/POD[/UID]/CONTAINER?cmd=…`: the output of a command, once it has ended.
pub(super) async fn run(State(server): State<Server>, Path(path): Path<String>, request: Request) -> Response {
    answer(command(server, &path, request).await)
}

fn answer(outcome: Result<Response, Status>) -> Response {
    outcome.unwrap_or_else(|status| {
        let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (code, status.message).into_response()
    })
}

/// Reads who is meant; `with_container` says whether the last part names one.
fn pod(path: &str, with_container: bool) -> Result<PodRef, Status> {
    let mut parts: Vec<String> = path.trim_end_matches('/').split('/').map(str::to_owned).collect();
    let container = if with_container { parts.pop().unwrap_or_default() } else { String::new() };
    let (namespace, name, uid) = match parts.as_slice() {
        [namespace, name] => (namespace.clone(), name.clone(), String::new()),
        [namespace, name, uid] => (namespace.clone(), name.clone(), uid.clone()),
        _ => return Err(Status::no_such_path()),
    };
    Ok(PodRef { namespace, name, uid, container })
}

async fn talk(server: Server, path: &str, request: Request, deed: Deed) -> Result<Response, Status> {
    let (mut parts, _) = request.into_parts();
    let query = Query::of(&parts);
    let wanted = Wanted::of(|name| query.flag(name));
    if !(wanted.stdin || wanted.stdout || wanted.stderr) {
        return Err(Status::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    let open = NodeOpen {
        pod: Some(pod(path, true)?),
        command: query.all("command").map(str::to_owned).collect(),
        stdin: wanted.stdin,
        stdout: wanted.stdout,
        stderr: wanted.stderr,
        tty: wanted.tty,
        ..NodeOpen::default()
    };
    server.running(&open)?;
    if websocket::is_asked(&parts.headers) {
        let channels = begin(&server, open, deed);
        return websocket::channels::serve(&mut parts, channels, wanted).await;
    }
    if !websocket::asks(&parts.headers, spdy::PROTOCOL) {
        return Err(Status::bad_request("Upgrade request required"));
    }
    let (response, upgraded) = upgrade::spdy(&mut parts, session::PROTOCOLS)?;
    let channels = begin(&server, open, deed);
    server.host.tasks.spawn("session over SPDY", session::serve(upgraded, channels, wanted));
    Ok(response)
}

/// Starts the deed; its frames are those of the gRPC service.
fn begin(server: &Server, open: NodeOpen, deed: Deed) -> Channels {
    let (input, frames) = mpsc::channel::<Frame>(WAITING);
    let (said, mut saying) = mpsc::channel::<Result<NodeFrame, tonic::Status>>(WAITING);
    let (send, output) = mpsc::channel(WAITING);
    let frames = ReceiverStream::new(frames).map(|frame| {
        let Frame { channel, data, close } = frame;
        Ok(NodeFrame { channel: channel.into(), data, close, ..NodeFrame::default() })
    });
    let talker = server.clone();
    server.host.tasks.spawn("session", async move {
        let outcome = match deed {
            Deed::Exec => talker.exec(open, frames, said).await,
            Deed::Attach => talker.attach(open, frames, said).await,
        };
        if let Err(status) = outcome {
            tracing::debug!(status.message, "a session failed");
        }
    });
    server.host.tasks.spawn("output of a session", async move {
        while let Some(Ok(NodeFrame { channel, data, close, .. })) = saying.recv().await {
            let frame = Frame { channel: u8::try_from(channel).unwrap_or(u8::MAX), data, close };
            if send.send(frame).await.is_err() {
                return;
            }
        }
    });
    Channels { input, output }
}

async fn ports(server: Server, path: &str, request: Request) -> Result<Response, Status> {
    let (mut parts, _) = request.into_parts();
    let pod = pod(path, false)?;
    server.view(&pod.namespace, &pod.name, &pod.uid)?;
    let dial = Arc::new(Ports { server: server.clone(), pod });
    if websocket::is_asked(&parts.headers) {
        let query = Query::of(&parts);
        let asked: Vec<&str> = query.all("ports").chain(query.all("port")).collect();
        return websocket::ports::serve(&mut parts, dial, &asked).await;
    }
    if !websocket::asks(&parts.headers, spdy::PROTOCOL) {
        return Err(Status::bad_request("Upgrade request required"));
    }
    let (response, upgraded) = upgrade::spdy(&mut parts, &[forward::PROTOCOL])?;
    server.host.tasks.spawn("ports over SPDY", async move {
        if let Some((io, _)) = upgraded.await {
            forward::serve(io, dial).await;
        }
    });
    Ok(response)
}

async fn command(server: Server, path: &str, request: Request) -> Result<Response, Status> {
    if request.method() != axum::http::Method::POST {
        return Ok((StatusCode::METHOD_NOT_ALLOWED, "405: Method Not Allowed").into_response());
    }
    let (parts, _) = request.into_parts();
    let query = Query::of(&parts);
    let words: Vec<String> = query.all("cmd").next().unwrap_or_default().split(' ').map(str::to_owned).collect();
    let open = NodeOpen { pod: Some(pod(path, true)?), ..NodeOpen::default() };
    let id = server.running(&open)?;
    let done = server.host.cri.exec_sync(&id, words, RUN).await.map_err(|error| Status::internal(&error))?;
    Ok(Body::from([done.stdout, done.stderr].concat()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_a_pod_with_or_without_its_uid() {
        let read = |path, container| {
            pod(path, container).map(|p| [p.namespace, p.name, p.uid, p.container].join(" ")).map_err(|s| s.code)
        };
        assert_eq!(read("d/p/c", true).as_deref(), Ok("d p  c"));
        assert_eq!(read("d/p/u/c", true).as_deref(), Ok("d p u c"));
        assert_eq!(read("d/p/u", false).as_deref(), Ok("d p u "));
        assert_eq!(read("p", false), Err(404));
    }

    #[test]
    fn streams_are_asked_for_by_the_kubelets_names() {
        let request = axum::http::Request::builder().uri("/exec/d/p/c?command=a&command=b+c&input=1&output=1&error=0");
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let query = Query::of(&parts);
        assert_eq!(query.all("command").collect::<Vec<_>>(), ["a", "b c"]);
        let wanted = Wanted::of(|name| query.flag(name));
        assert_eq!(wanted, Wanted { stdin: true, stdout: true, ..Wanted::default() });
    }
}
