//! Connect: the stream that a subresource opened, as frames both ways.
//!
//! Logs and sessions use the channels of their kind. Port forwarding carries many connections: number `n`
//! has its bytes on channel `2n` and its failure on `2n+1`, and goes to the `n`-th port asked for, or the
//! last. A proxied connection is one raw byte stream on channel 0, over which the caller speaks HTTP.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use nakhoda_api::Status;
use nakhoda_daemon::Tasks;
use nakhoda_rpc::v1;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::convert::{self, failed};
use crate::request::{Connect, ResourceTarget};
use crate::response::{self, Answer, Channels, Dial, Frame};

type Frames = BoxStream<'static, Result<v1::ConnectFrame, tonic::Status>>;
type Output = mpsc::Sender<Result<v1::ConnectFrame, tonic::Status>>;

/// Frames that may wait in one direction.
const QUEUE: usize = 64;
const CHUNK: usize = 32 << 10;

/// What an opening frame asks for.
#[must_use]
pub fn opened(open: v1::ConnectOpen) -> (ResourceTarget, Connect) {
    let mut parameters: Vec<(String, String)> = open.parameters.into_iter().map(|p| (p.name, p.value)).collect();
    let mut target = convert::target(open.target);
    let mut method = if target.subresource == "log" { "get".to_owned() } else { "post".to_owned() };
    // what REST has in the URL and the request line
    parameters.retain(|(name, value)| match name.as_str() {
        "path" => {
            target.path.clone_from(value);
            false
        }
        "method" => {
            method = value.to_lowercase();
            false
        }
        _ => true,
    });
    (target, Connect { method, parameters, plain: false })
}

/// Carries the stream until one side ends it.
pub fn run(
    tasks: &Tasks,
    response: response::Response,
    input: Streaming<v1::ConnectFrame>,
    parameters: &[(String, String)],
) -> Result<Frames, Status> {
    let Answer::Stream(stream) = response.answer else {
        return Ok(single(convert::object(response, crate::request::Accept::default())?));
    };
    let (output, frames) = mpsc::channel(QUEUE);
    match stream {
        response::Streaming::Nothing => return Ok(futures::stream::empty().boxed()),
        response::Streaming::Read(bytes) => {
            let frames = bytes.map(|piece| piece.map(|data| frame(1, data, false)).map_err(failed));
            return Ok(frames.boxed());
        }
        response::Streaming::Channels(channels) => session(tasks, channels, input, output),
        response::Streaming::Ports(dial) => {
            let ports = ports(parameters)?;
            tasks.spawn("connect ports", forward(tasks.clone(), dial, ports, input, output));
        }
        response::Streaming::Proxy(target) => {
            tasks.spawn("connect proxy", forward(tasks.clone(), target.dial, vec![target.port], input, output));
        }
    }
    Ok(ReceiverStream::new(frames).boxed())
}

/// An answer that is an object after all, as standard output.
fn single(object: v1::Object) -> Frames {
    futures::stream::iter([Ok(frame(1, object.body, true))]).boxed()
}

fn frame(channel: u32, data: Bytes, close: bool) -> v1::ConnectFrame {
    v1::ConnectFrame { open: None, channel, data, close }
}

fn session(tasks: &Tasks, channels: Channels, mut input: Streaming<v1::ConnectFrame>, output: Output) {
    let Channels { input: towards, output: mut from } = channels;
    tasks.spawn("connect input", async move {
        while let Ok(Some(frame)) = input.message().await {
            let channel = u8::try_from(frame.channel).unwrap_or(u8::MAX);
            if towards.send(Frame { channel, data: frame.data, close: frame.close }).await.is_err() {
                return;
            }
        }
    });
    tasks.spawn("connect output", async move {
        while let Some(piece) = from.recv().await {
            if output.send(Ok(frame(piece.channel.into(), piece.data, piece.close))).await.is_err() {
                return;
            }
        }
    });
}

fn ports(parameters: &[(String, String)]) -> Result<Vec<u16>, Status> {
    let named = parameters.iter().filter(|(name, _)| name == "ports" || name == "port");
    let ports: Result<Vec<u16>, _> = named.flat_map(|(_, value)| value.split(',')).map(str::parse).collect();
    match ports {
        Ok(ports) if !ports.is_empty() => Ok(ports),
        Ok(_) => Err(Status::bad_request("port forwarding needs a parameter `ports`")),
        Err(error) => Err(Status::bad_request(format!("unable to parse ports: {error}"))),
    }
}

/// Opens a connection when its first frame comes, and feeds it.
async fn forward(
    tasks: Tasks,
    dial: Arc<dyn Dial>,
    ports: Vec<u16>,
    mut input: Streaming<v1::ConnectFrame>,
    output: Output,
) {
    let mut open: HashMap<u32, mpsc::Sender<Bytes>> = HashMap::new();
    while let Ok(Some(piece)) = input.message().await {
        let number = piece.channel / 2;
        let sender = open.entry(number).or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let port = ports[usize::try_from(number).unwrap_or(usize::MAX).min(ports.len() - 1)];
            let connection = connection(dial.clone(), port, number, receiver, output.clone());
            tasks.spawn("connect connection", connection);
            sender
        });
        // a connection that is gone has told so on its failure channel
        let gone = !piece.data.is_empty() && sender.send(piece.data).await.is_err();
        if piece.close || gone {
            open.insert(number, closed());
        }
    }
}

/// A sender whose receiver is gone: the connection's input has ended, and a late frame opens no new one.
fn closed() -> mpsc::Sender<Bytes> {
    mpsc::channel(1).0
}

async fn connection(dial: Arc<dyn Dial>, port: u16, number: u32, mut input: mpsc::Receiver<Bytes>, output: Output) {
    let stream = match dial.dial(port).await {
        Ok(stream) => stream,
        Err(status) => {
            let text = Bytes::from(status.message.into_bytes());
            tell(&output, frame(2 * number + 1, text, true)).await;
            return;
        }
    };
    let (reader, mut writer) = tokio::io::split(stream);
    let write = async {
        while let Some(data) = input.recv().await {
            if writer.write_all(&data).await.is_err() {
                return;
            }
        }
        if let Err(error) = writer.shutdown().await {
            tracing::debug!(%error, "half-close of a forwarded connection");
        }
    };
    tokio::join!(write, read(reader, number, &output));
}

async fn read(mut reader: impl AsyncRead + Unpin, number: u32, output: &Output) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = reader.read(&mut buffer).await {
        if !tell(output, frame(2 * number, Bytes::copy_from_slice(&buffer[..count]), false)).await {
            return;
        }
    }
    tell(output, frame(2 * number, Bytes::new(), true)).await;
}

async fn tell(output: &Output, frame: v1::ConnectFrame) -> bool {
    output.send(Ok(frame)).await.is_ok()
}
