//! What the store says, in the words of the API (`k8s.io/apiserver/pkg/registry/generic/registry`).

use std::time::Duration;

use nakhoda_api::status::{Cause, Details};
use nakhoda_api::{Reason, Status};
use nakhoda_store::Error;

use super::Call;

/// Largest value that is stored, in bytes: etcd's own limit with room for the rest of a transaction.
pub const VALUE_MAX: usize = 1_400_000;

/// The Status of a failed operation on the object `name`.
#[must_use]
pub fn status(call: &Call, name: &str, error: &Error) -> Status {
    let resource = call.resource();
    match error {
        Error::NotFound => Status::not_found(&resource, name),
        Error::Exists { .. } => Status::already_exists(&resource, name),
        Error::Conflict { current: None } => Status::not_found(&resource, name),
        Error::Conflict { .. } | Error::Condition { .. } => Status::modified(&resource, name),
        Error::Fenced => Status::conflict(&resource, name, "the leadership that this write depends on has moved"),
        Error::Compacted { .. } => Status::expired("The resourceVersion for the provided list is too old."),
        Error::Future { requested, current } => too_large(*requested, *current),
        Error::Unavailable { .. } | Error::TimedOut => Status::unavailable(format!("etcd: {}", chain(error)), 1),
        Error::TooLarge => Status::too_large(VALUE_MAX),
        Error::Full => Status::unavailable("etcd: the store is out of space", 10),
        Error::Unreadable { .. } | Error::Corrupt { .. } => Status::internal(error),
    }
}

/// 504: the revision asked for has not come.
fn too_large(requested: u64, current: u64) -> Status {
    let message = format!("Too large resource version: {requested}, current: {current}");
    let cause = Cause {
        reason: "ResourceVersionTooLarge".into(),
        message: "Too large resource version".into(),
        ..Cause::default()
    };
    Status::failure(504, Reason::Timeout, message).with_details(Details {
        causes: vec![cause],
        retry_after_seconds: 1,
        ..Details::default()
    })
}

fn chain(error: &Error) -> String {
    nakhoda_api::status::chain(error)
}

/// How long a read waits for a revision that the cache has not seen.
pub const REVISION_WAIT: Duration = Duration::from_secs(3);

/// A resource version as a number; empty counts as zero.
pub fn revision(text: &str) -> Result<u64, Status> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let why =
            format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
        Status::failure(500, Reason::Unknown, why)
    })
}
