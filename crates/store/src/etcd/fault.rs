//! What etcd's failures mean to us.
//!
//! etcd tells most kinds apart by gRPC code; within a code only its fixed texts differ, which are part of its
//! API (`rpctypes`) and the only way to tell a compacted revision from a future one.

use tonic::Code;

use crate::error::Error;

const COMPACTED: &str = "etcdserver: mvcc: required revision has been compacted";
const FUTURE: &str = "etcdserver: mvcc: required revision is a future revision";
const TOO_LARGE: &str = "etcdserver: request is too large";
const TOO_MANY: &str = "etcdserver: too many operations in txn request";
const OVER_LIMIT: &str = "grpc: received message larger than max";
const NO_SPACE: &str = "etcdserver: mvcc: database space exceeded";

/// The failure in our terms. A lease that is not there is [`Error::NotFound`]: no key ever is.
pub(crate) fn error(error: etcd_client::Error) -> Error {
    let etcd_client::Error::GRpcStatus(status) = &error else {
        return Error::unavailable(error);
    };
    match (status.code(), status.message()) {
        (Code::OutOfRange, COMPACTED) => Error::Compacted { requested: 0, oldest: 0 },
        (Code::OutOfRange, FUTURE) => Error::Future { requested: 0, current: 0 },
        (Code::InvalidArgument, TOO_LARGE | TOO_MANY) => Error::TooLarge,
        (Code::ResourceExhausted, NO_SPACE) => Error::Full,
        (Code::ResourceExhausted, text) if text.starts_with(OVER_LIMIT) => Error::TooLarge,
        (Code::NotFound, _) => Error::NotFound,
        (Code::DeadlineExceeded, _) => Error::TimedOut,
        _ => Error::unavailable(status.clone()),
    }
}

/// The revision a failure is about, which etcd does not tell.
pub(crate) fn at(error: Error, revision: u64) -> Error {
    match error {
        Error::Compacted { oldest, .. } => Error::Compacted { requested: revision, oldest },
        Error::Future { current, .. } => Error::Future { requested: revision, current },
        other => other,
    }
}

/// Whether a read is worth another try.
pub(crate) fn passing(error: &etcd_client::Error) -> bool {
    match error {
        etcd_client::Error::GRpcStatus(status) => {
            matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled)
        }
        etcd_client::Error::TransportError(_) | etcd_client::Error::IoError(_) => true,
        _ => false,
    }
}

/// Whether a write certainly did not leave this process: there was no connection to send it on.
pub(crate) fn unsent(error: &etcd_client::Error) -> bool {
    let etcd_client::Error::GRpcStatus(status) = error else { return false };
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(status);
    while let Some(error) = cause {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
