//! Requests that are handed on to another API server, one connection each.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, HOST, HeaderName, LOCATION, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use nakhoda_api::status::chain;
use nakhoda_api::{Reason, Status};
use nakhoda_daemon::tls;
use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::{Aggregation, Backend};
use crate::pipeline::Pipeline;
use crate::response::Duplex;
use crate::rest::streaming::proxy::tls::unchecked;
use crate::user::User;
use crate::webhooks::dial_service;

/// Longer documents are refused.
const DOCUMENT_MAX: usize = 8 << 20;
/// How long a server may take to tell what it serves.
const WITHIN: Duration = Duration::from_secs(5);
/// What callers could name others by: here, and at the other server.
const NAMING: [&str; 2] = ["x-remote-", "impersonate-"];

/// Hands a request on, in the name of its caller.
pub async fn forward(
    aggregation: &Aggregation,
    pipeline: &Pipeline,
    backend: &Backend,
    user: &User,
    mut parts: Parts,
    body: Body,
) -> Result<Response<Body>, Status> {
    if parts.headers.contains_key(UPGRADE) {
        return Err(Status::failure(501, Reason::Unknown, "connections to other API servers are not upgraded"));
    }
    let names = |name: &&HeaderName| NAMING.iter().any(|naming| name.as_str().starts_with(naming));
    let spoofed: Vec<HeaderName> = parts.headers.keys().filter(names).cloned().collect();
    for name in spoofed.into_iter().chain([AUTHORIZATION, CONNECTION, TRANSFER_ENCODING]) {
        parts.headers.remove(name);
    }
    name_caller(&mut parts, user);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = path.parse().map_err(|_| Status::bad_request("the path cannot be handed on"))?;
    parts.uri = uri;
    let response = send(aggregation, pipeline, backend, Request::from_parts(parts, body)).await?;
    Ok(unless_elsewhere(response.map(Body::new)))
}

/// The answer, unless it sends the client elsewhere: he would follow with credentials that are for this server.
fn unless_elsewhere(response: Response<Body>) -> Response<Body> {
    if !(response.status().is_redirection() && response.headers().contains_key(LOCATION)) {
        return response;
    }
    let told = "the backend attempted to redirect this request, which is not permitted";
    let mut refused = Response::new(Body::from(told));
    *refused.status_mut() = StatusCode::BAD_GATEWAY;
    refused
}

/// Reads a document in this server's own name.
pub async fn get(
    aggregation: &Aggregation,
    pipeline: &Pipeline,
    backend: &Backend,
    path: &str,
    accept: &str,
) -> Result<Bytes, Status> {
    let (code, body) = ask(aggregation, pipeline, backend, &User::aggregator(), path, accept).await?;
    if code.is_success() {
        Ok(body)
    } else {
        Err(Status::unavailable(format!("bad status from {path}: {}", code.as_u16()), 0))
    }
}

/// Reads a path in the name of a caller, as JSON; a failure is told in the other server's words.
pub async fn read(
    aggregation: &Aggregation,
    pipeline: &Pipeline,
    backend: &Backend,
    user: &User,
    path: &str,
) -> Result<Bytes, Status> {
    let (code, body) = ask(aggregation, pipeline, backend, user, path, "application/json").await?;
    if code.is_success() {
        return Ok(body);
    }
    let told: Option<Status> = serde_json::from_slice(&body).ok();
    let silent = || Status::unavailable(format!("bad status from {path}: {}", code.as_u16()), 0);
    Err(told.filter(|status| status.code == code.as_u16()).unwrap_or_else(silent))
}

