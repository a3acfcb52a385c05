//! Streams that a Connect opened, as the protocols that clients speak: chunked HTTP for logs, websockets
//! and SPDY for sessions and ports, a proxied HTTP exchange.

pub mod html;
pub mod proxy;

use axum::body::Body;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use http::request::Parts;
use http::{Response, StatusCode};
use nakhoda_api::Status;
use nakhoda_streams::{forward, session, spdy, upgrade, websocket};

use crate::response::Streaming;
use crate::rest::Front;
use crate::rest::reply::{self, Asked};

/// The HTTP exchange on which a stream was opened.
pub struct Exchange {
    /// The head, from which an upgrade is taken.
    pub parts: Parts,
    /// The body, for proxied requests.
    pub body: Body,
}

/// Whether a request can go on in another protocol.
#[must_use]
pub fn upgrades(parts: &Parts) -> bool {
    websocket::is_asked(&parts.headers) || websocket::asks(&parts.headers, spdy::PROTOCOL)
}

/// Answers a request for a stream.
pub async fn serve(
    front: &Front,
    exchange: Exchange,
    opened: Streaming,
    asked: &Asked,
) -> Result<Response<Body>, Status> {
    let Exchange { mut parts, body } = exchange;
    let socket = websocket::is_asked(&parts.headers);
    match opened {
        Streaming::Nothing => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            Ok(response)
        }
        Streaming::Read(stream) => read(&mut parts, stream, socket).await,
        Streaming::Proxy(target) => proxy::serve(front, parts, body, target).await,
        Streaming::Channels(channels) if socket => {
            let wanted = session::Wanted::of(|name| asked.query.flag(name));
            websocket::channels::serve(&mut parts, channels, wanted).await
        }
        Streaming::Channels(channels) if websocket::asks(&parts.headers, spdy::PROTOCOL) => {
            let wanted = session::Wanted::of(|name| asked.query.flag(name));
            let (response, upgraded) = upgrade::spdy(&mut parts, session::PROTOCOLS)?;
            front.tasks.spawn("session over SPDY", session::serve(upgraded, channels, wanted));
            Ok(response)
        }
        Streaming::Ports(dial) if socket => {
            let ports: Vec<&str> = asked.query.all("ports").chain(asked.query.all("port")).collect();
            websocket::ports::serve(&mut parts, dial, &ports).await
        }
        Streaming::Ports(dial) if websocket::asks(&parts.headers, spdy::PROTOCOL) => {
            let (response, upgraded) = upgrade::spdy(&mut parts, &[forward::PROTOCOL])?;
            front.tasks.spawn("ports over SPDY", async move {
                if let Some((io, _)) = upgraded.await {
                    forward::serve(io, dial).await;
                }
            });
            Ok(response)
        }
        Streaming::Channels(_) | Streaming::Ports(_) => Err(Status::bad_request("Upgrade request required")),
    }
}

async fn read(
    parts: &mut Parts,
    stream: BoxStream<'static, Result<Bytes, Status>>,
    socket: bool,
) -> Result<Response<Body>, Status> {
    if socket {
        return websocket::read(parts, stream).await;
    }
    let stream = stream.inspect_err(|status| tracing::info!(error = %status, "a log stream broke"));
    Ok(reply::plain(StatusCode::OK, "text/plain", Body::from_stream(stream.boxed())))
}
