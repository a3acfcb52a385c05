//! A watch of etcd as a stream of whole transactions.
//!
//! etcd never splits a transaction over two responses as long as fragments are not asked for, so a response is
//! complete up to the revision of its last event. Its header's revision says nothing of the kind, and progress
//! responses are known to lie: both are ignored.

use std::time::Duration;

use etcd_client::{Client, Event, EventType, WatchOptions, WatchResponse, WatchStream};
use futures::StreamExt;
use futures::stream;

use super::MAX_MESSAGE;
use super::convert::{self, prefix_end, signed, unsigned};
use super::fault;
use crate::error::Error;
use crate::store::{Change, ChangeKind, ChangeStream, Changes, Reading, Watch};

/// Opens a watch; it is known to etcd when this returns.
pub(crate) async fn open(client: Client, watch: Watch, within: Duration) -> Result<ChangeStream, Error> {
    let mut client = client.watch_client().max_decoding_message_size(MAX_MESSAGE);
    let first: &[u8] = if watch.prefix.is_empty() { b"\0" } else { &watch.prefix };
    let mut options = WatchOptions::new()
        .with_range(prefix_end(&watch.prefix))
        .with_start_revision(signed(watch.after.saturating_add(1)));
    if watch.previous {
        options = options.with_prev_key();
    }
    let opened = async {
        let mut stream = client.watch(first, Some(options)).await.map_err(fault::error)?;
        loop {
            let response = stream.message().await.map_err(fault::error)?.ok_or_else(ended)?;
            if let Some(changes) = changes(&response, &watch)? {
                return Ok((stream, Some(changes)));
            }
            if response.created() {
                return Ok((stream, None));
            }
        }
    };
    let (stream, first) = tokio::time::timeout(within, opened).await.map_err(|_| Error::TimedOut)??;
    Ok(stream::iter(first.map(Ok)).chain(stream::unfold(Some((stream, watch)), step)).boxed())
}

type Step = Option<(WatchStream, Watch)>;

async fn step(state: Step) -> Option<(Result<Changes, Error>, Step)> {
    let (mut stream, mut watch) = state?;
    loop {
        let found = match stream.message().await {
            Ok(Some(response)) => changes(&response, &watch),
            Ok(None) => Err(ended()),
            Err(error) => Err(fault::error(error)),
        };
        match found {
            Ok(Some(changes)) => {
                watch.after = changes.revision;
                return Some((Ok(changes), Some((stream, watch))));
            }
            Ok(None) => {}
            Err(error) => return Some((Err(error), None)),
        }
    }
}

/// What a response tells; nothing if it is about the watch itself. Events from before the start, which some
/// versions send, are left out.
fn changes(response: &WatchResponse, watch: &Watch) -> Result<Option<Changes>, Error> {
    if response.compact_revision() > 0 {
        let oldest = unsigned(response.compact_revision());
        return Err(Error::Compacted { requested: watch.after, oldest });
    }
    if response.canceled() {
        return Err(Error::unavailable(format!("etcd cancelled the watch: {}", response.cancel_reason())));
    }
    let events = response.events().iter().filter_map(change);
    let changes: Vec<_> = events.filter(|change| change.revision > watch.after).collect();
    let Some(last) = changes.last() else { return Ok(None) };
    let revision = last.revision;
    Ok(Some(Changes { changes, revision }))
}

fn change(event: &Event) -> Option<Change> {
    let kv = event.kv()?;
    let (created, revision) = (unsigned(kv.create_revision()), unsigned(kv.mod_revision()));
    let kind = match event.event_type() {
        EventType::Put => ChangeKind::Put { created: created == revision },
        EventType::Delete => ChangeKind::Delete,
    };
    Some(Change {
        kind,
        key: bytes::Bytes::copy_from_slice(kv.key()),
        value: bytes::Bytes::copy_from_slice(kv.value()),
        reading: Reading::Current,
        revision,
        created,
        previous: event.prev_kv().cloned().map(convert::entry),
    })
}

fn ended() -> Error {
    Error::unavailable("etcd ended the watch")
}
