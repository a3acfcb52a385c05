//! [`Watcher`]: a watch that lasts. It takes the state first, streams changes, resumes after a break
//! where it was, and starts over when the server has forgotten that place.
//!
//! Errors are told, and recovery is the next call: it waits as long as the backoff says.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use nakhoda_api::Reason;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::backoff::Backoff;
use super::clock;
use crate::api::{Api, Page, Selection, Watch, WatchEvent};
use crate::error::{Error, Result};
use crate::key::Key;

const FIRST: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(30);
/// Objects per page when the state must be listed.
const PAGE: i64 = 500;

/// What happened to the objects that are watched.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<T> {
    /// The whole state; whatever is not in it is gone.
    Replaced(Vec<T>),
    /// The object is as given now.
    Applied(T),
    /// The object is gone; its last state.
    Deleted(T),
}

/// Follows the objects of one resource.
pub struct Watcher<T> {
    api: Api<T>,
    selection: Selection,
    state: State<T>,
    backoff: Backoff,
    rest: bool,
    streams_lists: bool,
}

enum State<T> {
    // ## Empty => Initial | Listed
    Empty,
    // ## Initial => Watching | Empty
    Initial { stream: Stream<T>, seen: BTreeMap<Key, T> },
    // ## Listed => Watching | Empty
    Listed { revision: String },
    // ## Watching => Listed | Empty
    Watching { revision: String, stream: Stream<T> },
}

type Stream<T> = BoxStream<'static, Result<WatchEvent<T>>>;

// === impl Watcher ===

impl<T: Serialize + DeserializeOwned + Send + 'static> Watcher<T> {
    /// Nothing is asked before the first call of [`Watcher::next`].
    #[must_use]
    pub const fn new(api: Api<T>, selection: Selection) -> Self {
        let backoff = Backoff::new(FIRST, MOST);
        Self { api, selection, state: State::Empty, backoff, rest: false, streams_lists: true }
    }

    /// Waits for the next event, or for the failure of an attempt. Dropping the future loses nothing
    /// but the attempt under way.
    pub async fn next(&mut self) -> Result<Event<T>> {
        loop {
            if self.rest {
                let wait = self.backoff.next(clock::chance());
                tokio::time::sleep(wait).await;
                self.rest = false;
            }
            match self.step().await {
                Ok(Some(event)) => return Ok(event),
                Ok(None) => {}
                Err(error) => {
                    self.rest = true;
                    return Err(error);
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Event<T>>> {
        match &mut self.state {
            State::Empty if self.streams_lists => self.open_initial().await,
            State::Empty => self.list().await,
            State::Listed { .. } => self.resume().await,
            State::Initial { stream, .. } => {
                let next = stream.next().await;
                self.initial(next)
            }
            State::Watching { stream, .. } => {
                let next = stream.next().await;
                self.watching(next)
            }
        }
    }

    async fn open_initial(&mut self) -> Result<Option<Event<T>>> {
        let watch = Watch { selection: self.selection.clone(), initial: true, ..Watch::default() };
        match self.api.watch(&watch).await {
            Ok(stream) => self.state = State::Initial { stream, seen: BTreeMap::new() },
            Err(error) if refused(&error) => self.streams_lists = false,
            Err(error) => return Err(error),
        }
        Ok(None)
    }

    async fn list(&mut self) -> Result<Option<Event<T>>> {
        let mut page = Page { selection: self.selection.clone(), limit: PAGE, ..Page::default() };
        let mut items = Vec::new();
        loop {
            let listed = self.api.list_page(&page).await?;
            items.extend(listed.items);
            if listed.continue_token.is_empty() {
                self.state = State::Listed { revision: listed.resource_version };
                return Ok(Some(Event::Replaced(items)));
            }
            page.continue_token = listed.continue_token;
        }
    }

    async fn resume(&mut self) -> Result<Option<Event<T>>> {
        let State::Listed { revision } = &self.state else { return Ok(None) };
        let revision = revision.clone();
        let watch = Watch { selection: self.selection.clone(), resource_version: revision.clone(), ..Watch::default() };
        match self.api.watch(&watch).await {
            Ok(stream) => self.state = State::Watching { revision, stream },
            Err(error) => return self.broken(error),
        }
        Ok(None)
    }

    fn initial(&mut self, next: Option<Result<WatchEvent<T>>>) -> Result<Option<Event<T>>> {
        let State::Initial { seen, .. } = &mut self.state else { return Ok(None) };
        match next {
            Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                seen.insert(self.api.key_of(&object), object);
            }
            Some(Ok(WatchEvent::Deleted(object))) => {
                seen.remove(&self.api.key_of(&object));
            }
            Some(Ok(WatchEvent::Bookmark { resource_version, initial_end: true })) => {
                let seen = std::mem::take(seen);
                let State::Initial { stream, .. } = std::mem::replace(&mut self.state, State::Empty) else {
                    return Ok(None);
                };
                self.state = State::Watching { revision: resource_version, stream };
                self.backoff.reset();
                return Ok(Some(Event::Replaced(seen.into_values().collect())));
            }
            Some(Ok(WatchEvent::Bookmark { .. })) => {}
            Some(Err(error)) if refused(&error) => {
                self.streams_lists = false;
                self.state = State::Empty;
            }
            Some(Err(error)) => {
                self.state = State::Empty;
                return Err(error);
            }
            None => {
                self.state = State::Empty;
                self.rest = true;
            }
        }
        Ok(None)
    }

    fn watching(&mut self, next: Option<Result<WatchEvent<T>>>) -> Result<Option<Event<T>>> {
        let State::Watching { revision, .. } = &mut self.state else { return Ok(None) };
        let event = match next {
            Some(Ok(event)) => event,
            Some(Err(error)) => return self.broken(error),
            None => {
                self.rest = true;
                self.state = State::Listed { revision: std::mem::take(revision) };
                return Ok(None);
            }
        };
        self.backoff.reset();
        let event = match event {
            WatchEvent::Bookmark { resource_version, .. } => {
                *revision = resource_version;
                return Ok(None);
            }
            WatchEvent::Added(object) | WatchEvent::Modified(object) => Event::Applied(object),
            WatchEvent::Deleted(object) => Event::Deleted(object),
        };
        let (Event::Applied(object) | Event::Deleted(object)) = &event else { return Ok(Some(event)) };
        self.api.revision_of(object).clone_into(revision);
        Ok(Some(event))
    }

    fn broken(&mut self, error: Error) -> Result<Option<Event<T>>> {
        self.state = match std::mem::replace(&mut self.state, State::Empty) {
            State::Watching { revision, .. } | State::Listed { revision } if !error.is_expired() => {
                State::Listed { revision }
            }
            _ => State::Empty,
        };
        Err(error)
    }
}

/// Whether a server does not know how to stream the initial state.
fn refused(error: &Error) -> bool {
    [Reason::Invalid, Reason::BadRequest, Reason::MethodNotAllowed].iter().any(|r| error.is(*r))
}

#[cfg(test)]
mod tests;
