//! What other API servers serve, for callers over gRPC: it is read, never written.

use http::{Method, Uri};
use nakhoda_api::Status;
use nakhoda_rpc::v1;

use crate::aggregation::proxy;
use crate::pipeline::Pipeline;
use crate::request::Caller;
use crate::rest::aggregated;

/// What another server answers to a GET of a path; 404 if nobody else serves it.
pub(super) async fn read(pipeline: &Pipeline, caller: &Caller, path: &str) -> Result<v1::Object, Status> {
    let uri: Uri = path.parse().map_err(|_| Status::bad_request("the path cannot be read"))?;
    let (aggregation, backend) = aggregated::backend(pipeline, uri.path()).ok_or_else(Status::no_such_path)?;
    let user = aggregated::admit(pipeline, caller, &Method::GET, &uri).await?;
    let body = proxy::read(&aggregation, pipeline, &backend, &user, path).await?;
    Ok(v1::Object { media_type: "application/json".into(), body, ..v1::Object::default() })
}
