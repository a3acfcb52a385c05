//! Recovers, after a start, the history the store still has, so that clients resume their watches where they
//! were instead of listing everything anew.
//!
//! A cache that was just filled knows nothing of what happened before its list. More watches of the whole key
//! space, from as far back as is sensible, tell it, and end with the revision of the newest list. Each tells a
//! window of its own: a watch that is behind gets a thousand revisions from etcd ten times a second, no more.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::watch;

use super::event::Event;
use super::hub::{Hub, registry};
use super::resource::Resource;
use super::ring::Ring;
use crate::error::Error;
use crate::store::Watch;

/// How many revisions to go back at most.
const REVISIONS: u64 = 10_000;
/// How many revisions one watch tells: what etcd sends of a watch at a time.
const WINDOW: u64 = 1000;
/// How many windows are told at a time.
const WINDOWS: usize = 16;
/// How long it may take: to serve without history is better than not to serve.
const WITHIN: Duration = Duration::from_secs(5);
/// How often the history may be found shorter than thought.
const ATTEMPTS: usize = 3;

/// Whether the history from before the start was asked for.
#[derive(Default)]
pub(crate) struct Recovery(watch::Sender<Stage>);

#[derive(Clone, Copy, Default, PartialEq)]
enum Stage {
    #[default]
    None,
    UnderWay,
    Over,
}

/// The history of one cache before its list at `until`.
struct Past {
    resource: Arc<Resource>,
    until: u64,
    ring: Ring,
}

/// One change of one resource; no event if what was before it is not known any more.
struct Told<'a> {
    resource: &'a Arc<Resource>,
    revision: u64,
    event: Option<Event>,
}

/// Recovers the history of all caches, which are filled.
pub(crate) async fn recover(hub: &Hub) {
    match tokio::time::timeout(WITHIN, attempt(hub)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "cannot recover the history, clients will list anew"),
        Err(_) => tracing::warn!("recovering the history takes too long, clients will list anew"),
    }
}

async fn attempt(hub: &Hub) -> Result<(), Error> {
    let caches = hub.registry.all();
    let newest = caches.values().map(|resource| resource.history_start()).max().unwrap_or_default();
    let mut after = newest.saturating_sub(REVISIONS);
    for _ in 0..ATTEMPTS {
        match replay(hub, &caches, after, newest).await {
            Err(Error::Compacted { oldest, .. }) if oldest > after => after = oldest,
            other => return other,
        }
    }
    Ok(())
}

async fn replay(hub: &Hub, caches: &registry::Resources, after: u64, newest: u64) -> Result<(), Error> {
    // The first revision of a store is made by nothing, so no event of it comes.
    if newest <= after.max(1) {
        return Ok(());
    }
    let mut pasts: HashMap<&Bytes, Past> =
        caches.iter().map(|(prefix, resource)| (prefix, Past::new(resource.clone(), after))).collect();
    let starts = (0..).map(|number| after + number * WINDOW).take_while(|start| *start < newest);
    let windows = starts.map(|start| window(hub, caches, start, newest.min(start + WINDOW)));
    let mut windows = stream::iter(windows).buffered(WINDOWS);
    while let Some(told) = windows.try_next().await? {
        for Told { resource, revision, event } in told {
            if let Some(past) = pasts.get_mut(&resource.prefix) {
                past.add(revision, event, hub.settings.ring_bytes);
            }
        }
    }
    for past in pasts.into_values() {
        past.resource.adopt(past.ring, past.until);
    }
    Ok(())
}

/// What happened after one revision and up to another.
async fn window<'a>(hub: &Hub, caches: &'a registry::Resources, after: u64, last: u64) -> Result<Vec<Told<'a>>, Error> {
    let mut told = Vec::new();
    let mut stream = hub.store.watch(Watch { prefix: Bytes::new(), after, previous: true }).await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        for change in batch.changes.into_iter().filter(|change| change.revision <= last) {
            let Some(resource) = registry::find(caches, &change.key) else { continue };
            told.push(Told { resource, revision: change.revision, event: resource.recall(change) });
        }
        if batch.revision >= last {
            break;
        }
    }
    Ok(told)
}

// === impl Recovery ===

impl Recovery {
    /// Whether this is the first time that it begins.
    pub(crate) fn begin(&self) -> bool {
        self.0.send_if_modified(|stage| {
            let first = *stage == Stage::None;
            if first {
                *stage = Stage::UnderWay;
            }
            first
        })
    }

    pub(crate) fn end(&self) {
        self.0.send_replace(Stage::Over);
    }

    /// Waits for the end, if it is under way.
    pub(crate) async fn settled(&self) {
        // The sender lives as long as `self`.
        let _ = self.0.subscribe().wait_for(|stage| *stage != Stage::UnderWay).await;
    }
}

// === impl Past ===

impl Past {
    fn new(resource: Arc<Resource>, after: u64) -> Self {
        let mut ring = Ring::default();
        ring.reset(after);
        Self { until: resource.history_start(), resource, ring }
    }

    fn add(&mut self, revision: u64, event: Option<Event>, limit: usize) {
        if revision > self.until {
            return;
        }
        match event {
            Some(event) => self.ring.push(Arc::new(event), Instant::now(), limit),
            // What was before is compacted: all that can be told begins here.
            None => self.ring.reset(revision),
        }
    }
}
