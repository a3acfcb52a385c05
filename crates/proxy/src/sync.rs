//! The loop: take changes, make their elements anew, apply the difference.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nakhoda_api::status::chain;
use nakhoda_daemon::health::Health;

use crate::conntrack;
use crate::nft::Nft;
use crate::table::{Difference, Table};
use crate::track::Track;

/// How often the rules are looked for, in case that someone flushed them.
const LOOK: Duration = Duration::from_secs(2);
/// Before a change that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// The proxy at work.
pub struct Sync {
    track: Track,
    nft: Nft,
    table: Table,
    applied: Arc<AtomicBool>,
}

// === impl Sync ===

impl Sync {
    /// Healthy once the first rules were applied, and while changes can be.
    #[must_use]
    pub fn new(track: Track, nft: Nft, health: Health) -> Self {
        let applied = Arc::new(AtomicBool::new(false));
        let seen = applied.clone();
        let check = move || if seen.load(Ordering::Relaxed) { Ok(()) } else { Err("the rules are not applied".into()) };
        health.ready("rules", Arc::new(check));
        Self { track, nft, table: Table::default(), applied }
    }

    /// Works until it is dropped.
    pub async fn run(mut self) {
        self.track.synced().await;
        let first = self.track.changed().await;
        for owner in first {
            let elements = self.track.elements(&owner);
            self.table.replace(&owner, elements);
        }
        self.reset().await;
        loop {
            tokio::select! {
                owners = self.track.changed() => {
                    let mut difference = Difference::default();
                    for owner in owners {
                        let elements = self.track.elements(&owner);
                        difference.extend(self.table.replace(&owner, elements));
                    }
                    self.apply(&difference).await;
                }
                () = tokio::time::sleep(LOOK) => {
                    if !self.nft.is_there().await {
                        tracing::warn!("the rules are gone; making them anew");
                        self.reset().await;
                    }
                }
            }
        }
    }

    async fn apply(&mut self, difference: &Difference) {
        if difference.is_empty() {
            return;
        }
        let table = &self.table;
        if let Err(error) = self.nft.apply(difference, || table.elements()).await {
            tracing::warn!(error = chain(&error), "the change was not applied; making all rules anew");
            self.reset().await;
        }
        conntrack::forget(difference).await;
    }

    async fn reset(&mut self) {
        loop {
            match self.nft.reset(&self.table.elements()).await {
                Ok(()) => break,
                Err(error) => tracing::error!(error = chain(&error), "no rules"),
            }
            self.applied.store(false, Ordering::Relaxed);
            tokio::time::sleep(AGAIN).await;
        }
        self.applied.store(true, Ordering::Relaxed);
    }
}
