//! `exec`: a new process in a container.

use futures::future::BoxFuture;
use nakhoda_api::Status;
use nakhoda_rpc::v1::NodeOpen;

use super::Handler;
use crate::kubelets::channels::{self, Session};
use crate::kubelets::locate::{self, Located};
use crate::request::{Action, Connect};
use crate::response::{Answer, Response, Streaming};
use crate::verb::Call;

/// Opens a session with a new process.
pub struct Exec;

// === impl Exec ===

impl Handler for Exec {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Connect(connect) = action else { return Err(call.unsupported("exec")) };
            session(call, &connect, Session::Exec).await
        })
    }
}

/// Opens a session of either kind with the streams that the parameters ask for.
pub(super) async fn session(call: &Call, connect: &Connect, kind: Session) -> Result<Response, Status> {
    locate::may_create(call, &connect.method).await?;
    let located = Located::of(call, &call.target.name).await?;
    let container = located.container(connect.get("container"))?;
    let open = NodeOpen {
        pod: Some(located.reference(&container)),
        command: connect.all("command").map(Into::into).collect(),
        stdin: connect.flag("stdin"),
        stdout: connect.flag("stdout"),
        // a terminal has one output
        stderr: connect.flag("stderr") && !connect.flag("tty"),
        tty: connect.flag("tty"),
        ..NodeOpen::default()
    };
    let place = located.place(call)?;
    locate::may_upgrade(connect)?;
    if matches!(kind, Session::Exec) && open.command.is_empty() {
        return Err(Status::bad_request("you must specify at least one command for the container"));
    }
    if !(open.stdin || open.stdout || open.stderr) {
        return Err(Status::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
    }
    let opened = channels::open(locate::kubelets(call)?, &place, kind, open).await?;
    Ok(Response::new(Answer::Stream(Streaming::Channels(opened))))
}
