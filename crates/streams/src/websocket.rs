//! Websockets: the subprotocols of exec and attach ([`channels`]), of port-forward ([`ports`]), and a
//! byte stream through one ([`tunnel`]).

pub mod channels;
pub mod ports;
pub mod tunnel;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::HeaderMap;
use http::Response;
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use nakhoda_api::Status;

use crate::headers::elements;

/// Longer messages are refused: clients send pieces of 32 KiB.
const MAX_MESSAGE: usize = 4 << 20;

/// Whether a request asks for a websocket.
#[must_use]
pub fn is_asked(headers: &HeaderMap) -> bool {
    asks(headers, "websocket")
}

/// Whether a request asks to go on in another protocol.
#[must_use]
pub fn asks(headers: &HeaderMap, protocol: &str) -> bool {
    elements(headers, CONNECTION.as_str()).any(|e| e.eq_ignore_ascii_case("upgrade"))
        && elements(headers, UPGRADE.as_str()).any(|e| e.eq_ignore_ascii_case(protocol))
}

/// Agrees to a websocket. `known` are the subprotocols, best first; the chosen one is empty if the client
/// named none.
pub async fn accept(parts: &mut Parts, known: &[&'static str]) -> Result<(WebSocketUpgrade, &'static str), Status> {
    let offered: Vec<String> = elements(&parts.headers, "sec-websocket-protocol").map(Into::into).collect();
    let chosen = known.iter().find(|known| offered.iter().any(|o| o == *known)).copied();
    let named = offered.iter().any(|o| !o.starts_with("base64url.bearer."));
    if chosen.is_none() && named && !known.is_empty() {
        return Err(Status::bad_request(format!(
            "requested protocol(s) are not supported: {offered:?}; supports {known:?}"
        )));
    }
    let upgrade =
        WebSocketUpgrade::from_request_parts(parts, &()).await.map_err(|e| Status::bad_request(e.body_text()))?;
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).protocols(chosen);
    Ok((upgrade, chosen.unwrap_or_default()))
}

/// Sends a one-way stream: a binary message for each piece, or a text one in base64.
pub async fn read(
    parts: &mut Parts,
    mut stream: BoxStream<'static, Result<Bytes, Status>>,
) -> Result<Response<Body>, Status> {
    let (upgrade, protocol) = accept(parts, &["binary.k8s.io", "base64.binary.k8s.io"]).await?;
    Ok(upgrade.on_upgrade(move |mut socket| async move {
        while let Some(Ok(data)) = stream.next().await {
            let message = if protocol.starts_with("base64.") {
                Message::text(STANDARD.encode(&data))
            } else {
                Message::binary(data)
            };
            if socket.send(message).await.is_err() {
                return;
            }
        }
        close(socket).await;
    }))
}

/// Ends a socket in order.
pub async fn close(mut socket: WebSocket) {
    // the peer may be gone, and then nobody waits for the farewell
    if socket.send(farewell()).await.is_ok() {
        while let Some(Ok(message)) = socket.recv().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    }
}

/// The message that ends a socket.
#[must_use]
pub fn farewell() -> Message {
    Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason: "".into() }))
}
