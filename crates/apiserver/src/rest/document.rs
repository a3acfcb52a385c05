//! Documents outside the resource tree: version, health, metrics, discovery, OpenAPI, OpenID.
//!
//! Reading one is authorized by its path, like anything else.

mod discovery;
mod health;
mod openapi;
mod openid;

use axum::body::Body;
use bytes::Bytes;
use http::header::{ETAG, IF_NONE_MATCH, VARY};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use nakhoda_api::wire::Media;
use nakhoda_api::{GroupVersionKind, Status};
use nakhoda_streams::headers::elements;
use serde_json::{Value, json};
use sha2::Digest;

use crate::render;
use crate::request::{Accept, Action, Caller, Request, Target};
use crate::rest::reply::{self, Asked};
use crate::rest::{Front, caller, negotiate};
use crate::serve::Peer;

/// The Kubernetes version whose API this is.
const VERSION: &str = "v1.37.0+nakhoda";

/// Answers a request for a document.
pub async fn serve(front: &Front, parts: &Parts, path: &str, asked: &Asked) -> Result<Response<Body>, Status> {
    let mut caller = caller::caller(&parts.headers, parts.extensions.get::<Peer>())?;
    caller.origin.uri = reply::uri(parts);
    let trail = caller.trail.clone();
    let answered = visit(front, parts, path, asked, caller).await;
    trail.code(answered.as_ref().map_or_else(|status| status.code, |response| response.status().as_u16()));
    answered
}

async fn visit(
    front: &Front,
    parts: &Parts,
    path: &str,
    asked: &Asked,
    caller: Caller,
) -> Result<Response<Body>, Status> {
    let request = Request {
        target: Target::Path(path.to_owned()),
        action: Action::Visit { method: parts.method.as_str().to_ascii_lowercase() },
        caller,
        accept: Accept::default(),
    };
    front.pipeline.call(request).await?;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let found = document(front, parts, &segments, asked).await?;
    let (method, exists) = (&parts.method, found.status() != StatusCode::NOT_FOUND);
    // who answers for all API servers does not ask how; the documents of one are for GET alone
    let taken = match segments.as_slice() {
        [""] | ["apis"] | ["apis", _] => true,
        ["api" | "apis" | "version", ..] => method == Method::GET,
        _ => matches!(*method, Method::GET | Method::HEAD),
    };
    if exists && !taken { Err(Status::method_not_allowed()) } else { Ok(found) }
}

async fn document(front: &Front, parts: &Parts, segments: &[&str], asked: &Asked) -> Result<Response<Body>, Status> {
    match segments {
        [""] => json(&discovery::paths(front), "", asked),
        ["version"] => json(&version(), "", asked),
        ["metrics"] => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            Ok(reply::plain(StatusCode::OK, kind, front.metrics.text()))
        }
        [probe @ ("healthz" | "livez" | "readyz"), check @ ..] => {
            health::serve(&front.health, probe, check, &asked.query)
        }
        [".well-known", "openid-configuration"] | ["openid", "v1", "jwks"] => openid::serve(front, segments),
        ["openapi", path @ ..] => openapi::serve(front, parts, path, asked).await,
        ["apis", _] => match discovery::serve(front, parts, segments, asked) {
            // servers hand on to each other what they do not know, and the last has no words
            Err(status) if status.code == 404 => Ok(reply::no_page()),
            answered => answered,
        },
        ["api" | "apis", ..] => discovery::serve(front, parts, segments, asked),
        _ => Ok(reply::no_page()),
    }
}

fn version() -> Value {
    json!({
        "major": "1",
        "minor": "37",
        "gitVersion": VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, architecture()),
    })
}

/// The name that Go gives the processor.
const fn architecture() -> &'static str {
    if cfg!(target_arch = "x86_64") {
        "amd64"
    } else if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        std::env::consts::ARCH
    }
}

/// A document in the encoding that the client reads; `kind` is that of the API type, if it is one.
fn json(value: &Value, kind: &str, asked: &Asked) -> Result<Response<Body>, Status> {
    let accept = negotiate::accept_for_error(&asked.accept, &asked.query, &asked.agent);
    let accept = if kind.is_empty() { Accept { media: Media::Json, ..accept } } else { accept };
    let text = Bytes::from(value.to_string());
    let body = render::encode(&GroupVersionKind::new("", "v1", kind), &text, accept.media)?;
    Ok(reply::plain(StatusCode::OK, accept.media.mime(), reply::laid_out(body, accept)))
}

/// A JSON text with an `ETag`; 304 without a body if the client has it already.
fn tagged(parts: &Parts, content_type: &str, body: Bytes) -> Response<Body> {
    let digest: String = sha2::Sha512::digest(&body).iter().map(|byte| format!("{byte:02X}")).collect();
    let tag = format!("\"{digest}\"");
    let known = elements(&parts.headers, IF_NONE_MATCH.as_str()).any(|t| t == tag || t == "*");
    let mut response = if known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        reply::plain(StatusCode::OK, content_type, body)
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits are a header value"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_the_client_has_is_not_sent_again() {
        let body = Bytes::from_static(b"{}");
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let first = tagged(&parts, "application/json", body.clone());
        assert_eq!(first.status(), 200);
        parts.headers.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        assert_eq!(tagged(&parts, "application/json", body).status(), 304);
    }

    #[test]
    fn the_version_is_one_that_clients_parse() {
        let version = version();
        assert_eq!((version["major"].as_str(), version["minor"].as_str()), (Some("1"), Some("37")));
        assert!(version["gitVersion"].as_str().is_some_and(|v| v.starts_with("v1.37.")));
    }
}
