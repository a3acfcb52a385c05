//! The state of one resource: what the hub writes and everybody reads.
//!
//! One lock orders the writes, the history and the watchers; readers take none. A change is first in the
//! state, then with the watchers, and only then counted as progress.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use bytes::Bytes;
use imbl::OrdMap;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::Settings;
use super::dispatch::{Dispatch, Target};
use super::event::Event;
use super::filter::Filter;
use super::item::Item;
use super::pins::Pins;
use super::ring::Ring;
use super::shape::Shape;
use super::snapshot::{Snapshot, State};
use super::watcher::Ended;
use crate::error::Error;
use crate::store::Change;

mod decode;
mod past;

pub(crate) struct Resource {
    pub(crate) prefix: Bytes,
    pub(crate) hot: Option<Arc<str>>,
    shape: Arc<dyn Shape>,
    state: ArcSwap<State>,
    inner: Mutex<Inner>,
    pins: Mutex<Pins>,
    unreadable: Mutex<Unreadable>,
    exact: tokio::sync::Mutex<()>,
    ready: watch::Sender<bool>,
    ring_bytes: usize,
}

#[derive(Default)]
struct Inner {
    ring: Ring,
    dispatch: Dispatch,
    /// Counts the gaps: what was listed before the last one is of no use.
    generation: u64,
    /// Changes that came while the list was under way.
    pending: Vec<Prepared>,
}

/// A change with its item made.
pub(crate) struct Prepared {
    key: Arc<str>,
    item: Option<Arc<Item>>,
    revision: u64,
    created: bool,
}

/// The keys whose values cannot be shown, each with the reason.
type Unreadable = BTreeMap<Arc<str>, Arc<str>>;

pub(crate) type Map = OrdMap<Arc<str>, Arc<Item>>;

// === impl Resource ===

impl Resource {
    pub(crate) fn new(prefix: Bytes, shape: Arc<dyn Shape>, settings: &Settings) -> Self {
        let hot: Option<Arc<str>> = shape.hot().map(Into::into);
        let state = State { hot: hot.clone(), ..State::default() };
        Self {
            prefix,
            hot,
            shape,
            state: ArcSwap::from_pointee(state),
            inner: Mutex::default(),
            pins: Mutex::default(),
            unreadable: Mutex::default(),
            exact: tokio::sync::Mutex::default(),
            ready: watch::Sender::new(false),
            ring_bytes: settings.ring_bytes,
        }
    }

    /// Waits until the state follows the hub.
    pub(crate) async fn ready(&self) {
        // The sender lives as long as `self`.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// What the state holds; `progress` was read before.
    pub(crate) fn snapshot(&self, progress: u64) -> Snapshot {
        let state = self.state.load_full();
        let revision = if state.live { state.revision.max(progress) } else { state.revision };
        Snapshot { revision, state }
    }

    /// Up to which revision every watcher was told everything; `progress` was read before.
    pub(crate) fn complete(&self, progress: u64) -> u64 {
        let state = self.state.load();
        if state.live { progress } else { progress.min(state.revision) }
    }

    /// Takes changes from the hub, whole transactions in order.
    pub(crate) fn apply(&self, changes: Vec<Change>) {
        let prepared: Vec<_> = changes.into_iter().map(|change| self.prepare(change)).collect();
        let mut inner = self.inner.lock();
        let state = self.state.load_full();
        if state.live {
            self.advance(&mut inner, &state, prepared);
        } else {
            inner.pending.extend(prepared);
        }
    }

    fn advance(&self, inner: &mut Inner, state: &State, changes: Vec<Prepared>) {
        let mut next = State { live: true, ..state.clone() };
        let mut events = Vec::with_capacity(changes.len());
        let mut superseded = 0;
        for change in changes.into_iter().filter(|change| change.revision > state.revision) {
            next.revision = change.revision;
            let mut previous = match &change.item {
                Some(item) => next.map.insert(change.key, item.clone()),
                None => next.map.remove(&change.key),
            };
            superseded += previous.as_ref().map_or(0, |item| item.weight() as u64);
            if change.created && previous.is_some() {
                // The store lost the deletion in between; to watchers this is another object.
                events.extend(Event::new(previous.take(), None, change.revision).map(Arc::new));
            }
            events.extend(Event::new(previous, change.item, change.revision).map(Arc::new));
        }
        self.state.store(Arc::new(next));
        self.pins.lock().supersede(superseded);
        let now = Instant::now();
        for event in events {
            inner.dispatch.tell(&event, self.hot.as_deref());
            inner.ring.push(event, now, self.ring_bytes);
        }
    }

    /// The hub lost track after `progress`: the state stands still until it is listed anew. Whether it was live.
    pub(crate) fn freeze(&self, progress: u64) -> bool {
        let mut inner = self.inner.lock();
        inner.generation += 1;
        inner.pending = Vec::new();
        let state = self.state.load_full();
        if state.live {
            let revision = state.revision.max(progress);
            self.state.store(Arc::new(State { live: false, revision, ..(*state).clone() }));
            self.ready.send_replace(false);
        }
        state.live
    }

    pub(crate) fn generation(&self) -> u64 {
        self.inner.lock().generation
    }

    /// Takes a list of everything, made at `revision` in a generation. False if there was a gap since.
    /// [`Error::Corrupt`] if the store went back.
    pub(crate) fn install(&self, generation: u64, map: Map, revision: u64) -> Result<bool, Error> {
        let mut inner = self.inner.lock();
        let state = self.state.load_full();
        if inner.generation != generation {
            return Ok(false);
        }
        if state.live {
            return Ok(true);
        }
        if revision < state.revision {
            return Err(Error::corrupt(format!("the store went back from revision {} to {revision}", state.revision)));
        }
        if state.revision == 0 || !same(&state.map, &map) {
            inner.ring.reset(revision);
            inner.dispatch.close(Ended::Expired { requested: 0, oldest: revision });
        }
        let listed = State { map, revision, live: true, hot: self.hot.clone() };
        let pending = std::mem::take(&mut inner.pending);
        self.advance(&mut inner, &listed, pending);
        self.ready.send_replace(true);
        Ok(true)
    }

    /// Adds a watcher that has seen everything up to `after`: its number and what it missed. The start of
    /// the history if that does not reach back so far.
    pub(crate) fn attach(&self, target: Target, after: u64) -> Result<(u64, Vec<Arc<Event>>), u64> {
        let mut inner = self.inner.lock();
        let history = inner.ring.after(after)?.cloned().collect();
        Ok((inner.dispatch.add(target), history))
    }

    pub(crate) fn detach(&self, number: u64, filter: &Filter) {
        self.inner.lock().dispatch.remove(number, filter);
    }

    /// Ends all watchers.
    pub(crate) fn close(&self) {
        self.inner.lock().dispatch.close(Ended::Stopped);
    }
}

fn same(old: &Map, new: &Map) -> bool {
    let revisions = |map: &Map| map.values().map(|item| item.revision).collect::<Vec<_>>();
    old.len() == new.len() && old.keys().eq(new.keys()) && revisions(old) == revisions(new)
}
