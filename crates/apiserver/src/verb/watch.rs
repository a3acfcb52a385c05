//! WATCH: from now on, from a revision on, or with the present objects first.

use std::time::Duration;

use nakhoda_api::Status;
use nakhoda_api::field::{Errors, Path};
use nakhoda_api::selector::FieldSelector;
use nakhoda_store::cache::{Filter, Start, WatchRequest};

use super::gate::Gate;
use super::{Call, get, list, outcome, selection};
use crate::request::WatchOptions;
use crate::response::{Answer, Response};

const BOOKMARKS: Duration = Duration::from_secs(60);
/// A watch whose client names no end gets one at random between this and twice this, so that the
/// watches of a restarted server do not all end together.
const LIFE: u64 = 1800;

/// Follows the collection. Where it cannot begin as asked, the answer is the Status that the client hears as its
/// only event.
pub async fn watch(call: &Call, options: &WatchOptions) -> Result<Response, Status> {
    check(options)?;
    let (filter, late) = selection::filter(call, &options.list)?;
    outcome::revision(&options.list.resource_version)?;
    let followed = follow(call, options, filter, late).await;
    Ok(Response::new(followed.unwrap_or_else(|status| Answer::Status(Box::new(status)))))
}

async fn follow(
    call: &Call,
    options: &WatchOptions,
    filter: Filter,
    late: Option<FieldSelector>,
) -> Result<Answer, Status> {
    let start = start(call, options).await?;
    let gate = match late {
        Some(fields) => Some(Box::new(Gate::open(call, &filter, fields, &start).await?)),
        None => None,
    };
    let request = WatchRequest {
        start,
        filter,
        bookmarks: options.bookmarks.then_some(BOOKMARKS),
        initial_events_end: options.bookmarks && options.send_initial_events == Some(true),
    };
    let watcher = call.cache().watch(request).await.map_err(|error| outcome::status(call, "", &error))?;
    let seconds = match options.timeout_seconds {
        None | Some(0) => rand::random_range(LIFE..2 * LIFE),
        Some(seconds) => seconds,
    };
    let timeout = Duration::from_secs(seconds);
    Ok(Answer::Watch { kind: call.kind.clone(), watcher, timeout, bookmarks: options.bookmarks, gate })
}

/// What a watch tells whose beginning is forgotten.
#[must_use]
pub fn too_old(requested: u64, oldest: u64) -> Status {
    Status::expired(format!("too old resource version: {requested} ({oldest})"))
}

async fn start(call: &Call, options: &WatchOptions) -> Result<Start, Status> {
    let version = options.list.resource_version.as_str();
    let revision = outcome::revision(version)?;
    match (options.send_initial_events, revision) {
        (Some(true), _) | (None, 0) => Ok(Start::Initial(get::snapshot(call, version).await?)),
        (Some(false), 0) => Ok(Start::After(get::snapshot(call, version).await?.revision())),
        (_, revision) => Ok(Start::After(revision)),
    }
}

fn check(options: &WatchOptions) -> Result<(), Status> {
    let mut errors = Errors::default();
    let path = Path::new("resourceVersionMatch");
    let rule = options.list.resource_version_match.as_str();
    if options.send_initial_events.is_some() && rule != "NotOlderThan" {
        errors.forbidden(&path, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    }
    if !rule.is_empty() {
        if options.send_initial_events.is_none() {
            errors.forbidden(&path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
        }
        if rule != "NotOlderThan" {
            errors.not_supported(&path, rule, &["NotOlderThan"]);
        }
        if !options.list.continue_token.is_empty() {
            errors.forbidden(&path, "resourceVersionMatch is forbidden when continue is provided");
        }
    }
    list::invalid(&errors)
}
