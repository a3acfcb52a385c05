//! One priority level: its queues behind a lock, and requests that wait in them.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::meter::Series;
use super::queues::{Arrival, Queues, Reason, Ticket};
use super::shares::{Bounds, Settings};

type Wake = oneshot::Sender<()>;

/// How much of the demand of before still counts after a period.
const MEMORY: f64 = 0.977;

/// A level. What it is set to may change while requests wait in it.
pub struct Level {
    settings: ArcSwap<Settings>,
    queues: Mutex<Queues<Wake>>,
    smoothed: Mutex<f64>,
    begun: Instant,
}

/// Seats that a request has, given back when this is dropped.
pub struct Place {
    level: Arc<Level>,
    ticket: Ticket,
    since: Instant,
    series: Series,
}

/// A request that waits. If it is dropped, it no longer does.
struct Waiting {
    level: Arc<Level>,
    ticket: Option<Ticket>,
}

// === impl Level ===

impl Default for Level {
    fn default() -> Self {
        Self {
            settings: ArcSwap::default(),
            queues: Mutex::default(),
            smoothed: Mutex::new(0.0),
            begun: Instant::now(),
        }
    }
}

impl Level {
    /// What it is set to.
    #[must_use]
    pub fn settings(&self) -> Guard<Arc<Settings>> {
        self.settings.load()
    }

    /// Takes other settings. Seats that were borrowed stay until they are lent anew.
    pub fn configure(&self, settings: Settings) {
        let before = self.settings.swap(Arc::new(settings.clone()));
        let mut queues = self.queues.lock();
        queues.reshape(settings.shape);
        if before.nominal != settings.nominal || before.least != settings.least || before.most != settings.most {
            let lendable = settings.nominal - settings.least;
            wake(queues.limit(self.now(), settings.nominal - lendable / 2));
        }
    }

    /// So many seats from now on.
    pub fn limit(&self, seats: u32) {
        wake(self.queues.lock().limit(self.now(), seats));
    }

    /// Between what its seats should lie, by what was wanted since the last time.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        let (settings, now) = (self.settings.load(), self.now());
        let demand = self.queues.lock().demand(now);
        let (average, deviation) = demand.usual(now);
        let envelope = average + deviation;
        let mut smoothed = self.smoothed.lock();
        *smoothed = envelope.max(MEMORY * *smoothed + (1.0 - MEMORY) * envelope);
        let low = f64::from(settings.least.max(settings.nominal.min(demand.most)));
        Bounds { low, high: settings.most.into(), target: smoothed.max(low) }
    }

    /// Waits for seats, not longer than `wait`.
    pub(super) async fn enter(
        self: &Arc<Self>,
        hash: u64,
        seats: u32,
        wait: Duration,
        series: &Series,
    ) -> Result<Place, Reason> {
        let mut woken = None;
        let arrival = self.queues.lock().arrive(self.now(), hash, seats, || {
            let (sender, receiver) = oneshot::channel();
            woken = Some(receiver);
            sender
        });
        let (ticket, started) = match arrival {
            Arrival::Run(ticket) => return Ok(self.place(ticket, series)),
            Arrival::Refused(reason) => return Err(reason),
            Arrival::Wait(ticket, started) => (ticket, started),
        };
        wake(started);
        let mut waiting = Waiting { level: self.clone(), ticket: Some(ticket) };
        let _inside = series.inside();
        match tokio::time::timeout(wait, woken.expect("a token was made for who waits")).await {
            Ok(_) => {
                waiting.ticket = None;
                Ok(self.place(ticket, series))
            }
            Err(_) => Err(Reason::TimeOut),
        }
    }

    fn place(self: &Arc<Self>, ticket: Ticket, series: &Series) -> Place {
        series.executing.inc();
        Place { level: self.clone(), ticket, since: Instant::now(), series: series.clone() }
    }

    fn now(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

/// Who is gone by now gives his seats back himself.
fn wake(started: Vec<Wake>) {
    for waiter in started {
        let _ = waiter.send(());
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let (level, now) = (&self.level, self.level.now());
        let mut queues = level.queues.lock();
        if !queues.leave(now, ticket) {
            wake(queues.finish(now, ticket, 0.0));
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.series.executing.dec();
        let took = self.since.elapsed().as_secs_f64();
        wake(self.level.queues.lock().finish(self.level.now(), self.ticket, took));
    }
}
