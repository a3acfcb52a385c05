//! Requests for what another API server serves: authenticated and authorized here, answered there.

use std::sync::Arc;

use axum::body::Body;
use http::request::Parts;
use http::{Method, Response, Uri};
use nakhoda_api::Status;

use crate::aggregation::{Aggregation, Backend, proxy};
use crate::authz::Attributes;
use crate::pipeline::Pipeline;
use crate::request::{Caller, Target};
use crate::rest::path::Route;
use crate::rest::query::Query;
use crate::rest::reply::{self, Asked};
use crate::rest::{Front, caller};
use crate::serve::Peer;
use crate::user::User;

/// Who else serves a path, if anybody does.
pub(crate) fn backend(pipeline: &Pipeline, path: &str) -> Option<(Aggregation, Arc<Backend>)> {
    let aggregation = pipeline.extension::<Aggregation>()?;
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
    let answered = forward(front, parts, body, &aggregation, &backend).await;
    answered.unwrap_or_else(|status| reply::failure(&status, asked))
}

async fn forward(
    front: &Front,
    parts: Parts,
    body: Body,
    aggregation: &Aggregation,
    backend: &Backend,
) -> Result<Response<Body>, Status> {
    let mut caller = caller::caller(&parts.headers, parts.extensions.get::<Peer>())?;
    caller.origin.uri = reply::uri(&parts);
    let user = admit(&front.pipeline, &caller, &parts.method, &parts.uri).await?;
    proxy::forward(aggregation, &front.pipeline, backend, &user, parts, body).await
}

/// Who asks for a path, if he may.
pub(crate) async fn admit(pipeline: &Pipeline, caller: &Caller, method: &Method, uri: &Uri) -> Result<User, Status> {
    let user = pipeline.identify(caller).await?;
    let query = Query::parse(uri.query().unwrap_or_default());
    let (target, verb) = match Route::parse(uri.path()) {
        Route::Resource(located) => {
            let watch = located.watch || query.flag("watch");
            let verb = verb(method, located.target.name.is_empty(), watch);
            (Target::Resource(located.target), verb.to_owned())
        }
        Route::Document(path) => (Target::Path(path), method.as_str().to_ascii_lowercase()),
        Route::Nothing => return Err(Status::no_such_path()),
    };
    let question =
        Attributes::new(user.clone(), verb, target).selecting(query.get("fieldSelector"), query.get("labelSelector"));
    let user = pipeline.acting(user, caller, |_| question.clone()).await?;
    pipeline.authorize(&Attributes { user: user.clone(), ..question }).await?;
    Ok(user)
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
