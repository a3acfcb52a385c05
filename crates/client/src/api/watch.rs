//! Watches: what is asked for and the events that come back.

use nakhoda_api::{Object, Status};
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::watch_event::Type;
use serde::de::DeserializeOwned;

use super::Selection;
use crate::error::{Error, Result};

/// Marks the bookmark that closes the initial state.
const INITIAL_END: &str = "k8s.io/initial-events-end";

/// Which changes are wanted.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Of which objects.
    pub selection: Selection,
    /// After which revision.
    pub resource_version: String,
    /// Whether the state comes first, closed by a bookmark.
    pub initial: bool,
}

/// A change.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent<T> {
    /// The object is new to this watch.
    Added(T),
    /// The object has changed.
    Modified(T),
    /// The object is gone from this watch; its last state.
    Deleted(T),
    /// Nothing changed up to this revision.
    Bookmark {
        /// Where a later watch may start.
        resource_version: String,
        /// The initial state is complete.
        initial_end: bool,
    },
}

// === impl Watch ===

impl Watch {
    pub(crate) fn request(&self, target: &v1::Target) -> v1::WatchRequest {
        v1::WatchRequest {
            target: Some(target.clone()),
            selection: Some((&self.selection).into()),
            resource_version: self.resource_version.clone(),
            resource_version_match: if self.initial { "NotOlderThan".into() } else { String::new() },
            bookmarks: true,
            send_initial_events: self.initial,
            ..v1::WatchRequest::default()
        }
    }
}

/// The events of one batch; one that cannot be read is an error in its place.
pub(crate) fn events<T: DeserializeOwned>(what: &str, batch: Result<v1::WatchBatch>) -> Vec<Result<WatchEvent<T>>> {
    match batch {
        Ok(batch) => batch.events.into_iter().map(|event| read(what, &event)).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn read<T: DeserializeOwned>(what: &str, event: &v1::WatchEvent) -> Result<WatchEvent<T>> {
    let object = || serde_json::from_slice(&event.object).map_err(Error::decode(what));
    match event.r#type() {
        Type::Added => Ok(WatchEvent::Added(object()?)),
        Type::Modified => Ok(WatchEvent::Modified(object()?)),
        Type::Deleted => Ok(WatchEvent::Deleted(object()?)),
        Type::Bookmark => {
            let object: Object = serde_json::from_slice(&event.object).map_err(Error::decode("a bookmark"))?;
            Ok(WatchEvent::Bookmark {
                resource_version: object.resource_version().into(),
                initial_end: object.annotations().any(|(k, v)| k == INITIAL_END && v == "true"),
            })
        }
        Type::Error => {
            let status: Status = serde_json::from_slice(&event.object).map_err(Error::decode("a Status"))?;
            Err(status.into())
        }
        Type::Unspecified => Err(Status::bad_request("a watch event without a type").into()),
    }
}
