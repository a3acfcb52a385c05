//! Leadership by a Lease of coordination.k8s.io. Who leads gets a [`Fence`] that its writes carry, so
//! that a leader that was asleep while another took over cannot write any more.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use nakhoda_api::status::chain;
use nakhoda_daemon::Tasks;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::api::Api;
use crate::client::{Client, Fence};
use crate::error::Result;
use crate::key::Key;
use crate::runtime::clock;

pub mod step;

use step::{Candidate, Claim, Step, step};

/// The times of an election.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a Lease stands without being renewed.
    pub duration: Duration,
    /// How long a leader goes on without having renewed it.
    pub renew_deadline: Duration,
    /// How often it is looked at or renewed.
    pub retry: Duration,
}

/// Whether this process leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leadership {
    /// Another does, or nobody.
    Follower,
    /// It does; its writes carry the fence.
    Leader(Fence),
}

struct Election {
    api: Api<Lease>,
    lease: Key,
    identity: Arc<str>,
    settings: Settings,
    claim: Claim,
    known: Option<Lease>,
    known_since: Instant,
    renewed: Option<Instant>,
    leadership: watch::Sender<Leadership>,
}

// === impl Settings ===

impl Default for Settings {
    /// Upstream's: 15 s, 10 s, 2 s.
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(15),
            renew_deadline: Duration::from_secs(10),
            retry: Duration::from_secs(2),
        }
    }
}

/// Takes part in the election until the process stops, and then gives the Lease back at once. Of two
/// processes with one `identity` the younger leads: it is taken for the other's next life.
#[must_use]
pub fn run(
    tasks: &Tasks,
    client: &Client,
    lease: Key,
    identity: &str,
    settings: Settings,
) -> watch::Receiver<Leadership> {
    let (leadership, receiver) = watch::channel(Leadership::Follower);
    let api = client.namespaced(&lease.namespace);
    let known_since = Instant::now();
    let identity = identity.into();
    let mut election = Election {
        api,
        lease,
        identity,
        settings,
        claim: Claim::Fresh,
        known: None,
        known_since,
        renewed: None,
        leadership,
    };
    let stop = tasks.token();
    tasks.spawn_draining("leader election", async move {
        tokio::select! {
            () = election.campaign() => {}
            () = stop.cancelled() => {}
        }
        election.release().await;
    });
    receiver
}

/// Waits until this process leads.
pub async fn lead(leadership: &mut watch::Receiver<Leadership>) -> Option<Fence> {
    let won = leadership.wait_for(|l| matches!(l, Leadership::Leader(_))).await.ok()?;
    match &*won {
        Leadership::Leader(fence) => Some(fence.clone()),
        Leadership::Follower => None,
    }
}

/// Waits until this process no longer leads by this fence.
pub async fn lose(leadership: &mut watch::Receiver<Leadership>, fence: &Fence) {
    let held = Leadership::Leader(fence.clone());
    drop(leadership.wait_for(|l| *l != held).await);
}

/// The name of a control plane's process: its host. So a process that is started again need not wait
/// for the Lease of its previous life to run out.
#[must_use]
pub fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match host.trim() {
        "" => uuid::Uuid::new_v4().to_string(),
        host => host.into(),
    }
}

// === impl Election ===

impl Election {
    async fn campaign(&mut self) {
        loop {
            let limit = self.settings.renew_deadline / 2;
            match tokio::time::timeout(limit, self.attempt()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) if error.is_conflict() || error.is_already_exists() => {
                    self.forget();
                    tracing::debug!(lease = %self.lease, "another was quicker");
                }
                Ok(Err(error)) => {
                    self.forget();
                    tracing::warn!(lease = %self.lease, error = chain(&error), "cannot reach the lease");
                }
                Err(_) => tracing::warn!(lease = %self.lease, "no answer about the lease"),
            }
            self.judge(Instant::now());
            let spread = if self.renewed.is_some() { 1.0 } else { 1.0 + 0.2 * clock::chance::<f64>() };
            tokio::time::sleep(self.settings.retry.mul_f64(spread)).await;
        }
    }

    /// A leader renews what it knows; only a surprise, or a follower, reads.
    async fn attempt(&mut self) -> Result<()> {
        if self.renewed.is_none() || self.known.is_none() {
            self.read().await?;
        }
        let now = Instant::now();
        let age = now.duration_since(self.known_since);
        let who = Candidate { key: &self.lease, identity: &self.identity, claim: self.claim, settings: &self.settings };
        let written = match step(self.known.as_ref(), age, &who, clock::now()) {
            Step::Wait => {
                self.renewed = None;
                if matches!(self.claim, Claim::Holding(_)) {
                    self.claim = Claim::Lost;
                }
                return Ok(());
            }
            Step::Create(lease) => self.api.create(&lease).await?,
            Step::Update(lease) => self.api.update(&lease).await?,
        };
        self.claim = Claim::Holding(written.spec.as_ref().and_then(|s| s.lease_transitions).unwrap_or_default());
        self.known = Some(written);
        self.known_since = now;
        self.renewed = Some(now);
        Ok(())
    }

    async fn read(&mut self) -> Result<()> {
        let found = match self.api.get(&self.lease.name).await {
            Ok(lease) => Some(lease),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        if found.as_ref().map(|l| &l.spec) != self.known.as_ref().map(|l| &l.spec) {
            self.known_since = Instant::now();
        }
        self.known = found;
        Ok(())
    }

    /// What was known about the Lease may be wrong; the next attempt reads it.
    fn forget(&mut self) {
        if self.renewed.is_some() {
            self.known = None;
        }
    }

    /// Says who leads: the holder of a Lease renewed within the deadline.
    fn judge(&mut self, now: Instant) {
        let held = self.renewed.is_some_and(|at| now.duration_since(at) < self.settings.renew_deadline);
        let next = match (&self.known, held) {
            (Some(lease), true) => Leadership::Leader(step::fence(lease, &self.lease)),
            (None, true) => return,
            (_, false) => Leadership::Follower,
        };
        if !held {
            self.renewed = None;
        }
        let lease = &self.lease;
        self.leadership.send_if_modified(|current| {
            let changed = *current != next;
            if changed {
                let leader = matches!(next, Leadership::Leader(_));
                tracing::info!(%lease, leader, "leadership");
                *current = next;
            }
            changed
        });
    }

    async fn release(&mut self) {
        self.leadership.send_replace(Leadership::Follower);
        let (Some(known), true) = (&self.known, self.renewed.is_some()) else { return };
        let released = step::released(known, clock::now());
        let limit = self.settings.retry;
        match tokio::time::timeout(limit, self.api.update(&released)).await {
            Ok(Ok(_)) => tracing::info!(lease = %self.lease, "released"),
            Ok(Err(error)) => tracing::warn!(lease = %self.lease, error = chain(&error), "not released"),
            Err(_) => tracing::warn!(lease = %self.lease, "not released: no answer"),
        }
    }
}

#[cfg(test)]
mod tests;
