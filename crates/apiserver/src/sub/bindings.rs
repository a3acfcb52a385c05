//! `bindings`: the older way to bind a pod, by a Binding made in its namespace.

use futures::future::BoxFuture;
use nakhoda_api::Status;

use super::{Handler, binding};
use crate::request::Action;
use crate::response::Response;
use crate::verb::Call;

/// The handler.
pub struct Bindings;

impl Handler for Bindings {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            match action {
                Action::Create(write) => binding::bind(call, write).await,
                _ => Err(call.unsupported("bindings")),
            }
        })
    }
}
