//! Recovers, after a start, the history the store still has, so that clients resume their watches where they
//! were instead of listing everything anew.
//!
//! A cache that was just filled knows nothing of what happened before its list. One more watch of the whole key
//! space, from as far back as is sensible, tells it, and ends with the revision of the newest list.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;

use super::hub::{Hub, registry};
use super::resource::Resource;
use super::ring::Ring;
use crate::error::Error;
use crate::store::{Change, Watch};

/// How many revisions to go back at most.
const REVISIONS: u64 = 10_000;
/// How long it may take: to serve without history is better than not to serve.
const WITHIN: Duration = Duration::from_secs(5);
/// How often the history may be found shorter than thought.
const ATTEMPTS: usize = 3;

/// The history of one cache before its list at `until`.
struct Past {
    resource: Arc<Resource>,
    until: u64,
    ring: Ring,
}

/// Recovers the history of all caches that are filled.
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
    let mut stream = hub.store.watch(Watch { prefix: Bytes::new(), after, previous: true }).await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        for change in batch.changes {
            let Some(resource) = registry::find(caches, &change.key) else { continue };
            if let Some(past) = pasts.get_mut(&resource.prefix) {
                past.add(change, hub.settings.ring_bytes);
            }
        }
        if batch.revision >= newest {
            break;
        }
    }
    for past in pasts.into_values() {
        past.resource.adopt(past.ring, past.until);
    }
    Ok(())
}

// === impl Past ===

impl Past {
    fn new(resource: Arc<Resource>, after: u64) -> Self {
        let mut ring = Ring::default();
        ring.reset(after);
        Self { until: resource.history_start(), resource, ring }
    }

    fn add(&mut self, change: Change, limit: usize) {
        if change.revision > self.until {
            return;
        }
        let revision = change.revision;
        match self.resource.recall(change) {
            Some(event) => self.ring.push(Arc::new(event), Instant::now(), limit),
            // What was before is compacted: all that can be told begins here.
            None => self.ring.reset(revision),
        }
    }
}
