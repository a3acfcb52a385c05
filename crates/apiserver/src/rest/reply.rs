//! HTTP responses out of bytes and failures: headers, compression, the form of errors.

use std::io::Write;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream::iter;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, RETRY_AFTER, VARY, WARNING};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use nakhoda_api::Status;
use nakhoda_api::wire::Media;
use nakhoda_streams::headers::elements;

use crate::pipeline::flow::Classified;
use crate::render;
use crate::render::list::chunks::Chunks;
use crate::request::Accept;
use crate::rest::query::Query;
use crate::rest::{caller, negotiate};

mod packed;

use packed::Packed;

const FLOW_SCHEMA: HeaderName = HeaderName::from_static("x-kubernetes-pf-flowschema-uid");
const PRIORITY_LEVEL: HeaderName = HeaderName::from_static("x-kubernetes-pf-prioritylevel-uid");
/// Shorter bodies are not worth compressing.
const GZIP_FROM: usize = 128 << 10;
/// All warnings of an answer together may be so long.
const WARNINGS: usize = 4 << 10;

/// What a request says about the answer it can read.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The `Accept` header.
    pub accept: String,
    /// The `User-Agent` header.
    pub agent: String,
    /// The query.
    pub query: Query,
    /// Whether gzip may be used.
    pub gzip: bool,
}

// === impl Asked ===

impl Asked {
    /// Reads the head of a request.
    #[must_use]
    pub fn new(parts: &Parts) -> Self {
        Self {
            accept: elements(&parts.headers, "accept").collect::<Vec<_>>().join(","),
            agent: caller::text(&parts.headers, "user-agent").to_owned(),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            gzip: elements(&parts.headers, ACCEPT_ENCODING.as_str()).any(|e| e == "gzip"),
        }
    }
}

/// The path and query, as the client wrote them.
#[must_use]
pub fn uri(parts: &Parts) -> String {
    parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default()
}

/// A body in a media type; long ones are compressed if the client reads that.
pub async fn bytes(code: StatusCode, body: Bytes, accept: Accept, asked: &Asked) -> Response<Body> {
    let body = laid_out(body, accept);
    let mut response = plain(code, accept.media.mime(), body.clone());
    if asked.gzip && body.len() > GZIP_FROM {
        // a long list takes tens of milliseconds: not on a thread that serves others
        if let Ok(packed) = tokio::task::spawn_blocking(move || gzip(&body)).await {
            *response.body_mut() = Body::from(packed);
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
        }
    }
    response
}

/// A long list, made and compressed while it is sent. What fails on the way cuts the answer off.
pub fn chunked(chunks: Chunks, accept: Accept, asked: &Asked) -> Response<Body> {
    let pieces = chunks.map(|piece| piece.map_err(std::io::Error::other));
    let body = if asked.gzip { Body::from_stream(iter(Packed::new(pieces))) } else { Body::from_stream(iter(pieces)) };
    let mut response = plain(StatusCode::OK, accept.media.mime(), body);
    if asked.gzip {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

/// JSON with indentation for people, everything else as it is.
#[must_use]
pub fn laid_out(body: Bytes, accept: Accept) -> Bytes {
    if accept.pretty && accept.media == Media::Json { render::json::pretty(&body) } else { body }
}

/// A body as it is.
pub fn plain(code: StatusCode, content_type: &str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = code;
    let value = HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(CONTENT_TYPE, value);
    response
}

/// What is answered where nothing was ever served: no Status, but what Go's multiplexer says.
#[must_use]
pub fn no_page() -> Response<Body> {
    plain(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "404 page not found\n")
}

/// A failure as a Status object.
#[must_use]
pub fn failure(status: &Status, asked: &Asked) -> Response<Body> {
    let accept = negotiate::accept_for_error(&asked.accept, &asked.query, &asked.agent);
    let body = laid_out(render::status(status, accept.media), accept);
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = plain(code, accept.media.mime(), body);
    if let Some(seconds) = status.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// Tells by which FlowSchema and priority level the request was let in.
pub fn classify(headers: &mut HeaderMap, classified: &Classified) {
    for (name, uid) in [(FLOW_SCHEMA, &classified.schema), (PRIORITY_LEVEL, &classified.level)] {
        if let Ok(value) = HeaderValue::from_str(uid) {
            headers.insert(name, value);
        }
    }
}

/// Adds `Warning: 299 - "text"` for each text, once, as far as they fit.
pub fn warn(headers: &mut HeaderMap, warnings: &[String]) {
    let mut left = WARNINGS;
    for (index, text) in warnings.iter().enumerate() {
        if warnings[..index].contains(text) || text.len() > left {
            continue;
        }
        left -= text.len();
        if let Ok(value) = HeaderValue::from_str(&format!("299 - {}", quoted(text))) {
            headers.append(WARNING, value);
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use std::io::Read;

    #[test]
    fn warnings_are_quoted_and_told_once() {
        let mut headers = HeaderMap::new();
        warn(&mut headers, &[r#"unknown field "x""#.into(), r#"unknown field "x""#.into(), "b".into()]);
        let values: Vec<_> = headers.get_all(WARNING).iter().collect();
        assert_eq!(values, [r#"299 - "unknown field \"x\"""#, r#"299 - "b""#]);
    }

    #[tokio::test]
    async fn long_bodies_are_compressed_only_for_those_who_ask() {
        let body = Bytes::from(vec![b'x'; GZIP_FROM + 1]);
        let plain = bytes(StatusCode::OK, body.clone(), Accept::default(), &Asked::default()).await;
        assert!(plain.headers().get(CONTENT_ENCODING).is_none());
        let asked = Asked { gzip: true, ..Asked::default() };
        let packed = bytes(StatusCode::OK, body.clone(), Accept::default(), &asked).await;
        assert_eq!(packed.headers()[CONTENT_ENCODING], "gzip");
        let packed = packed.into_body().collect().await.expect("whole").to_bytes();
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).expect("gzip");
        assert_eq!(unpacked, body);
    }

    #[test]
    fn a_failure_tells_when_to_come_again() {
        let response = failure(&Status::too_many_requests("slow down", 3), &Asked::default());
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()[RETRY_AFTER], "3");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    }
}
