//! Exec and attach: frames of the caller to a process's streams and back.
//!
//! Exec goes through containerd's tasks, so that the end of stdin is exact. Attach goes through the
//! runtime's own streaming server (websocket v4), because the runtime holds the container's streams;
//! that form has no end of stdin.

use bytes::Bytes;
use futures::{SinkExt, Stream, StreamExt};
use nakhoda_api::Status;
use nakhoda_rpc::v1::{NodeFrame, NodeOpen};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::Server;
use crate::containerd::exec::{self, Command, Control, Process};
use crate::cri::v1;

/// Channels of a stream of frames.
pub mod channel {
    /// Towards the process.
    pub const STDIN: u32 = 0;
    /// From the process.
    pub const STDOUT: u32 = 1;
    /// From the process.
    pub const STDERR: u32 = 2;
    /// The final Status.
    pub const STATUS: u32 = 3;
    /// `{"Width":w,"Height":h}`.
    pub const RESIZE: u32 = 4;
}

/// After its end a process's streams may still hold this long, if a child of it keeps them open.
const LINGER: std::time::Duration = std::time::Duration::from_secs(1);
const CHUNK: usize = 32 << 10;

/// Frames of the caller, however they come.
pub trait Frames: Stream<Item = Result<NodeFrame, tonic::Status>> + Send + Unpin {}
impl<T: Stream<Item = Result<NodeFrame, tonic::Status>> + Send + Unpin> Frames for T {}

/// Frames to the caller.
pub(super) type Out = mpsc::Sender<Result<NodeFrame, tonic::Status>>;

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Size {
    width: u32,
    height: u32,
}

// === impl Server ===

impl Server {
    /// The id of a running container.
    pub fn running(&self, open: &NodeOpen) -> Result<String, Status> {
        let pod = open.pod.clone().unwrap_or_default();
        let view = self.view(&pod.namespace, &pod.name, &pod.uid)?;
        let name = match pod.container.as_str() {
            "" => crate::pod::spec::of(&view.pod).containers.first().map(|c| c.name.clone()).unwrap_or_default(),
            name => name.to_owned(),
        };
        let seen = view.observed.newest(&name).filter(|seen| seen.is_running());
        let missing = || Status::bad_request(format!("container not found (\"{name}\")"));
        seen.map(|seen| seen.status.id.clone()).ok_or_else(missing)
    }

    /// Runs a command to its end.
    pub async fn exec(&self, open: NodeOpen, frames: impl Frames, out: Out) -> Result<(), Status> {
        let container = self.running(&open)?;
        let command = Command { args: open.command.clone(), stdin: open.stdin, tty: open.tty };
        let started = exec::start(self.host.channel.clone(), &container, &command, &self.host.paths.streams()).await;
        let process = match started {
            Ok(process) => process,
            Err(error) => {
                let text = format!("error executing command in container: {}", nakhoda_api::status::chain(&error));
                return finish(&out, &failure("InternalError", 500, &text)).await;
            }
        };
        // Many clients take the first frame for the sign that all is well.
        say(&out, channel::STDOUT, Bytes::new()).await;
        let code = converse(process, frames, &out).await;
        let status = match code {
            Ok(0) => json!({"metadata": {}, "status": "Success"}),
            Ok(code) => exit(code),
            Err(text) => failure("InternalError", 500, &text),
        };
        finish(&out, &status).await
    }

