//! Watches over the history of [`Memory`].

use std::pin::pin;

use futures::StreamExt;
use futures::stream::BoxStream;
use nakhoda_api::Status;
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::watch_event::Type;
use serde_json::{Value, json};

use super::select::Selector;
use super::{Change, Memory};
use crate::error::Result;

/// One open watch.
struct Follower {
    memory: Memory,
    target: v1::Target,
    selector: Selector,
    seen: u64,
    initial: Option<v1::WatchBatch>,
    epoch: u64,
}

// === impl Memory ===

impl Memory {
    pub(super) fn open(&self, request: &v1::WatchRequest) -> Result<BoxStream<'static, Result<v1::WatchBatch>>> {
        let target = request.target.clone().unwrap_or_default();
        let selector = Selector::parse(request.selection.as_ref())?;
        let state = self.enter("watch")?;
        let (seen, initial) = if request.send_initial_events {
            if state.refuse_initial {
                return Err(Status::bad_request("sendInitialEvents is forbidden").into());
            }
            let mut events: Vec<_> =
                state.select(&target, &selector).map(|(_, object)| event(Type::Added, object)).collect();
            events.push(initial_end(state.revision));
            (state.revision, Some(batch(events)))
        } else {
            let seen: u64 = request.resource_version.parse().unwrap_or(state.revision);
            if seen < state.compacted {
                return Err(Status::expired(format!("too old resource version: {seen}")).into());
            }
            (seen, None)
        };
        let follower = Follower { memory: self.clone(), target, selector, seen, initial, epoch: state.epoch };
        Ok(futures::stream::unfold(follower, Follower::next).boxed())
    }
}

// === impl Follower ===

impl Follower {
    async fn next(mut self) -> Option<(Result<v1::WatchBatch>, Self)> {
        if let Some(initial) = self.initial.take() {
            return Some((Ok(initial), self));
        }
        let shared = self.memory.shared.clone();
        loop {
            // Waits from before it looks, so that nothing is missed.
            let mut changed = pin!(shared.changed.notified());
            changed.as_mut().enable();
            let events = self.news()?;
            if !events.is_empty() {
                return Some((Ok(batch(events)), self));
            }
            changed.await;
        }
    }

    /// What is new; none once the watch has been ended.
    fn news(&mut self) -> Option<Vec<v1::WatchEvent>> {
        let state = self.memory.shared.state.lock();
        if state.epoch != self.epoch {
            return None;
        }
        let first = state.history.partition_point(|change| change.revision <= self.seen);
        let new = state.history[first..].iter().filter(|c| c.place.is_of(&self.target));
        let events = new.filter_map(|change| seen_through(change, &self.selector)).collect();
        self.seen = state.revision;
        Some(events)
    }
}

/// A change as a watch with a selection sees it: objects come into and go out of its sight.
fn seen_through(change: &Change, selector: &Selector) -> Option<v1::WatchEvent> {
    let now = change.kind != Type::Deleted && selector.matches(&change.object);
    let before = change.before.as_ref().is_some_and(|b| selector.matches(b));
    let kind = match (before, now) {
        (false, true) => Type::Added,
        (true, true) => Type::Modified,
        (true, false) => Type::Deleted,
        (false, false) => return None,
    };
    Some(event(kind, &change.object))
}

fn event(kind: Type, object: &Value) -> v1::WatchEvent {
    v1::WatchEvent { r#type: kind.into(), object: object.to_string().into_bytes().into() }
}

fn initial_end(revision: u64) -> v1::WatchEvent {
    let metadata = json!({
        "resourceVersion": revision.to_string(),
        "annotations": {"k8s.io/initial-events-end": "true"},
    });
    event(Type::Bookmark, &json!({"metadata": metadata}))
}

const fn batch(events: Vec<v1::WatchEvent>) -> v1::WatchBatch {
    v1::WatchBatch { events, media_type: String::new() }
}
