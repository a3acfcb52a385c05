//! The REST front: URLs, media types and upgrades on one side, [`crate::request::Request`] and
//! [`crate::response::Response`] on the other.
//!
//! Architecture invariant: nothing but this module knows a URL, an HTTP header or a media type's name.
//! `/api` and `/apis` have one handler with a path parser of their own ([`path`]): custom resources come
//! and go, so there are no routes to register. Absent: CBOR, and the v1beta1 forms of Table and
//! PartialObjectMetadata, which are answered as v1.

pub(crate) mod aggregated;
pub mod body;
pub mod caller;
pub mod document;
pub mod negotiate;
pub mod path;
pub mod query;
pub mod reply;
pub mod resource;
pub mod streaming;
pub mod watch;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::header::{CACHE_CONTROL, HeaderName};
use http::{HeaderValue, Request, Response};
use nakhoda_api::Status;
use nakhoda_daemon::health::Health;
use nakhoda_daemon::metrics::Metrics;
use nakhoda_daemon::tasks::Tasks;

use crate::discovery::openapi::Documents;
use crate::identity::Issuer;
use crate::pipeline::Pipeline;
use path::Route;
use reply::Asked;

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// What the front needs of the process.
pub struct Front {
    /// Where requests go.
    pub pipeline: Pipeline,
    /// Where upgraded connections live.
    pub tasks: Tasks,
    /// What `/livez` and `/readyz` answer.
    pub health: Health,
    /// What `/metrics` answers.
    pub metrics: Metrics,
    /// What the OpenID documents tell, if tokens are issued.
    pub issuer: Option<Arc<Issuer>>,
    /// What is kept of the OpenAPI documents.
    pub openapi: Documents,
    /// `HOST:PORT` under which clients reach this server, for `/api`.
    pub advertised: String,
}

/// Serves everything that is not gRPC.
pub fn router(front: Front) -> Router {
    Router::new().fallback(serve).with_state(Arc::new(front))
}

async fn serve(State(front): State<Arc<Front>>, request: Request<Body>) -> Response<Body> {
    let (mut parts, mut body) = request.into_parts();
    let asked = Asked::new(&parts);
    let audit = audit_id(&parts.headers);
    parts.headers.insert(AUDIT_ID, audit.clone());
    let backend = aggregated::backend(&front.pipeline, parts.uri.path());
    let mut response = match backend.map_or_else(|| Err(Route::parse(parts.uri.path())), Ok) {
        Ok(backend) => Box::pin(aggregated::serve(&front, parts, body, backend, &asked)).await,
        // boxed: the futures of all verbs in one are large
        Err(Route::Resource(located)) => Box::pin(resource::answer(&front, parts, body, located, &asked)).await,
        Err(Route::Document(path)) => {
            let answered = document::serve(&front, &parts, &path, &asked).await;
            answered.unwrap_or_else(|status| reply::failure(&status, &asked))
        }
        Err(Route::Nothing) => {
            body::drain(&mut body).await;
            reply::failure(&Status::no_such_path(), &asked)
        }
    };
    let headers = response.headers_mut();
    headers.insert(AUDIT_ID, audit);
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache, private"));
    response
}

/// The id that the client chose, or a new one.
fn audit_id(headers: &http::HeaderMap) -> HeaderValue {
    let chosen = headers.get(AUDIT_ID).filter(|id| !id.is_empty() && id.len() <= 64).cloned();
    chosen
        .unwrap_or_else(|| HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()).expect("a UUID is a header value"))
}

#[cfg(test)]
mod tests;
