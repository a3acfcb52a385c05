//! WATCH in batches: whatever is ready goes in one message.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use jiff::Timestamp;
use nakhoda_api::Status;
use nakhoda_rpc::v1::watch_event::Type;
use nakhoda_rpc::v1::{WatchBatch, WatchEvent};
use nakhoda_store::cache::{Ended, EventKind, WatchItem};
use tokio_util::sync::CancellationToken;

use crate::kind::Served;
use crate::render;
use crate::request::Accept;
use crate::response::{Answer, Response};
use crate::verb::gate;
use crate::verb::watch::too_old;

/// So many events at most in a batch.
const EVENTS: usize = 256;

/// The batches of a watch; they end with its time, or when the server stops.
pub fn batches(
    response: Response,
    accept: Accept,
    stop: CancellationToken,
) -> Result<BoxStream<'static, Result<WatchBatch, tonic::Status>>, Status> {
    let (kind, watcher, timeout, bookmarks, gate) = match response.answer {
        Answer::Watch { kind, watcher, timeout, bookmarks, gate } => (kind, watcher, timeout, bookmarks, gate),
        Answer::Status(status) => return Err(*status),
        _ => return Err(Status::bad_request("this resource cannot be watched")),
    };
    let end = async move {
        tokio::select! {
            () = tokio::time::sleep(timeout) => {}
            () = stop.cancelled() => {}
        }
    };
    let media_type = accept.media.mime().to_owned();
    let events = gate::settled(kind.clone(), watcher, gate)
        .map(|(item, settled)| {
            if let Err(error) = settled {
                tracing::debug!(%error, "an object of a watch was not converted");
            }
            item
        })
        .scan(true, move |first, item| {
            let event = event(&kind, item, accept, *first, bookmarks);
            *first = false;
            futures::future::ready(event)
        })
        .filter_map(futures::future::ready)
        .ready_chunks(EVENTS)
        .take_until(Box::pin(end))
        .map(move |events| Ok(WatchBatch { events, media_type: media_type.clone() }));
    // the first, empty batch tells the caller that the watch stands
    Ok(stream::iter([Ok(WatchBatch::default())]).chain(events).boxed())
}

/// `None` ends the stream, `Some(None)` tells nothing.
fn event(
    kind: &Arc<Served>,
    item: Result<WatchItem, Ended>,
    accept: Accept,
    first: bool,
    bookmarks: bool,
) -> Option<Option<WatchEvent>> {
    let made = match item {
        Ok(WatchItem::Notice(notice)) => {
            let word = match notice.kind {
                EventKind::Added => Type::Added,
                EventKind::Modified => Type::Modified,
                EventKind::Deleted => Type::Deleted,
            };
            render::event::object(kind, &notice.item, accept, Timestamp::now(), first).map(|object| (word, object))
        }
        Ok(WatchItem::Bookmark { revision, initial_events_end }) => {
            if !bookmarks && !initial_events_end {
                return Some(None);
            }
            render::event::bookmark(kind, revision, initial_events_end, accept).map(|object| (Type::Bookmark, object))
        }
        Err(Ended::Expired { requested, oldest }) => Err(too_old(requested, oldest)),
        // the caller comes again after the last revision that it saw
        Err(Ended::Overflow | Ended::Stopped) => return None,
    };
    let (word, object) = made.unwrap_or_else(|status| (Type::Error, render::status(&status, accept.media)));
    Some(Some(WatchEvent { r#type: word.into(), object }))
}
