//! The history of one resource, bounded in bytes and age: all events after its start, in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::event::Event;

/// Every event after `start`.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    events: VecDeque<(Instant, Arc<Event>)>,
    start: u64,
    bytes: usize,
}

// === impl Ring ===

impl Ring {
    /// Begins anew: nothing is known of what happened up to `start`.
    pub(crate) fn reset(&mut self, start: u64) {
        *self = Self { start, ..Self::default() };
    }

    /// Adds an event; the oldest go until the rest is small enough. The last one may be large.
    pub(crate) fn push(&mut self, event: Arc<Event>, now: Instant, limit: usize) {
        self.bytes += event.weight();
        self.events.push_back((now, event));
        while self.bytes > limit && self.events.len() > 1 {
            self.drop_oldest();
        }
    }

    /// Where the history starts.
    pub(crate) const fn start(&self) -> u64 {
        self.start
    }

    /// Puts another history in front, which must reach up to the start of this one.
    pub(crate) fn adopt(&mut self, older: Self, limit: usize) {
        let newer = std::mem::replace(self, older);
        for (at, event) in newer.events {
            self.push(event, at, limit);
        }
    }

    /// Lets go of what happened before `since`.
    pub(crate) fn trim(&mut self, since: Instant) {
        while self.events.front().is_some_and(|(at, _)| *at < since) {
            self.drop_oldest();
        }
        if self.events.len() < self.events.capacity() / 4 {
            self.events.shrink_to_fit();
        }
    }

    /// The events after a revision; the ring's start if it does not reach back so far.
    pub(crate) fn after(&self, revision: u64) -> Result<impl Iterator<Item = &Arc<Event>>, u64> {
        if revision < self.start {
            return Err(self.start);
        }
        let first = self.events.partition_point(|(_, event)| event.revision <= revision);
        Ok(self.events.range(first..).map(|(_, event)| event))
    }

    fn drop_oldest(&mut self) {
        if let Some((_, oldest)) = self.events.pop_front() {
            self.bytes -= oldest.weight();
            self.start = oldest.revision;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cache::item::{Draft, Item};

    fn event(revision: u64) -> Arc<Event> {
        let draft = Draft { json: r#"{"metadata":{}}"#.into(), ..Draft::default() };
        let item = Item::new("a".into(), draft, revision, revision).unwrap();
        Arc::new(Event::new(None, Some(Arc::new(item)), revision).unwrap())
    }

    fn after(ring: &Ring, revision: u64) -> Result<Vec<u64>, u64> {
        ring.after(revision).map(|events| events.map(|event| event.revision).collect())
    }

    #[test]
    fn the_ring_starts_where_its_last_loss_was() {
        let (mut ring, now) = (Ring::default(), Instant::now());
        ring.reset(10);
        let limit = 2 * event(10).weight();
        for revision in [12, 15, 19] {
            ring.push(event(revision), now, limit);
        }
        assert_eq!(after(&ring, 11), Err(12));
        assert_eq!(after(&ring, 12), Ok(vec![15, 19]));
        assert_eq!(after(&ring, 17), Ok(vec![19]));
        assert_eq!(after(&ring, 30), Ok(vec![]));
        ring.trim(now + Duration::from_secs(1));
        assert_eq!((after(&ring, 18), after(&ring, 19)), (Err(19), Ok(vec![])));
    }
}
