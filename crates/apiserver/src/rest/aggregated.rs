//! Requests for what another API server serves: authenticated and authorized here, answered there.

use std::sync::Arc;

use axum::body::Body;
use http::request::Parts;
use http::{Method, Response};
use nakhoda_api::Status;

use crate::aggregation::{Aggregation, Backend, proxy};
use crate::authz::Attributes;
use crate::request::Target;
use crate::rest::path::Route;
use crate::rest::query::Query;
use crate::rest::reply::{self, Asked};
use crate::rest::{Front, caller};
use crate::serve::Peer;

/// Who else serves a path, if anybody does.
pub(super) fn backend(front: &Front, path: &str) -> Option<(Aggregation, Arc<Backend>)> {
    let aggregation = front.pipeline.extension::<Aggregation>()?;
    let mut parts = path.strip_prefix("/apis/")?.split('/');
    let backend = aggregation.backend(parts.next()?, parts.next()?)?;
    Some((aggregation.clone(), backend))
}

/// Answers one request, failures too.
pub(super) async fn serve(
    front: &Front,
    parts: Parts,
    body: Body,
    (aggregation, backend): (Aggregation, Arc<Backend>),
    asked: &Asked,
) -> Response<Body> {
    let answered = forward(front, parts, body, &aggregation, &backend, asked).await;
    answered.unwrap_or_else(|status| reply::failure(&status, asked))
}

async fn forward(
    front: &Front,
    parts: Parts,
    body: Body,
    aggregation: &Aggregation,
    backend: &Backend,
    asked: &Asked,
) -> Result<Response<Body>, Status> {
    let caller = caller::caller(&parts.headers, parts.extensions.get::<Peer>())?;
    let user = front.pipeline.identify(&caller).await?;
    let (target, verb) = match Route::parse(parts.uri.path()) {
        Route::Resource(located) => {
            let watch = located.watch || asked.query.flag("watch");
            let verb = verb(&parts.method, located.target.name.is_empty(), watch);
            (Target::Resource(located.target), verb.to_owned())
        }
        Route::Document(path) => (Target::Path(path), parts.method.as_str().to_ascii_lowercase()),
        Route::Nothing => return Err(Status::no_such_path()),
    };
    let fields = Query::parse(parts.uri.query().unwrap_or_default()).get("fieldSelector").to_owned();
    front.pipeline.authorize(&Attributes { user: user.clone(), verb, target, fields })?;
    proxy::forward(aggregation, &front.pipeline, backend, &user, parts, body).await
}

fn verb(method: &Method, collection: bool, watch: bool) -> &'static str {
    match (method.as_str(), collection) {
        ("GET" | "HEAD", _) if watch => "watch",
        ("GET" | "HEAD", true) => "list",
        ("GET" | "HEAD", false) => "get",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "deletecollection",
        _ => "delete",
    }
}
