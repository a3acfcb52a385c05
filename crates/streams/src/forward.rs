//! Port-forward over a SPDY session: a data and an error stream for each connection
//! (`k8s.io/cri-streaming/pkg/streaming/portforward`).

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use nakhoda_api::Status;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::spdy::stream::{Reader, Writer};
use crate::spdy::{Session, Stream};
use crate::{Dial, Duplex};

/// The protocol inside SPDY.
pub const PROTOCOL: &str = "portforward.k8s.io";
const BUFFER: usize = 32 << 10;
/// Error streams that wait for their data stream.
const MAX_WAITING: usize = 512;

/// Forwards every pair of streams that the client opens, until it goes.
pub async fn serve<T>(io: T, dial: Arc<dyn Dial>)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (session, work) = Session::start(io);
    let (result, ()) = tokio::join!(work, run(session, dial));
    if let Err(error) = result {
        tracing::debug!(%error, "a port-forward's connection broke");
    }
}

async fn run(mut session: Session, dial: Arc<dyn Dial>) {
    let mut waiting: HashMap<String, Stream> = HashMap::new();
    let mut pairs = FuturesUnordered::new();
    loop {
        let stream = tokio::select! {
            stream = session.accept() => stream,
            Some(()) = pairs.next() => continue,
        };
        let Some(stream) = stream else { return };
        let Some(key) = key(&stream) else {
            stream.writer.cancel().await.unwrap_or_default();
            continue;
        };
        match waiting.remove(&key) {
            Some(other) => match pair(stream, other) {
                Some((data, error)) => pairs.push(forward(data, error, dial.clone())),
                None => tracing::debug!(key, "two port-forward streams of one kind"),
            },
            None if waiting.len() < MAX_WAITING => {
                waiting.insert(key, stream);
            }
            None => stream.writer.cancel().await.unwrap_or_default(),
        }
    }
}

/// What the two streams of one connection have in common; old clients send no request id and open the
/// error stream first.
fn key(stream: &Stream) -> Option<String> {
    let kind = stream.headers.get("streamtype");
    if port(stream).is_none() || !matches!(kind, "data" | "error") {
        return None;
    }
    match stream.headers.get("requestid") {
        "" if kind == "error" => Some(stream.id.to_string()),
        "" => Some(stream.id.wrapping_sub(2).to_string()),
        id => Some(id.to_owned()),
    }
}

fn port(stream: &Stream) -> Option<u16> {
    stream.headers.get("port").parse().ok().filter(|port| *port != 0)
}

fn pair(a: Stream, b: Stream) -> Option<(Stream, Stream)> {
    match (a.headers.get("streamtype"), b.headers.get("streamtype")) {
        ("data", "error") => Some((a, b)),
        ("error", "data") => Some((b, a)),
        _ => None,
    }
}

/// Forwards one connection. Failures of the client's side need no report: it is gone.
async fn forward(data: Stream, error: Stream, dial: Arc<dyn Dial>) {
    let number = port(&data).unwrap_or_default();
    let Stream { reader, writer, .. } = data;
    let result = match dial.dial(number).await {
        Ok(io) => copy(io, reader, &writer).await,
        Err(status) => Err(status),
    };
    match result {
        Ok(()) => {
            writer.finish().await.unwrap_or_default();
            error.writer.finish().await.unwrap_or_default();
        }
        Err(status) => {
            let text = format!("error forwarding port {number}: {status}");
            error.writer.send(Bytes::from(text)).await.unwrap_or_default();
            error.writer.finish().await.unwrap_or_default();
            writer.cancel().await.unwrap_or_default();
        }
    }
}

/// Copies both ways until the pod has ended its side, or the client the whole.
async fn copy(io: Box<dyn Duplex>, mut reader: Reader, writer: &Writer) -> Result<(), Status> {
    let (mut from, mut to) = tokio::io::split(io);
    let up = async {
        while let Some(data) = reader.recv().await {
            if to.write_all(&data).await.is_err() {
                break;
            }
        }
        // the pod's own end is what ends the connection
        to.shutdown().await.unwrap_or_default();
        std::future::pending::<Infallible>().await
    };
    let down = async {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(BUFFER);
            let length = from.read_buf(&mut buffer).await.map_err(|e| Status::internal(&e))?;
            if length == 0 || writer.send(buffer.split().freeze()).await.is_err() {
                return Ok(());
            }
        }
    };
    tokio::select! {
        result = down => result,
        never = up => match never {},
        () = writer.closed() => Ok(()),
    }
}

#[cfg(test)]
mod tests;
