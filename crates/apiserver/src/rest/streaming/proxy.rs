//! A proxied HTTP exchange (`k8s.io/apimachinery/pkg/util/proxy`): the request goes over a stream that a
//! [`crate::response::Dial`] opened, the answer comes back with its links pointing here.

pub(crate) mod tls;

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Limited};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use nakhoda_api::{Reason, Status};

use super::html;
use crate::response::{Duplex, ProxyTarget};
use crate::rest::{Front, reply};
use crate::serve::Peer;

/// Headers that concern one connection, not the exchange.
const HOP: [HeaderName; 7] =
    [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
/// Longer pages keep their links as they are.
const MAX_PAGE: usize = 8 << 20;

/// Proxies one request.
pub async fn serve(front: &Front, mut parts: Parts, body: Body, target: ProxyTarget) -> Result<Response<Body>, Status> {
    let upgrade = parts.headers.get(UPGRADE).cloned();
    if bare(&target.path).is_empty() && upgrade.is_none() && matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(to_directory(&parts.uri));
    }
    let io = target.dial.dial(target.port).await?;
    let io = if target.tls { tls::wrap(io).await.map_err(|e| unreachable(&e))? } else { io };
    let client = parts.extensions.remove::<OnUpgrade>().filter(|_| upgrade.is_some());
    let request = outgoing(parts, body, &target, upgrade)?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(io)).await.map_err(|e| unreachable(&e))?;
    front.tasks.spawn("proxied connection", async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a proxied connection broke");
        }
    });
    let response = sender.send_request(request).await.map_err(|e| unreachable(&e))?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return switch(front, response, client);
    }
    incoming(response, &target).await
}

fn unreachable(error: &dyn std::error::Error) -> Status {
    let chain = nakhoda_api::status::chain(error);
    Status::failure(503, Reason::ServiceUnavailable, format!("error trying to reach service: {chain}"))
}

/// A path without its query.
fn bare(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// Relative links on the page are meant to stand below `proxy/`.
fn to_directory(uri: &Uri) -> Response<Body> {
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(location) = HeaderValue::from_str(&format!("{}/{query}", uri.path())) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// The request as the backend gets it.
fn outgoing(
    parts: Parts,
    body: Body,
    target: &ProxyTarget,
    upgrade: Option<HeaderValue>,
) -> Result<Request<Body>, Status> {
    let path = Some(bare(&target.path)).filter(|p| !p.is_empty()).unwrap_or("/");
    let query = parts.uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let uri: Uri = format!("{path}{query}").parse().map_err(|_| Status::bad_request("the path cannot be proxied"))?;
    let address = parts.extensions.get::<Peer>().map(|peer| peer.address.ip().to_string());
    let mut headers = parts.headers;
    let host = headers
        .get(HOST)
        .cloned()
        .or_else(|| parts.uri.authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok()));
    strip(&mut headers);
    // the credentials are for this server
    headers.remove(AUTHORIZATION);
    headers.remove(CONTENT_LENGTH);
    if let Some(host) = host {
        headers.insert("x-forwarded-host", host.clone());
        headers.insert(HOST, host);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
    let forwarded = [("x-forwarded-uri", Some(format!("{}{path}", target.prefix))), ("x-forwarded-for", address)];
    for (name, value) in forwarded {
        if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
            headers.append(name, value);
        }
    }
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, protocol);
    }
    let mut request = Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = uri;
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = headers;
    Ok(request)
}

fn strip(headers: &mut HeaderMap) {
    for name in HOP.iter().chain([&KEEP_ALIVE]) {
        headers.remove(name);
    }
}

/// The answer as the client gets it.
async fn incoming(response: Response<hyper::body::Incoming>, target: &ProxyTarget) -> Result<Response<Body>, Status> {
    let (mut parts, body) = response.into_parts();
    strip(&mut parts.headers);
    parts.version = Version::HTTP_11;
    if let Some(location) = parts.headers.get(LOCATION).and_then(|v| v.to_str().ok()) {
        let here = html::rewrite_link(location, &target.prefix);
        if let Some(value) = here.and_then(|l| HeaderValue::from_str(&l).ok()) {
            parts.headers.insert(LOCATION, value);
        }
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/html") || parts.headers.contains_key(CONTENT_ENCODING) {
        return Ok(Response::from_parts(parts, Body::new(body)));
    }
    let page: Bytes = match Limited::new(body, MAX_PAGE).collect().await {
        Ok(page) => page.to_bytes(),
        Err(error) => return Err(unreachable(error.as_ref())),
    };
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(html::rewrite(&page, &target.prefix))))
}

/// Both connections go on in another protocol, opaque from here on.
fn switch(
    front: &Front,
    mut response: Response<hyper::body::Incoming>,
    client: Option<OnUpgrade>,
) -> Result<Response<Body>, Status> {
    let Some(client) = client else {
        return Err(Status::failure(502, Reason::InternalError, "the backend changed the protocol unasked"));
    };
    let backend = hyper::upgrade::on(&mut response);
    front.tasks.spawn("proxied upgrade", async move {
        let (Ok(client), Ok(backend)) = tokio::join!(client, backend) else { return };
        let (mut client, mut backend) = (TokioIo::new(client), TokioIo::new(backend));
        if let Err(error) = tokio::io::copy_bidirectional(&mut client, &mut backend).await {
            tracing::debug!(%error, "a proxied connection broke");
        }
    });
    let mut reply = reply::plain(StatusCode::SWITCHING_PROTOCOLS, "", Body::empty());
    *reply.headers_mut() = std::mem::take(response.headers_mut());
    Ok(reply)
}

/// A stream that may be wrapped.
type Io = Box<dyn Duplex>;

#[cfg(test)]
mod tests;
