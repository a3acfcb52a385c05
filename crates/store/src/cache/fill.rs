//! Fills a cache from a list of the store, at one revision, and again after a gap.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};

use super::hub::Hub;
use super::resource::{Map, Resource};
use crate::error::Error;
use crate::store::{Entry, List, Store};

/// Entries per read.
const PAGE: usize = 2000;
/// So many entries are read before others on the thread have their turn.
const STRETCH: usize = 64;
/// How long to wait after a failure.
const AGAIN: Duration = Duration::from_millis(250);

/// Fills a cache in a task of its own.
pub(crate) fn spawn(hub: &Arc<Hub>, resource: Arc<Resource>) {
    let filler = hub.clone();
    let name = format!("cache fill {}", resource.prefix.escape_ascii());
    hub.tasks.spawn(name, async move {
        // A list from before the hub's start could miss what happened until then.
        filler.begun().await;
        while !fill(&filler, &resource).await {}
    });
}

async fn fill(hub: &Hub, resource: &Resource) -> bool {
    let generation = resource.generation();
    match resource.list(&*hub.store, None).await {
        Ok((map, revision)) => match resource.install(generation, map, revision) {
            Ok(done) => done,
            Err(error) => {
                hub.tasks.fail(format!("cache: {error}"));
                true
            }
        },
        Err(error) => {
            tracing::warn!(prefix = %resource.prefix.escape_ascii(), %error, "cannot list, trying again");
            tokio::time::sleep(AGAIN).await;
            false
        }
    }
}

/// Reads all entries under a prefix at one revision, page by page; that revision.
pub(crate) async fn list(
    store: &dyn Store,
    prefix: &Bytes,
    at: Option<u64>,
    mut add: impl FnMut(&mut Map, Entry),
) -> Result<(Map, u64), Error> {
    let mut map = Map::new();
    let mut request = List { prefix: prefix.clone(), at, from: None, limit: Some(PAGE) };
    let mut listing = store.list(request.clone()).await?;
    loop {
        request.at = Some(listing.revision);
        request.from = listing.entries.last().map(|entry| successor(&entry.key));
        let more = listing.more && request.from.is_some();
        // the next page is on its way while this one is read
        let next = async { if more { store.list(request.clone()).await.map(Some) } else { Ok(None) } };
        let reading = async {
            for (number, entry) in listing.entries.into_iter().enumerate() {
                add(&mut map, entry);
                if number % STRETCH == 0 {
                    tokio::task::yield_now().await;
                }
            }
        };
        match futures::join!(next, reading).0? {
            Some(page) => listing = page,
            None => return Ok((map, request.at.unwrap_or_default())),
        }
    }
}

/// The first key behind a key.
fn successor(key: &[u8]) -> Bytes {
    let mut next = BytesMut::with_capacity(key.len() + 1);
    next.put_slice(key);
    next.put_u8(0);
    next.freeze()
}