    /// Joins the streams of a container's own process.
    pub async fn attach(&self, open: NodeOpen, mut frames: impl Frames, out: Out) -> Result<(), Status> {
        let container_id = self.running(&open)?;
        let request = v1::AttachRequest {
            container_id,
            stdin: open.stdin,
            tty: open.tty,
            stdout: open.stdout || !open.stderr,
            stderr: open.stderr && !open.tty,
        };
        let url = self.host.cri.attach_url(request).await.map_err(|error| Status::internal(&error))?;
        let mut socket = websocket(&url).await.map_err(|error| Status::internal(&error))?;
        loop {
            tokio::select! {
                frame = frames.next() => match frame {
                    Some(Ok(frame)) if frame.channel == channel::STDIN && frame.close => {}
                    Some(Ok(frame)) => {
                        let head = u8::try_from(frame.channel).unwrap_or_default();
                        let message = [&[head], frame.data.as_ref()].concat();
                        if socket.send(Message::Binary(message.into())).await.is_err() {
                            break;
                        }
                    }
                    Some(Err(_)) | None => break,
                },
                message = socket.next() => match message {
                    Some(Ok(Message::Binary(bytes))) if !bytes.is_empty() => {
                        if !say(&out, u32::from(bytes[0]), bytes.slice(1..)).await {
                            break;
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                },
            }
        }
        finish(&out, &json!({"metadata": {}, "status": "Success"})).await
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn websocket(url: &str) -> Result<Socket, tokio_tungstenite::tungstenite::Error> {
    let mut request = url.replacen("http", "ws", 1).into_client_request()?;
    let protocol = http::HeaderValue::from_static("v4.channel.k8s.io");
    request.headers_mut().insert(http::header::SEC_WEBSOCKET_PROTOCOL, protocol);
    Ok(tokio_tungstenite::connect_async(request).await?.0)
}

/// Carries bytes until the process has ended and said all; gives its exit code.
async fn converse(mut process: Process, frames: impl Frames, out: &Out) -> Result<u32, String> {
    let control = process.control();
    let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    let said = async { tokio::join!(pour(stdout, channel::STDOUT, out), pour(stderr, channel::STDERR, out)) };
    let mut said = std::pin::pin!(said);
    let mut input = std::pin::pin!(feed(frames, stdin, control.clone()));
    let mut ended = std::pin::pin!(process.wait());
    let (mut quiet, mut fed) = (false, false);
    let code = loop {
        tokio::select! {
            code = &mut ended => break code.map_err(|error| error.to_string()),
            _ = &mut said, if !quiet => quiet = true,
            gone = &mut input, if !fed => {
                fed = true;
                if gone {
                    kill(&control).await;
                }
            }
            () = out.closed() => {
                kill(&control).await;
                break Err("the caller has gone away".into());
            }
        }
    };
    if !quiet && tokio::time::timeout(LINGER, &mut said).await.is_err() {
        tracing::debug!("a child of the command keeps its streams open");
    }
    process.remove().await;
    code
}

/// Frames of the caller to stdin and the terminal's size; true when the caller broke off.
async fn feed(mut frames: impl Frames, mut stdin: Option<pipe::Sender>, control: Control) -> bool {
    while let Some(frame) = frames.next().await {
        let Ok(frame) = frame else { return true };
        match frame.channel {
            channel::STDIN => {
                if let Some(pipe) = &mut stdin
                    && !frame.data.is_empty()
                    && pipe.write_all(&frame.data).await.is_err()
                {
                    stdin = None;
                }
                if frame.close {
                    end(&mut stdin, &control).await;
                }
            }
            channel::RESIZE => {
                let size: Size = serde_json::from_slice(&frame.data).unwrap_or_default();
                if let Err(error) = control.resize(size.width, size.height).await {
                    tracing::debug!(%error, "not resized");
                }
            }
            _ => {}
        }
    }
    end(&mut stdin, &control).await;
    false
}

async fn end(stdin: &mut Option<pipe::Sender>, control: &Control) {
    if stdin.take().is_some()
        && let Err(error) = control.close_stdin().await
    {
        tracing::debug!(%error, "stdin was closed before");
    }
}

async fn kill(control: &Control) {
    if let Err(error) = control.kill().await {
        tracing::debug!(%error, "the command was gone before");
    }
}

async fn pour(pipe: Option<pipe::Receiver>, channel: u32, out: &Out) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; CHUNK];
    loop {
        match pipe.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(size) => {
                if !say(out, channel, Bytes::copy_from_slice(&buffer[..size])).await {
                    return;
                }
            }
        }
    }
}

/// Sends a frame; false if nobody listens.
pub(super) async fn say(out: &Out, channel: u32, data: Bytes) -> bool {
    out.send(Ok(NodeFrame { channel, data, ..NodeFrame::default() })).await.is_ok()
}

async fn finish(out: &Out, status: &Value) -> Result<(), Status> {
    let frame =
        NodeFrame { channel: channel::STATUS, data: status.to_string().into(), close: true, ..NodeFrame::default() };
    if out.send(Ok(frame)).await.is_err() {
        tracing::debug!("the caller has gone away");
    }
    Ok(())
}

fn exit(code: u32) -> Value {
    let causes = json!([{"reason": "ExitCode", "message": code.to_string()}]);
    let message = format!("command terminated with non-zero exit code: exit status {code}");
    json!({"metadata": {}, "status": "Failure", "message": message, "reason": "NonZeroExitCode", "details": {"causes": causes}})
}

fn failure(reason: &str, code: u16, message: &str) -> Value {
    json!({"metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code})
}
