//! `attach`: the streams of a container's own process.

use futures::future::BoxFuture;
use nakhoda_api::Status;

use super::{Handler, exec};
use crate::kubelets::channels::Session;
use crate::request::Action;
use crate::response::Response;
use crate::verb::Call;

/// Opens a session with the process that runs already.
pub struct Attach;

// === impl Attach ===

impl Handler for Attach {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Connect(connect) = action else { return Err(call.unsupported("attach")) };
            exec::session(call, &connect, Session::Attach).await
        })
    }
}
