//! The loop: take changes, make their elements anew, apply the difference.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nakhoda_api::status::chain;
use nakhoda_daemon::health::Health;

use crate::conntrack;
use crate::nft::Nft;
use crate::ready::Ready;
use crate::relay::Relays;
use crate::table::{Difference, Owner, Table};
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
    ready: Ready,
    relays: Relays,
}

// === impl Sync ===

impl Sync {
    /// Healthy once the first rules were applied, and while changes can be.
    #[must_use]
    pub fn new(track: Track, nft: Nft, health: Health, ready: Ready, relays: Relays) -> Self {
        let applied = Arc::new(AtomicBool::new(false));
        let seen = applied.clone();
        let check = move || if seen.load(Ordering::Relaxed) { Ok(()) } else { Err("the rules are not applied".into()) };
        health.ready("rules", Arc::new(check));
        Self { track, nft, table: Table::default(), applied, ready, relays }
    }

    /// Works until it is dropped.
    pub async fn run(mut self) {
        self.track.synced().await;
        let first = self.track.changed().await;
        let mut ready = Vec::new();
        for owner in first {
            ready.push((owner.clone(), self.track.ready(&owner)));
            self.take(&owner);
        }
        self.reset().await;
        self.tell(ready);
        loop {
            tokio::select! {
                owners = self.track.changed() => {
                    let (mut difference, mut ready) = (Difference::default(), Vec::new());
                    for owner in owners {
                        // Read before the elements: what is told may be older than the rules, never newer.
                        ready.push((owner.clone(), self.track.ready(&owner)));
                        difference.extend(self.take(&owner));
                    }
                    self.apply(&difference).await;
                    self.tell(ready);
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

    /// Takes what an owner wants now.
    fn take(&mut self, owner: &Owner) -> Difference {
        self.relays.replace(owner, &self.track.relays(owner));
        self.table.replace(owner, self.track.elements(owner))
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

    /// Tells kubelets what the applied rules hold.
    fn tell(&self, ready: Vec<(Owner, Vec<String>)>) {
        for (owner, pods) in ready {
            self.ready.replace(owner, pods);
        }
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
