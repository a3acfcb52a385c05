//! The history of one resource, bounded in bytes: all events after its start, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use super::event::Event;

/// Every event after `start`.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    events: VecDeque<Arc<Event>>,
    start: u64,
    bytes: usize,
}

// === impl Ring ===

impl Ring {
    /// Begins anew: nothing is known of what happened up to `start`.
    pub(crate) fn reset(&mut self, start: u64) {
        *self = Self { start, ..Self::default() };
    }

    pub(crate) fn push(&mut self, event: Arc<Event>, limit: usize) {
        self.bytes += event.weight();
        self.events.push_back(event);
        while self.bytes > limit && self.events.len() > 1 {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.weight();
            self.start = oldest.revision;
        }
    }

    /// The events after a revision; the ring's start if it does not reach back so far.
    pub(crate) fn after(&self, revision: u64) -> Result<impl Iterator<Item = &Arc<Event>>, u64> {
        if revision < self.start {
            return Err(self.start);
        }
        let first = self.events.partition_point(|event| event.revision <= revision);
        Ok(self.events.range(first..))
    }
}
