//! `log`: what a container wrote.

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::{GroupKind, Status};
use nakhoda_rpc::status::from_tonic;
use nakhoda_rpc::v1::LogsRequest;

use super::Handler;
use crate::kubelets::locate::{self, Located};
use crate::request::{Action, Connect};
use crate::response::{Answer, Response, Streaming};
use crate::verb::Call;

/// How upstream prints the path of a field without a name.
const UNNAMED: &str = "[]";

/// Reads a log, or follows it.
pub struct Log;

// === impl Log ===

impl Handler for Log {
    fn call<'a>(&'a self, call: &'a Call, action: Action) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(async move {
            let Action::Connect(connect) = action else { return Err(call.unsupported("log")) };
            if connect.method != "get" {
                return Err(call.unsupported(&connect.method));
            }
            let mut request = options(&connect, &call.target.name)?;
            let located = Located::of(call, &call.target.name).await?;
            let container = located.container(connect.get("container"))?;
            if located.node.is_empty() {
                return Ok(Response::new(Answer::Stream(Streaming::Nothing)));
            }
            request.pod = Some(located.reference(&container));
            let place = located.place(call)?;
            let mut node = locate::kubelets(call)?.node(&place)?;
            let chunks = node.logs(request).await.map_err(|status| from_tonic(&status))?.into_inner();
            Ok(read(chunks.map(|chunk| chunk.map(|c| c.data).map_err(|status| from_tonic(&status)))))
        })
    }
}

fn read(stream: impl futures::Stream<Item = Result<Bytes, Status>> + Send + 'static) -> Response {
    Response::new(Answer::Stream(Streaming::Read(Box::pin(stream))))
}

/// PodLogOptions, checked as upstream checks them.
fn options(connect: &Connect, name: &str) -> Result<LogsRequest, Status> {
    let request = LogsRequest {
        pod: None,
        follow: connect.flag("follow"),
        previous: connect.flag("previous"),
        timestamps: connect.flag("timestamps"),
        tail_lines: connect.number("tailLines")?,
        since_seconds: connect.number("sinceSeconds")?,
        since_time: connect.get("sinceTime").into(),
        limit_bytes: connect.number("limitBytes")?,
        stream: connect.get("stream").into(),
    };
    if !request.since_time.is_empty() && request.since_time.parse::<jiff::Timestamp>().is_err() {
        return Err(Status::bad_request(format!(
            "parsing time {0:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {0:?} as \"2006\"",
            request.since_time
        )));
    }
    let mut errors = Errors::default();
    if let Some(lines) = request.tail_lines.filter(|n| *n < 0) {
        errors.invalid(&Path::new("tailLines"), lines, "must be greater than or equal to 0");
    }
    if let Some(bytes) = request.limit_bytes.filter(|n| *n < 1) {
        errors.invalid(&Path::new("limitBytes"), bytes, "must be greater than 0");
    }
    match request.since_seconds {
        Some(_) if !request.since_time.is_empty() => {
            errors.forbidden(&Path::new(UNNAMED), "at most one of `sinceTime` or `sinceSeconds` may be specified");
        }
        Some(seconds) if seconds < 1 => errors.invalid(&Path::new("sinceSeconds"), seconds, "must be greater than 0"),
        _ => {}
    }
    // upstream has its streams switched off
    if !request.stream.is_empty() {
        errors.forbidden(&Path::new("stream"), "may not be specified");
    }
    if errors.is_empty() {
        return Ok(request);
    }
    Err(Status::invalid(&GroupKind { group: String::new(), kind: "PodLogOptions".into() }, name, &errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(pairs: &[(&str, &str)]) -> Result<LogsRequest, Status> {
        let parameters = pairs.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        options(&Connect { method: "get".into(), parameters, plain: true }, "x")
    }

    #[test]
    fn options_are_passed_on() {
        let request = checked(&[("follow", "true"), ("tailLines", "5"), ("timestamps", "false")]).expect("valid");
        assert!(request.follow && !request.timestamps);
        assert_eq!(request.tail_lines, Some(5));
    }

    #[test]
    fn options_that_contradict_each_other_are_invalid() {
        for pairs in [
            &[("tailLines", "-1")][..],
            &[("sinceSeconds", "0")],
            &[("sinceSeconds", "5"), ("sinceTime", "2026-01-01T00:00:00Z")],
            &[("stream", "Stdout")],
        ] {
            assert!(checked(pairs).is_err_and(|s| s.code == 422), "{pairs:?}");
        }
        assert!(checked(&[("tailLines", "x")]).is_err_and(|s| s.code == 400));
    }
}
