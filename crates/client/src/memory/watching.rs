//! Watches over the history of [`Memory`].

use futures::StreamExt;
use futures::stream::BoxStream;
use nakhoda_api::Status;
use nakhoda_rpc::v1;
use nakhoda_rpc::v1::watch_event::Type;
use serde_json::{Value, json};
use tokio::sync::watch;

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
    revision: watch::Receiver<u64>,
    epoch: watch::Receiver<u64>,
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
        drop(state);
        let (mut revision, mut epoch) = (self.shared.revision.subscribe(), self.shared.epoch.subscribe());
        revision.mark_unchanged();
        epoch.mark_unchanged();
        let follower = Follower { memory: self.clone(), target, selector, seen, initial, revision, epoch };
        Ok(futures::stream::unfold(follower, Follower::next).boxed())
    }
}

// === impl Follower ===

impl Follower {
    async fn next(mut self) -> Option<(Result<v1::WatchBatch>, Self)> {
        if let Some(initial) = self.initial.take() {
            return Some((Ok(initial), self));
        }
        loop {
            let events = self.news();
            if !events.is_empty() {
                return Some((Ok(batch(events)), self));
            }
            tokio::select! {
                _ = self.epoch.changed() => return None,
                changed = self.revision.changed() => changed.ok()?,
            }
        }
    }

    fn news(&mut self) -> Vec<v1::WatchEvent> {
        let state = self.memory.shared.state.lock();
        let new = state.history.iter().filter(|c| c.revision > self.seen && c.place.is_of(&self.target));
        let events = new.filter_map(|change| seen_through(change, &self.selector)).collect();
        self.seen = state.revision;
        events
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
