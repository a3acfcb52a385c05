//! `/openapi/v2`, `/openapi/v3` and the documents that the latter lists.
//!
//! Absent: the protobuf form of v3.

use axum::body::Body;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, LOCATION, VARY};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use nakhoda_api::Status;
use nakhoda_streams::headers::elements;
use serde_json::{Map, Value, json};

use crate::discovery::openapi::Document;
use crate::rest::negotiate::Clause;
use crate::rest::reply::Asked;
use crate::rest::{Front, reply};

const JSON: &str = "application/json";
/// Clients ask with an `@` where answers have a dot: it may not stand in a media type.
const PROTOBUF: [&str; 2] = [
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
];

/// Answers `/openapi/…`.
pub(super) async fn serve(
    front: &Front,
    parts: &Parts,
    path: &[&str],
    asked: &Asked,
) -> Result<Response<Body>, Status> {
    let set = front.openapi.of(front.pipeline.kinds());
    match path {
        ["v2"] => {
            let protobuf = wants_protobuf(&asked.accept)?;
            let document = make(move || Some(set.v2(protobuf))).await?;
            Ok(reply(parts, asked, if protobuf { PROTOBUF[0] } else { JSON }, &document))
        }
        ["v3"] => {
            let entry = |(path, hash)| {
                (String::from(path), json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")}))
            };
            let paths: Map<String, Value> = set.versions().map(entry).collect();
            Ok(super::tagged(parts, JSON, Bytes::from(json!({ "paths": paths }).to_string())))
        }
        ["v3", version @ ..] => {
            let version = version.join("/");
            let hash = set.versions().find(|(path, _)| *path == version).map(|(_, hash)| hash.to_owned());
            let Some(hash) = hash else { return Ok(unknown()) };
            let asked_hash = asked.query.get("hash");
            if !asked_hash.is_empty() && asked_hash != hash {
                return Ok(moved(&format!("/openapi/v3/{version}?hash={hash}")));
            }
            let document = make(move || set.v3(&version)).await?;
            let mut response = reply(parts, asked, JSON, &document);
            if !asked_hash.is_empty() {
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, immutable"));
            }
            Ok(response)
        }
        _ => Ok(reply::no_page()),
    }
}

/// Makes a document on a thread that may take its time.
async fn make(document: impl FnOnce() -> Option<Document> + Send + 'static) -> Result<Document, Status> {
    let made = tokio::task::spawn_blocking(document).await.map_err(|e| Status::internal(&e))?;
    made.ok_or_else(Status::no_such_path)
}

fn reply(parts: &Parts, asked: &Asked, content_type: &str, document: &Document) -> Response<Body> {
    let tag = format!("\"{}\"", document.hash);
    let known = elements(&parts.headers, IF_NONE_MATCH.as_str()).any(|t| t == tag);
    let (code, body) = match (known, asked.gzip) {
        (true, _) => (StatusCode::NOT_MODIFIED, Bytes::new()),
        (false, true) => (StatusCode::OK, document.gzip.clone()),
        (false, false) => (StatusCode::OK, document.plain()),
    };
    let mut response = reply::plain(code, content_type, body);
    let headers = response.headers_mut();
    headers.insert(ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits are a header value"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if asked.gzip && !known {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// 404 without a word, as the handler of version 3 answers for what it does not have.
fn unknown() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn moved(location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Which of the two forms of v2 comes first in the `Accept` header; 406 if it has neither.
fn wants_protobuf(accept: &str) -> Result<bool, Status> {
    let clauses = Clause::parse_all(accept);
    if clauses.is_empty() {
        return Ok(false);
    }
    let form = |clause: &Clause| match clause.essence.as_str() {
        JSON | "application/*" | "*/*" => Some(false),
        essence if PROTOBUF.contains(&essence) => Some(true),
        _ => None,
    };
    let refused =
        || Status::not_acceptable(format!("only the following media types are accepted: {JSON}, {}", PROTOBUF[0]));
    clauses.iter().find_map(form).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_the_protobuf_form_are_understood() {
        for spelling in PROTOBUF {
            assert_eq!(wants_protobuf(&format!("{spelling}, application/json")), Ok(true));
        }
        assert_eq!(wants_protobuf(""), Ok(false));
        assert_eq!(wants_protobuf("application/json, */*"), Ok(false));
        assert!(wants_protobuf("text/html").is_err_and(|s| s.code == 406));
    }
}
