//! [`Watcher`]: the stream of what happens to the objects one caller can see.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use tokio::time::{Instant, Sleep};

use super::dispatch::Target;
use super::event::EventKind;
use super::filter::Filter;
use super::hub::Hub;
use super::item::Item;
use super::queue::{Queue, Sighting};
use super::resource::Resource;
use super::snapshot::Snapshot;

pub mod terms;

pub use terms::{Ended, Notice, Start, WatchItem, WatchRequest};

/// Items taken from a snapshot at a time.
const CHUNK: usize = 128;
/// When to look again for a bookmark that could not be made because a transaction was half told.
const SOON: Duration = Duration::from_millis(50);

/// A watch. After an error it ends. Dropped, it costs nothing more.
pub struct Watcher {
    resource: Arc<Resource>,
    hub: Arc<Hub>,
    filter: Arc<Filter>,
    queue: Arc<Queue>,
    number: Option<u64>,
    phase: Phase,
    taken: VecDeque<Sighting>,
    /// Nothing up to here is told: the store may not have come so far yet.
    after: u64,
    seen: u64,
    period: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    due: bool,
}

enum Phase {
    /// Telling the objects of a snapshot, those in `chunk` next, then those behind `after` unless `last`.
    Initial {
        snapshot: Snapshot,
        chunk: VecDeque<Arc<Item>>,
        after: Option<Arc<str>>,
        last: bool,
        mark: bool,
    },
    Live,
    /// What it was to begin with is not known any more; that is told yet.
    Expired {
        oldest: u64,
    },
    Over,
}

// === impl Watcher ===

impl Watcher {
    pub(crate) fn start(resource: Arc<Resource>, hub: Arc<Hub>, request: WatchRequest) -> Self {
        let queue = Arc::new(Queue::new(hub.settings.queue_events, hub.settings.queue_bytes));
        let mut watcher = Self {
            resource,
            hub,
            filter: Arc::new(request.filter),
            queue,
            number: None,
            phase: Phase::Live,
            taken: VecDeque::new(),
            after: 0,
            seen: 0,
            period: request.bookmarks,
            timer: request.bookmarks.map(|period| Box::pin(tokio::time::sleep(period))),
            due: false,
        };
        match request.start {
            Start::After(revision) => {
                if let Err(oldest) = watcher.attach(revision) {
                    watcher.seen = revision;
                    watcher.phase = Phase::Expired { oldest };
                }
            }
            Start::Initial(snapshot) => {
                let mark = request.initial_events_end;
                watcher.phase = Phase::Initial { snapshot, chunk: VecDeque::new(), after: None, last: false, mark };
            }
        }
        watcher
    }

    /// From here on, changes after `revision` come from the history and the queue.
    fn attach(&mut self, revision: u64) -> Result<(), u64> {
        let target = Target { queue: self.queue.clone(), filter: self.filter.clone() };
        let (number, history) = self.resource.attach(target, revision)?;
        self.number = Some(number);
        (self.after, self.seen) = (revision, revision);
        let hot = self.resource.hot.as_deref();
        let seen = history.into_iter().filter_map(|event| {
            let kind = event.seen(|item| self.filter.accepts(item, hot))?;
            Some((event, kind))
        });
        self.taken = seen.collect();
        Ok(())
    }

    fn initial(&mut self) -> Option<WatchItem> {
        let Phase::Initial { snapshot, chunk, after, last, .. } = &mut self.phase else { return None };
        while chunk.is_empty() && !*last {
            let page = snapshot.stretch(&self.filter, after.as_deref(), CHUNK);
            *last = page.next.is_none();
            *after = page.next;
            chunk.extend(page.items);
        }
        let item = chunk.pop_front()?;
        Some(WatchItem::Notice(Notice { kind: EventKind::Added, revision: item.revision, item, event: None }))
    }

    fn poll_initial(&mut self) -> Option<Result<WatchItem, Ended>> {
        if let Some(item) = self.initial() {
            return Some(Ok(item));
        }
        let Phase::Initial { snapshot, mark, .. } = &self.phase else { return None };
        let (revision, mark) = (snapshot.revision(), *mark);
        self.phase = Phase::Live;
        if let Err(oldest) = self.attach(revision) {
            self.seen = revision;
            return Some(self.end(Ended::Expired { requested: revision, oldest }));
        }
        mark.then_some(Ok(WatchItem::Bookmark { revision, initial_events_end: true }))
    }

    fn end(&mut self, why: Ended) -> Result<WatchItem, Ended> {
        self.phase = Phase::Over;
        Err(match why {
            Ended::Expired { oldest, .. } => Ended::Expired { requested: self.seen, oldest },
            other => other,
        })
    }

    fn next_taken(&mut self) -> Option<WatchItem> {
        let (event, kind) = loop {
            let next = self.taken.pop_front()?;
            if next.0.revision > self.after {
                break next;
            }
        };
        self.seen = event.revision;
        let item = event.shown(kind).clone();
        Some(WatchItem::Notice(Notice { kind, item, revision: event.revision, event: Some(event) }))
    }

    fn poll_live(&mut self, cx: &mut Context<'_>) -> Poll<Result<WatchItem, Ended>> {
        loop {
            if let Some(item) = self.next_taken() {
                return Poll::Ready(Ok(item));
            }
            self.poll_timer(cx);
            // Read before the queue is found empty: what was told until then is in the queue or delivered.
            let complete = self.due.then(|| self.resource.complete(self.hub.progress.reached()));
            match self.queue.poll_take(&mut self.taken, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(why)) => return Poll::Ready(self.end(why)),
                Poll::Pending => match complete {
                    Some(revision) if self.bookmark(revision) => {
                        return Poll::Ready(Ok(WatchItem::Bookmark { revision, initial_events_end: false }));
                    }
                    // The timer was set again: it has to be polled once to wake this task.
                    Some(_) => {}
                    None => return Poll::Pending,
                },
            }
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        let Some(timer) = &mut self.timer else { return };
        if !self.due && timer.as_mut().poll(cx).is_ready() {
            self.due = true;
        }
    }

    /// Whether a bookmark may be made at `complete`; sets the timer for the next.
    fn bookmark(&mut self, complete: u64) -> bool {
        let ok = complete >= self.seen;
        self.due = false;
        if let (Some(timer), Some(period)) = (&mut self.timer, self.period) {
            timer.as_mut().reset(Instant::now() + if ok { period } else { SOON });
        }
        ok
    }
}

impl Stream for Watcher {
    type Item = Result<WatchItem, Ended>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let watcher = &mut *self;
        if matches!(watcher.phase, Phase::Initial { .. })
            && let Some(item) = watcher.poll_initial()
        {
            return Poll::Ready(Some(item));
        }
        match watcher.phase {
            Phase::Over => Poll::Ready(None),
            Phase::Expired { oldest } => {
                Poll::Ready(Some(watcher.end(Ended::Expired { requested: watcher.seen, oldest })))
            }
            _ => watcher.poll_live(cx).map(Some),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.resource.detach(number, &self.filter);
        }
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("filter", &self.filter).field("seen", &self.seen).finish_non_exhaustive()
    }
}
