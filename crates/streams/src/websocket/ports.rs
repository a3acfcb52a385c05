//! Port-forward over a websocket: SPDY through a tunnel, as kubectl does it, or the older form with two
//! channels for each port that the query names.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::ws::{Message, WebSocket};
use bytes::{BufMut, Bytes, BytesMut};
use futures::stream::FuturesUnordered;
use futures::{SinkExt, StreamExt};
use http::Response;
use http::request::Parts;
use nakhoda_api::Status;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use super::tunnel;
use crate::Dial;
use crate::forward;

const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: &str = "v4.channel.k8s.io";
const BUFFER: usize = 32 << 10;
const QUEUE: usize = 32;
/// A channel's number is one byte, and each port has two.
const MAX_PORTS: usize = 128;

/// Forwards ports over a websocket; `asked` are the values of the query that name some, for the older form.
pub async fn serve(parts: &mut Parts, dial: Arc<dyn Dial>, asked: &[&str]) -> Result<Response<Body>, Status> {
    let (upgrade, protocol) = super::accept(parts, &[TUNNEL, CHANNELS]).await?;
    if protocol == TUNNEL {
        return Ok(upgrade.on_upgrade(move |socket| async move {
            let (near, work) = tunnel::open(socket);
            tokio::join!(work, forward::serve(near, dial));
        }));
    }
    let ports = ports(asked)?;
    Ok(upgrade.on_upgrade(move |socket| channels(socket, ports, dial)))
}

fn ports(asked: &[&str]) -> Result<Vec<u16>, Status> {
    let texts: Vec<&str> = asked.iter().flat_map(|t| t.split(',')).collect();
    if texts.is_empty() {
        return Err(Status::bad_request("query parameter \"port\" is required"));
    }
    if texts.len() > MAX_PORTS {
        return Err(Status::bad_request(format!("at most {MAX_PORTS} ports can be forwarded over one websocket")));
    }
    texts.into_iter().map(port).collect()
}

fn port(text: &str) -> Result<u16, Status> {
    let number = text.trim().parse().ok().filter(|port| *port != 0);
    number.ok_or_else(|| Status::bad_request(format!("unable to parse {text:?} as a port")))
}

async fn channels(socket: WebSocket, ports: Vec<u16>, dial: Arc<dyn Dial>) {
    let (mut sink, mut source) = socket.split();
    let (out, mut outgoing) = mpsc::channel(QUEUE);
    let (inputs, receivers): (Vec<_>, Vec<_>) = ports.iter().map(|_| mpsc::channel::<Bytes>(QUEUE)).unzip();
    let mut pumps: FuturesUnordered<_> = ports
        .iter()
        .zip(receivers)
        .enumerate()
        .map(|(index, (port, input))| pump(index, *port, input, out.clone(), dial.clone()))
        .collect();
    let inbound = async {
        while let Some(Ok(message)) = source.next().await {
            let Message::Binary(data) = message else { continue };
            let Some(channel) = data.first().filter(|c| **c % 2 == 0) else { continue };
            if let Some(input) = inputs.get(usize::from(*channel / 2)) {
                // a port whose pod has gone swallows the rest
                input.send(data.slice(1..)).await.unwrap_or_default();
            }
        }
    };
    let outbound = async {
        while let Some(message) = outgoing.recv().await {
            if sink.send(Message::Binary(message)).await.is_err() {
                return;
            }
        }
    };
    let all = async { while pumps.next().await.is_some() {} };
    tokio::select! {
        () = inbound => {}
        () = outbound => {}
        () = all => {}
    }
    sink.send(super::farewell()).await.unwrap_or_default();
}

/// Forwards one port: both channels begin with its number.
async fn pump(
    index: usize,
    port: u16,
    mut input: mpsc::Receiver<Bytes>,
    out: mpsc::Sender<Bytes>,
    dial: Arc<dyn Dial>,
) {
    let data = u8::try_from(2 * index).unwrap_or(u8::MAX);
    let send = async |channel: u8, bytes: &[u8]| out.send(message(channel, bytes)).await;
    for channel in [data, data + 1] {
        send(channel, &port.to_le_bytes()).await.unwrap_or_default();
    }
    let io = match dial.dial(port).await {
        Ok(io) => io,
        Err(status) => {
            let text = format!("error forwarding port {port}: {status}");
            return send(data + 1, text.as_bytes()).await.unwrap_or_default();
        }
    };
    let (mut from, mut to) = tokio::io::split(io);
    let up = async {
        while let Some(bytes) = input.recv().await {
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    let down = async {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(BUFFER);
            match from.read_buf(&mut buffer).await {
                Ok(length) if length > 0 => {}
                _ => return,
            }
            if send(data, &buffer.split()).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

fn message(channel: u8, bytes: &[u8]) -> Bytes {
    let mut message = BytesMut::with_capacity(bytes.len() + 1);
    message.put_u8(channel);
    message.put_slice(bytes);
    message.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_from_the_query() {
        assert_eq!(ports(&["80,443", "8080"]).as_deref(), Ok(&[80, 443, 8080][..]));
        for wrong in [&[][..], &["0"], &["x"], &["70000"]] {
            assert!(ports(wrong).is_err_and(|s| s.code == 400), "{wrong:?}");
        }
    }
}
