//! [`nakhoda_api::Status`] across gRPC: the code tells generic tools what happened, the binary
//! details carry the whole object as JSON.

use nakhoda_api::{Reason, Status};
use tonic::Code;

/// The gRPC form of a failed request.
#[must_use]
pub fn to_tonic(status: &Status) -> tonic::Status {
    let details = serde_json::to_vec(status).expect("a Status always serialises");
    tonic::Status::with_details(code(status), status.message.clone(), details.into())
}

/// Reads a Status out of a gRPC failure; one that carries none (a broken connection, a deadline)
/// becomes 503, 504 or 500.
#[must_use]
pub fn from_tonic(status: &tonic::Status) -> Status {
    if let Ok(status) = serde_json::from_slice(status.details()) {
        return status;
    }
    let message = status.message();
    match status.code() {
        // Our servers always send details: Unknown without them is how tonic tells of a broken connection.
        Code::Unavailable | Code::Cancelled | Code::Unknown => Status::unavailable(cause(status), 0),
        Code::DeadlineExceeded => Status::timeout(message),
        Code::Unauthenticated => Status::unauthorized(),
        Code::PermissionDenied => Status::failure(403, Reason::Forbidden, message),
        Code::Unimplemented => Status::failure(405, Reason::MethodNotAllowed, message),
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => Status::bad_request(message),
        Code::ResourceExhausted => Status::failure(413, Reason::RequestEntityTooLarge, message),
        Code::NotFound => Status::failure(404, Reason::NotFound, message),
        Code::AlreadyExists => Status::failure(409, Reason::AlreadyExists, message),
        Code::Aborted => Status::failure(409, Reason::Conflict, message),
        Code::Ok | Code::Internal | Code::DataLoss => Status::failure(500, Reason::InternalError, message),
    }
}

/// What broke the connection stands in the sources: a certificate that was refused, for example. Some repeat theirs.
fn cause(status: &tonic::Status) -> String {
    let first = std::error::Error::source(status);
    let sources = std::iter::successors(first, |error| error.source()).map(ToString::to_string);
    sources.fold(
        status.message().to_owned(),
        |told, source| {
            if told.contains(&source) { told } else { format!("{told}: {source}") }
        },
    )
}

fn code(status: &Status) -> Code {
    match status.code {
        400 | 406 | 415 | 422 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        405 => Code::Unimplemented,
        409 if status.is(Reason::AlreadyExists) => Code::AlreadyExists,
        409 => Code::Aborted,
        410 => Code::OutOfRange,
        413 | 429 => Code::ResourceExhausted,
        503 => Code::Unavailable,
        504 => Code::DeadlineExceeded,
        _ => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nakhoda_api::GroupResource;

    #[test]
    fn a_status_survives_the_crossing_whole() {
        let sent = Status::conflict(&GroupResource::new("apps", "deployments"), "x", "why");
        assert_eq!(from_tonic(&to_tonic(&sent)), sent);
    }

    #[test]
    fn a_broken_connection_reads_as_unavailable() {
        assert_eq!(from_tonic(&tonic::Status::unavailable("gone")).code, 503);
    }
}
