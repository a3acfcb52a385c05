//! What waits for one watcher: bounded; one that does not keep up is closed alone.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::event::{Event, EventKind};
use super::watcher::Ended;

/// An event as one watcher sees it.
pub(crate) type Sighting = (Arc<Event>, EventKind);

#[derive(Debug)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    events: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Sighting>,
    bytes: usize,
    ended: Option<Ended>,
    waker: Option<Waker>,
}

// === impl Queue ===

impl Queue {
    pub(crate) fn new(events: usize, bytes: usize) -> Self {
        Self { inner: Mutex::default(), events, bytes }
    }

    /// Adds an event. False if the queue is closed, or full and therefore closed now.
    pub(crate) fn push(&self, event: &Arc<Event>, kind: EventKind) -> bool {
        let mut inner = self.inner.lock();
        if inner.ended.is_some() {
            return false;
        }
        inner.bytes += event.weight();
        let full = inner.waiting.len() >= self.events || inner.bytes > self.bytes && !inner.waiting.is_empty();
        if full {
            inner.waiting = VecDeque::new();
            inner.ended = Some(Ended::Overflow);
        } else {
            inner.waiting.push_back((event.clone(), kind));
        }
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
        !full
    }

    /// Closes it behind what waits already.
    pub(crate) fn close(&self, why: Ended) {
        let mut inner = self.inner.lock();
        inner.ended.get_or_insert(why);
        if let Some(waker) = inner.waker.take() {
            waker.wake();
        }
    }

    /// Moves all that waits into `taken`, which is empty: pending if there is nothing yet.
    pub(crate) fn poll_take(&self, taken: &mut VecDeque<Sighting>, cx: &Context<'_>) -> Poll<Result<(), Ended>> {
        let mut inner = self.inner.lock();
        if !inner.waiting.is_empty() {
            std::mem::swap(&mut inner.waiting, taken);
            inner.bytes = 0;
            return Poll::Ready(Ok(()));
        }
        if let Some(ended) = inner.ended {
            return Poll::Ready(Err(ended));
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
