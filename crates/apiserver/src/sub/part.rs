//! Subresources that are written as the whole object, of which the kind's `prepare` lets through one part only:
//! `pods/ephemeralcontainers`, `pods/resize`.

use futures::future::BoxFuture;
use nakhoda_api::Status;

use super::Handler;
use crate::request::Action;
use crate::response::Response;
use crate::verb::{Call, get, patch, update};

/// The handler.
pub struct Part;

impl Handler for Part {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Get { resource_version } => get::get(call, &resource_version).await,
                Action::Update(write) => update::update(call, write).await,
                Action::Patch(write) => patch::patch(call, write).await,
                _ => Err(call.unsupported(&call.target.subresource)),
            }
        })
    }
}
