//! Exec and attach over a websocket: the first byte of each message names the channel
//! (`v5.channel.k8s.io` and its elders; in the base64 ones a digit, then base64).

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::ws::{Message, WebSocket};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use http::Response;
use http::request::Parts;
use nakhoda_api::Status;
use tokio::sync::mpsc;

use crate::session::{self, RESIZE, STATUS, STDOUT, Wanted};
use crate::{Channels, Frame};

/// Best first. The fifth has a message that closes one channel.
const PROTOCOLS: &[&str] =
    &["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io"];
/// Not a channel: the message names one that its sender has finished.
const CLOSE: u8 = 255;

/// Runs a session over a websocket.
pub async fn serve(parts: &mut Parts, channels: Channels, wanted: Wanted) -> Result<Response<Body>, Status> {
    let (upgrade, protocol) = super::accept(parts, PROTOCOLS).await?;
    Ok(upgrade.on_upgrade(move |socket| run(socket, channels, wanted, protocol)))
}

async fn run(socket: WebSocket, channels: Channels, wanted: Wanted, protocol: &'static str) {
    let Channels { input, mut output } = channels;
    let (mut sink, mut source) = socket.split();
    let inbound = async {
        while let Some(Ok(message)) = source.next().await {
            if matches!(message, Message::Close(_)) {
                return;
            }
            let Some(frame) = decode(&message, protocol) else { continue };
            if wanted_input(&frame, wanted) && input.send(frame).await.is_err() {
                // the process has ended and its outcome is on the way
                std::future::pending::<Infallible>().await;
            }
        }
    };
    let outbound = async {
        if !protocol.starts_with("v5.") {
            // tells old clients that the session stands
            let channel = if wanted.stdout { STDOUT } else { STATUS };
            let hello = Frame { channel, data: Bytes::new(), close: false };
            sink.send(encode(&hello, protocol)).await.unwrap_or_default();
        }
        let status = send_output(&mut sink, &mut output, protocol).await.unwrap_or_else(session::unreachable_status);
        let last = Frame { channel: STATUS, data: session::outcome(&status, modern(protocol)), close: true };
        // a client that is gone does not read the outcome
        sink.send(encode(&last, protocol)).await.unwrap_or_default();
        sink.send(super::farewell()).await.unwrap_or_default();
    };
    tokio::select! {
        () = inbound => {}
        () = outbound => {}
    }
}

/// Sends output until the final Status, which it returns.
async fn send_output(
    sink: &mut (impl SinkExt<Message> + Unpin),
    output: &mut mpsc::Receiver<Frame>,
    protocol: &str,
) -> Option<Status> {
    while let Some(frame) = output.recv().await {
        if frame.channel == STATUS {
            return serde_json::from_slice(&frame.data).ok();
        }
        if !frame.data.is_empty() {
            sink.send(encode(&frame, protocol)).await.ok()?;
        }
    }
    None
}

fn wanted_input(frame: &Frame, wanted: Wanted) -> bool {
    match frame.channel {
        0 => wanted.stdin,
        RESIZE => wanted.tty,
        _ => false,
    }
}

/// The name under which the outcome's form is known.
fn modern(protocol: &str) -> &str {
    if protocol.starts_with("v4.") || protocol.starts_with("v5.") { "v4.channel.k8s.io" } else { protocol }
}

fn decode(message: &Message, protocol: &str) -> Option<Frame> {
    let base64 = protocol.contains("base64");
    let (channel, data) = match message {
        Message::Binary(bytes) if !base64 => (*bytes.first()?, bytes.slice(1..)),
        Message::Text(text) if base64 => {
            let channel = text.as_bytes().first()?.checked_sub(b'0')?;
            (channel, STANDARD.decode(text.get(1..)?).ok()?.into())
        }
        _ => return None,
    };
    if channel == CLOSE && protocol.starts_with("v5.") {
        return Some(Frame { channel: *data.first()?, data: Bytes::new(), close: true });
    }
    Some(Frame { channel, data, close: false })
}

fn encode(frame: &Frame, protocol: &str) -> Message {
    if protocol.contains("base64") {
        return Message::text(format!("{}{}", frame.channel, STANDARD.encode(&frame.data)));
    }
    let mut message = BytesMut::with_capacity(frame.data.len() + 1);
    message.put_u8(frame.channel);
    message.put_slice(&frame.data);
    Message::Binary(message.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fifth_protocol_closes_a_channel() {
        let message = Message::binary(vec![255, 0]);
        let closed = decode(&message, "v5.channel.k8s.io").expect("a frame");
        assert_eq!((closed.channel, closed.close), (0, true));
        let data = decode(&message, "v4.channel.k8s.io").expect("a frame");
        assert_eq!((data.channel, data.close), (255, false));
        assert_eq!(decode(&Message::binary(vec![255]), "v5.channel.k8s.io"), None);
        assert_eq!(decode(&Message::binary(Vec::new()), "v5.channel.k8s.io"), None);
    }

    #[test]
    fn frames_survive_both_encodings() {
        let frame = Frame { channel: 1, data: Bytes::from_static(b"hello\n"), close: false };
        for protocol in PROTOCOLS {
            assert_eq!(decode(&encode(&frame, protocol), protocol), Some(frame.clone()), "{protocol}");
        }
    }

    #[test]
    fn input_that_was_not_asked_for_is_dropped() {
        let frame = |channel| Frame { channel, data: Bytes::new(), close: false };
        let wanted = Wanted { stdin: true, ..Wanted::default() };
        assert!(wanted_input(&frame(0), wanted));
        assert!(!wanted_input(&frame(RESIZE), wanted) && !wanted_input(&frame(1), wanted));
    }
}
