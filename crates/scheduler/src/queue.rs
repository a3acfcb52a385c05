//! [`Queue`]: the pods that wait for a node. The clock is passed in.
//!
//! A pod is gated (a plugin does not let it in), active (it is next, by rank), backing off (it failed a
//! short while ago), unschedulable (it waits for news that could help it) or in flight.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::deadlines::PATIENCE;
use crate::pod::PodInfo;

/// After this long without news a pod is tried anyway.
const FLUSH: Duration = Duration::from_secs(300);

/// Pods by UID, and their order.
#[derive(Debug)]
pub struct Queue {
    entries: HashMap<String, Entry>,
    active: BTreeMap<Turn, String>,
    backoff: BTreeMap<(Instant, u64), String>,
    /// Those that back off and may be tried early, in the order in which they are.
    early: BTreeMap<Turn, String>,
    /// Unschedulable ones, by when they are tried anyway.
    waiting: BTreeMap<(Instant, u64), String>,
    sequence: u64,
    /// How long a pod waits after the first failure (it doubles), and at most.
    backoff_times: (Duration, Duration),
}

#[derive(Debug)]
struct Entry {
    pod: Arc<PodInfo>,
    rank: i64,
    /// By when it has to have its turn, if it says so.
    by: Option<Instant>,
    attempts: u32,
    failed: Option<Instant>,
    refused_by: Vec<&'static str>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    // ## Gated => Active
    Gated,
    // ## Active => InFlight
    Active(Turn),
    // ## Backoff => Active | InFlight; with a turn if it may be tried early
    Backoff((Instant, u64), Option<Turn>),
    // ## Unschedulable => Active | Backoff
    Unschedulable((Instant, u64)),
    // ## InFlight => Unschedulable | Backoff
    InFlight,
}

/// Who goes before whom: the higher rank, then who is due first, then who came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    rank: Reverse<i64>,
    due: Instant,
    sequence: u64,
}

/// Whether a pod that backs off may be tried early when nothing else waits: news came that could help
/// it. One that met an error may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Early {
    Yes,
    No,
}

/// How many pods are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lengths {
    /// Next.
    pub active: usize,
    /// Failed a short while ago.
    pub backoff: usize,
    /// Wait for news.
    pub unschedulable: usize,
    /// Not let in.
    pub gated: usize,
}

// === impl Queue ===

impl Default for Queue {
    fn default() -> Self {
        Self::new((Duration::from_secs(1), Duration::from_secs(10)))
    }
}

impl Queue {
    /// An empty one. A pod that failed waits for the first time, then twice as long each time, at most for the second.
    #[must_use]
    pub fn new(backoff_times: (Duration, Duration)) -> Self {
        Self {
            entries: HashMap::new(),
            active: BTreeMap::new(),
            backoff: BTreeMap::new(),
            early: BTreeMap::new(),
            waiting: BTreeMap::new(),
            sequence: 0,
            backoff_times,
        }
    }

    /// A pod is new or has changed. Of equal `rank`, who must have a turn first goes first: `by` then, or as
    /// [`PATIENCE`] has it. `open` says whether every gate is.
    pub fn put(&mut self, pod: Arc<PodInfo>, rank: i64, by: Option<Instant>, open: bool, now: Instant) {
        let Some(entry) = self.entries.get_mut(&pod.uid) else {
            let place = Place::Gated;
            let entry = Entry { pod: pod.clone(), rank, by, attempts: 0, failed: None, refused_by: Vec::new(), place };
            self.entries.insert(pod.uid.clone(), entry);
            if open {
                self.activate(&pod.uid, now);
            }
            return;
        };
        let changed = is_other(&entry.pod, &pod);
        entry.pod = pod.clone();
        let moved = entry.rank != rank || entry.by != by;
        (entry.rank, entry.by) = (rank, by);
        match entry.place {
            Place::Active(_) if moved => self.activate(&pod.uid, now),
            Place::Backoff(_, Some(_)) if moved => self.back_off(&pod.uid, Early::Yes, now),
            Place::Gated if open => self.activate(&pod.uid, now),
            Place::Unschedulable(_) if changed => self.stir(&pod.uid, now),
            Place::Gated | Place::Unschedulable(_) | Place::Active(_) | Place::Backoff(..) | Place::InFlight => {}
        }
    }

    /// A pod is gone, bound, or no longer ours.
    pub fn remove(&mut self, uid: &str) {
        self.unplace(uid);
        self.entries.remove(uid);
    }

    /// The next pod to be placed; it is in flight until it is removed, has failed or is refused.
    pub fn pop(&mut self, now: Instant) -> Option<Arc<PodInfo>> {
        self.ripen(now);
        let uid = self.active.values().next().or_else(|| self.early.values().next())?.clone();
        self.take(&uid)
    }

    /// A pod whose companion is being placed: it is in flight as if it had been due. Not if it is gated, in
    /// flight or unknown.
    pub fn take(&mut self, uid: &str) -> Option<Arc<PodInfo>> {
        let place = self.entries.get(uid)?.place;
        if matches!(place, Place::Gated | Place::InFlight) {
            return None;
        }
        self.unplace(uid);
        let entry = self.entries.get_mut(uid)?;
        entry.place = Place::InFlight;
        entry.attempts = entry.attempts.saturating_add(1);
        Some(entry.pod.clone())
    }

    /// No node would do; these plugins said so. The pod waits for news.
    pub fn refuse(&mut self, uid: &str, by: Vec<&'static str>, now: Instant) {
        self.unplace(uid);
        self.sequence += 1;
        let at = (now + FLUSH, self.sequence);
        let Some(entry) = self.entries.get_mut(uid) else { return };
        entry.failed = Some(now);
        entry.refused_by = by;
        entry.place = Place::Unschedulable(at);
        self.waiting.insert(at, uid.into());
    }

