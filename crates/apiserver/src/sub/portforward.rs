//! `portforward`: byte streams to the ports of a pod.

use std::sync::Arc;

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_rpc::v1::NodeOpen;

use super::Handler;
use crate::kubelets::locate::{self, Located};
use crate::kubelets::tunnel::Through;
use crate::request::Action;
use crate::response::{Answer, Response, Streaming};
use crate::verb::Call;

/// Opens as many streams as the client asks for, once it does.
pub struct PortForward;

// === impl PortForward ===

impl Handler for PortForward {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Connect(connect) = action else { return Err(call.unsupported("portforward")) };
            locate::may_create(call, &connect.method).await?;
            let located = Located::of(call, &call.target.name).await?;
            let through = Through {
                kubelets: locate::kubelets(call)?.clone(),
                place: located.place(call)?,
                open: NodeOpen { pod: Some(located.reference("")), ..NodeOpen::default() },
            };
            locate::may_upgrade(&connect)?;
            Ok(Response::new(Answer::Stream(Streaming::Ports(Arc::new(through)))))
        })
    }
}
