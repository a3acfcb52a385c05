//! Selection by fields that only those objects have that others have converted: the caches cannot know them, so that
//! the objects of a list are converted before it is made, and the events of a watch before they are let through.

use std::collections::HashSet;
use std::future::ready;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use nakhoda_api::Status;
use nakhoda_api::selector::FieldSelector;
use nakhoda_store::cache::{Ended, EventKind, Filter, Item, Notice, Snapshot, Start, WatchItem};

use super::{Call, outcome};
use crate::kind::Served;
use crate::render;

/// An event, and whether its object can be shown.
pub type Settled = (Result<WatchItem, Ended>, Result<(), Status>);

/// Lets those events of a watch through whose objects have the fields.
pub struct Gate {
    kind: Arc<Served>,
    fields: FieldSelector,
    seen: HashSet<Arc<str>>,
}

/// Makes sure that a filter can tell the objects of a snapshot apart by their fields.
pub async fn narrow(
    call: &Call,
    filter: &mut Filter,
    fields: FieldSelector,
    snapshot: &Snapshot,
) -> Result<(), Status> {
    call.kind.strategy.settle(&snapshot.page(filter, None, 0).items).await?;
    let (kind, before) = (call.kind.clone(), filter.matches.take());
    filter.matches = Some(Arc::new(move |item: &Item| {
        before.as_ref().is_none_or(|before| before(item)) && has(&kind, &fields, item)
    }));
    Ok(())
}

/// The events of a watch, each converted before it is told.
pub fn settled(
    kind: Arc<Served>,
    events: impl Stream<Item = Result<WatchItem, Ended>> + Send,
    mut gate: Option<Box<Gate>>,
) -> impl Stream<Item = Settled> + Send {
    let events = events.then(move |next| settle(kind.clone(), next));
    events.filter_map(move |event| {
        ready(match &mut gate {
            Some(gate) => gate.pass(event),
            None => Some(event),
        })
    })
}

async fn settle(kind: Arc<Served>, next: Result<WatchItem, Ended>) -> Settled {
    let settled = match &next {
        Ok(WatchItem::Notice(notice)) if kind.strategy.settles() => {
            kind.strategy.settle(std::slice::from_ref(&notice.item)).await
        }
        _ => Ok(()),
    };
    (next, settled)
}

/// Whether an object that was converted has the fields.
fn has(kind: &Served, fields: &FieldSelector, item: &Item) -> bool {
    render::shown(kind, item).is_ok_and(|json| fields.matches(&kind.strategy.fields(&json)))
}

// === impl Gate ===

impl Gate {
    /// Before a watch with this filter and this beginning.
    pub async fn open(call: &Call, filter: &Filter, fields: FieldSelector, start: &Start) -> Result<Self, Status> {
        let mut seen = HashSet::new();
        if let Start::After(revision) = start {
            let snapshot = call.cache().at(*revision).await.map_err(|error| outcome::status(call, "", &error))?;
            let items = snapshot.page(filter, None, 0).items;
            call.kind.strategy.settle(&items).await?;
            seen.extend(items.iter().filter(|item| has(&call.kind, &fields, item)).map(|item| item.key().clone()));
        }
        Ok(Self { kind: call.kind.clone(), fields, seen })
    }

    fn pass(&mut self, (next, settled): Settled) -> Option<Settled> {
        match next {
            Ok(WatchItem::Notice(mut notice)) if settled.is_ok() => {
                notice.kind = self.seen_as(&notice)?;
                Some((Ok(WatchItem::Notice(notice)), settled))
            }
            other => Some((other, settled)),
        }
    }

    /// What an event is to one who sees only objects with the fields.
    fn seen_as(&mut self, notice: &Notice) -> Option<EventKind> {
        let key = notice.item.key();
        if notice.kind == EventKind::Deleted || !has(&self.kind, &self.fields, &notice.item) {
            return self.seen.remove(key).then_some(EventKind::Deleted);
        }
        Some(if self.seen.insert(key.clone()) { EventKind::Added } else { EventKind::Modified })
    }
}