async fn ask(
    aggregation: &Aggregation,
    pipeline: &Pipeline,
    backend: &Backend,
    user: &User,
    path: &str,
    accept: &str,
) -> Result<(StatusCode, Bytes), Status> {
    let request = Request::builder().uri(path).header("accept", accept).body(Body::empty());
    let (mut parts, body) = request.map_err(|error| Status::internal(&error))?.into_parts();
    name_caller(&mut parts, user);
    let exchange = async {
        let response = send(aggregation, pipeline, backend, Request::from_parts(parts, body)).await?;
        let code = response.status();
        let body = Limited::new(response.into_body(), DOCUMENT_MAX).collect().await;
        let body = body.map_err(|error| Status::unavailable(error.to_string(), 0))?.to_bytes();
        Ok((code, body))
    };
    tokio::time::timeout(WITHIN, exchange).await.unwrap_or_else(|_| Err(Status::unavailable("timed out", 0)))
}

fn name_caller(parts: &mut Parts, user: &User) {
    let mut add = |name: String, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            parts.headers.append(name, value);
        }
    };
    add("x-remote-user".into(), &user.name);
    add("x-remote-uid".into(), &user.uid);
    user.groups.iter().for_each(|group| add("x-remote-group".into(), group));
    for (key, values) in &user.extra {
        values.iter().for_each(|value| add(format!("x-remote-extra-{}", key.replace('/', "%2f")), value));
    }
}

async fn send(
    aggregation: &Aggregation,
    pipeline: &Pipeline,
    backend: &Backend,
    mut request: Request<Body>,
) -> Result<Response<hyper::body::Incoming>, Status> {
    let spec = backend.service.spec.clone().unwrap_or_default();
    let service = spec.service.unwrap_or_default();
    let (namespace, name) = (service.namespace.unwrap_or_default(), service.name.unwrap_or_default());
    let port = u16::try_from(service.port.unwrap_or(443)).unwrap_or(443);
    let unreachable = |why: String| Status::unavailable(format!("error trying to reach service: {why}"), 0);
    let stream = dial_service(pipeline, &namespace, &name, port).await?;
    let host = format!("{name}.{namespace}.svc");
    let server = ServerName::try_from(host.clone()).map_err(|error| unreachable(error.to_string()))?;
    let config = match (spec.insecure_skip_tls_verify, spec.ca_bundle) {
        (Some(true), _) => unchecked(aggregation.identity.clone()),
        (_, bundle) => {
            let roots = tls::roots_from_pem(&bundle.unwrap_or_default().0, "caBundle".as_ref());
            tls::client(
                roots.map_err(|error| unreachable(chain(&error)))?,
                aggregation.identity.clone(),
                &[b"http/1.1"],
            )
        }
    };
    let tls = TlsConnector::from(Arc::new(config)).connect(server, stream).await;
    let stream: Box<dyn Duplex> = Box::new(tls.map_err(|error| unreachable(chain(&error)))?);
    if let Ok(host) = HeaderValue::from_str(&host) {
        request.headers_mut().insert(HOST, host);
    }
    *request.version_mut() = http::Version::HTTP_11;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(chain(&error)))?;
    // lives as long as the body of the answer is read
    aggregation.tasks.spawn("aggregated connection", async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to another API server broke");
        }
    });
    sender.send_request(request).await.map_err(|error| unreachable(chain(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_named_in_headers() {
        let (mut parts, ()) = Request::new(()).into_parts();
        let user = User { name: "jane".into(), groups: vec!["a".into(), "b".into()], ..User::default() };
        name_caller(&mut parts, &user);
        assert_eq!(parts.headers["x-remote-user"], "jane");
        let groups: Vec<_> = parts.headers.get_all("x-remote-group").iter().collect();
        assert_eq!(groups, ["a", "b"]);
    }

    /// CVE-2022-3172: an aggregated server that sends clients elsewhere, with their credentials.
    #[test]
    fn a_backend_sends_no_client_elsewhere() {
        let answer = |code: u16, location: Option<&str>| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::from_u16(code).expect("a code");
            if let Some(location) = location {
                response.headers_mut().insert(LOCATION, location.parse().expect("a value"));
            }
            let response = unless_elsewhere(response);
            (response.status().as_u16(), response.headers().contains_key(LOCATION))
        };
        assert_eq!(answer(302, Some("https://evil.example/")), (502, false));
        assert_eq!((answer(304, None), answer(201, Some("/x"))), ((304, false), (201, true)));
    }
}
