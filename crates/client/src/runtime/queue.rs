//! [`Queue`]: work by key. A key waits at most once, and is never worked on twice at the same time:
//! added while it is worked on, it waits again once that is done.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::backoff::exponential;

pub mod meter;

use meter::Meter;

/// Waits after failures, as client-go's: 5 ms, doubling, up to 1000 s.
const FIRST: Duration = Duration::from_millis(5);
const MOST: Duration = Duration::from_secs(1000);
/// A key comes back after this at the latest, to find that it must wait on: no clock can count on for ever.
const FARTHEST: Duration = Duration::from_secs(86_400 * 365);

/// Keys that wait for a worker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Notify,
}

/// The rules of the queue, without waiting.
#[derive(Debug)]
struct State<T> {
    /// With the time since when they wait.
    ready: VecDeque<(T, Instant)>,
    dirty: HashSet<T>,
    /// With the time since when they are worked on.
    processing: HashMap<T, Instant>,
    due: HashMap<T, Instant>,
    delayed: BinaryHeap<Reverse<(Instant, u64)>>,
    tickets: HashMap<u64, T>,
    last_ticket: u64,
    failures: HashMap<T, u32>,
    stopped: bool,
    meter: Meter,
}

// === impl Queue ===

impl<T: Eq + Hash + Clone> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Eq + Hash + Clone> Queue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::metered(Meter::default())
    }

    /// An empty queue whose work is measured.
    #[must_use]
    pub fn metered(meter: Meter) -> Self {
        Self { shared: Arc::new(Shared { state: Mutex::new(State::new(meter)), changed: Notify::new() }) }
    }

    /// Lets a key wait for a worker now.
    pub fn add(&self, key: T) {
        self.shared.state.lock().add(key, Instant::now());
        self.shared.changed.notify_one();
    }

    /// Lets a key wait for a worker in a while, or sooner if it is added again.
    pub fn add_after(&self, key: T, delay: Duration) {
        self.shared.state.lock().add_at(key, Instant::now(), delay);
        self.shared.changed.notify_one();
    }

    /// Lets a key wait as long as its failures in a row ask for.
    pub fn add_backoff(&self, key: T) {
        let delay = self.shared.state.lock().fail(&key);
        self.add_after(key, delay);
    }

    /// Forgets the failures of a key: things went well.
    pub fn forget(&self, key: &T) {
        self.shared.state.lock().failures.remove(key);
    }

    /// The next key, once there is one; `None` after [`Queue::stop`]. [`Queue::done`] must follow.
    pub async fn take(&self) -> Option<T> {
        loop {
            let changed = self.shared.changed.notified();
            let next = {
                let mut state = self.shared.state.lock();
                let now = Instant::now();
                state.ripen(now);
                match state.take(now) {
                    Some(key) => {
                        if !state.ready.is_empty() {
                            self.shared.changed.notify_one();
                        }
                        return Some(key);
                    }
                    None if state.stopped => return None,
                    None => state.next_due(),
                }
            };
            match next {
                Some(due) => drop(tokio::time::timeout_at(due, changed).await),
                None => changed.await,
            }
        }
    }

    /// The work on a key has ended.
    pub fn done(&self, key: &T) {
        self.shared.state.lock().done(key, Instant::now());
        self.shared.changed.notify_one();
    }

    /// Hands out nothing more.
    pub fn stop(&self) {
        self.shared.state.lock().stopped = true;
        self.shared.changed.notify_waiters();
        self.shared.changed.notify_one();
    }

    /// How many keys wait for a worker now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.state.lock().ready.len()
    }

    /// Whether no key waits for a worker now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

// === impl State ===

impl<T: Eq + Hash + Clone> State<T> {
    fn new(meter: Meter) -> Self {
        Self {
            ready: VecDeque::new(),
            dirty: HashSet::new(),
            processing: HashMap::new(),
            due: HashMap::new(),
            delayed: BinaryHeap::new(),
            tickets: HashMap::new(),
            last_ticket: 0,
            failures: HashMap::new(),
            stopped: false,
            meter,
        }
    }

    fn add(&mut self, key: T, now: Instant) {
        if self.stopped || !self.dirty.insert(key.clone()) {
            return;
        }
        self.meter.added();
        if !self.processing.contains_key(&key) {
            self.line_up(key, now);
        }
    }

    fn line_up(&mut self, key: T, now: Instant) {
        self.ready.push_back((key, now));
        self.meter.waiting(self.ready.len());
    }

    fn add_at(&mut self, key: T, now: Instant, delay: Duration) {
        if delay.is_zero() {
            return self.add(key, now);
        }
        let at = now + delay.min(FARTHEST);
        if self.due.get(&key).is_some_and(|known| *known <= at) {
            return;
        }
        self.due.insert(key.clone(), at);
        self.last_ticket += 1;
        self.tickets.insert(self.last_ticket, key);
        self.delayed.push(Reverse((at, self.last_ticket)));
    }

    fn ripen(&mut self, now: Instant) {
        while let Some(Reverse((at, ticket))) = self.delayed.peek().copied() {
            if at > now {
                break;
            }
            self.delayed.pop();
            let Some(key) = self.tickets.remove(&ticket) else { continue };
            if self.due.get(&key) == Some(&at) {
                self.due.remove(&key);
                self.add(key, now);
            }
        }
    }

    fn take(&mut self, now: Instant) -> Option<T> {
        if self.stopped {
            return None;
        }
        let (key, since) = self.ready.pop_front()?;
        self.meter.waiting(self.ready.len());
        self.meter.waited(now.duration_since(since));
        self.dirty.remove(&key);
        self.processing.insert(key.clone(), now);
        Some(key)
    }

    fn done(&mut self, key: &T, now: Instant) {
        if let Some(since) = self.processing.remove(key) {
            self.meter.worked(now.duration_since(since));
        }
        if self.dirty.contains(key) {
            self.line_up(key.clone(), now);
        }
    }

    fn fail(&mut self, key: &T) -> Duration {
        self.meter.retried();
        let failures = self.failures.entry(key.clone()).or_default();
        let delay = exponential(FIRST, MOST, *failures);
        *failures = failures.saturating_add(1);
        delay
    }

    fn next_due(&self) -> Option<Instant> {
        self.delayed.peek().map(|Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests;