    /// Something went wrong; the pod is tried again in a while.
    pub fn fail(&mut self, uid: &str, now: Instant) {
        let Some(entry) = self.entries.get_mut(uid) else { return };
        entry.failed = Some(now);
        entry.refused_by.clear();
        self.back_off(uid, Early::No, now);
    }

    /// News came; those that it could help are tried again.
    pub fn news(&mut self, now: Instant, helps: impl Fn(&PodInfo, &[&'static str]) -> bool) {
        let helped = |uid: &&String| self.entries.get(*uid).is_some_and(|e| helps(&e.pod, &e.refused_by));
        let helped: Vec<String> = self.waiting.values().filter(helped).cloned().collect();
        for uid in helped {
            self.stir(&uid, now);
        }
    }

    /// Something happened to a pod that waits for news: it is tried again.
    pub fn wake(&mut self, uid: &str, now: Instant) {
        if self.entries.get(uid).is_some_and(|e| matches!(e.place, Place::Unschedulable(_))) {
            self.stir(uid, now);
        }
    }

    /// When [`Queue::pop`] may have something without anything else happening.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let first = |of: &BTreeMap<(Instant, u64), String>| of.keys().next().map(|(at, _)| *at);
        first(&self.backoff).into_iter().chain(first(&self.waiting)).min()
    }

    /// The pods in the queue that something is true of, in order of their UIDs.
    #[must_use]
    pub fn find(&self, is: impl Fn(&PodInfo) -> bool) -> Vec<Arc<PodInfo>> {
        let pods = self.entries.values().map(|entry| &entry.pod).filter(|pod| is(pod));
        let mut found: Vec<_> = pods.cloned().collect();
        found.sort_by(|a, b| a.uid.cmp(&b.uid));
        found
    }

    /// The pod as last seen, while it is in the queue or in flight.
    #[must_use]
    pub fn get(&self, uid: &str) -> Option<&Arc<PodInfo>> {
        self.entries.get(uid).map(|entry| &entry.pod)
    }

    /// How many pods are where.
    #[must_use]
    pub fn lengths(&self) -> Lengths {
        let (active, backoff, unschedulable) = (self.active.len(), self.backoff.len(), self.waiting.len());
        let gated = self.entries.values().filter(|e| e.place == Place::Gated).count();
        Lengths { active, backoff, unschedulable, gated }
    }

    fn ripen(&mut self, now: Instant) {
        while let Some(uid) = due(&self.backoff, now).or_else(|| due(&self.waiting, now)) {
            self.activate(&uid, now);
        }
    }

    /// From unschedulable to active, or to backing off if it failed a short while ago.
    fn stir(&mut self, uid: &str, now: Instant) {
        let Some(entry) = self.entries.get(uid) else { return };
        if entry.due(self.backoff_times).is_some_and(|due| due > now) {
            self.back_off(uid, Early::Yes, now)
        } else {
            self.activate(uid, now)
        }
    }

    fn activate(&mut self, uid: &str, now: Instant) {
        self.unplace(uid);
        self.sequence += 1;
        let Some(entry) = self.entries.get_mut(uid) else { return };
        let at = entry.turn(self.sequence, now);
        entry.place = Place::Active(at);
        self.active.insert(at, uid.into());
    }

    fn back_off(&mut self, uid: &str, early: Early, now: Instant) {
        self.unplace(uid);
        self.sequence += 1;
        let Some(entry) = self.entries.get_mut(uid) else { return };
        let Some(due) = entry.due(self.backoff_times) else { return };
        let turn = (early == Early::Yes).then(|| entry.turn(self.sequence, now));
        entry.place = Place::Backoff((due, self.sequence), turn);
        self.early.extend(turn.map(|turn| (turn, uid.to_owned())));
        self.backoff.insert((due, self.sequence), uid.into());
    }

    fn unplace(&mut self, uid: &str) {
        match self.entries.get(uid).map(|e| e.place) {
            Some(Place::Active(at)) => drop(self.active.remove(&at)),
            Some(Place::Backoff(at, turn)) => {
                self.backoff.remove(&at);
                if let Some(turn) = turn {
                    self.early.remove(&turn);
                }
            }
            Some(Place::Unschedulable(at)) => drop(self.waiting.remove(&at)),
            Some(Place::Gated | Place::InFlight) | None => {}
        }
    }
}

// === impl Entry ===

impl Entry {
    /// When it is next. A moment that is over is none.
    fn turn(&self, sequence: u64, now: Instant) -> Turn {
        let due = self.by.filter(|by| *by > now).unwrap_or(now + PATIENCE);
        Turn { rank: Reverse(self.rank), due, sequence }
    }

    /// Until when it backs off.
    fn due(&self, (first, most): (Duration, Duration)) -> Option<Instant> {
        let doublings = self.attempts.saturating_sub(1).min(10);
        Some(self.failed? + (first * (1 << doublings)).min(most))
    }
}

fn due(times: &BTreeMap<(Instant, u64), String>, now: Instant) -> Option<String> {
    times.first_key_value().filter(|((at, _), _)| *at <= now).map(|(_, uid)| uid.clone())
}

/// Whether a change of a pod could make it fit; of the status only which claims were made for it.
fn is_other(old: &PodInfo, new: &PodInfo) -> bool {
    old.object.spec != new.object.spec
        || old.object.metadata.labels != new.object.metadata.labels
        || old.devices != new.devices
}

#[cfg(test)]
mod tests;
