//! [`update_with`]: read, decide, write if nobody else did meanwhile, else decide again.

use std::future::Future;

use bytes::Bytes;

use crate::error::Error;
use crate::store::{Entry, Options, Store};

/// What a decision about a key comes to.
#[derive(Clone, Debug)]
pub enum Next {
    /// Store this. The key is created if it did not exist.
    Put(Bytes),
    /// Delete the key.
    Delete,
    /// Leave it as it is.
    Keep,
}

/// What came of an update.
#[derive(Clone, Debug)]
pub struct Updated {
    /// What was done at last.
    pub next: Next,
    /// What the key held before.
    pub before: Option<Entry>,
    /// The revision of the write; of the entry as it was, if it was kept.
    pub revision: u64,
}

/// Reads `key`, asks `decide` what shall become of it, and writes that, asking again with what is there
/// whenever somebody else was faster. `decide` also tells its own errors.
///
/// A `hint` (from a cache, say) saves the first read. What was decided on it is trusted only if the
/// write then commits: a refusal or a [`Next::Keep`] is decided again on a fresh read, unless that
/// finds the hint to be still true.
pub async fn update_with<S, F, Fut, E>(
    store: &S,
    key: &Bytes,
    hint: Option<Entry>,
    options: &Options,
    mut decide: F,
) -> Result<Updated, E>
where
    S: Store + ?Sized,
    F: FnMut(Option<Entry>) -> Fut,
    Fut: Future<Output = Result<Next, E>>,
    E: From<Error>,
{
    let mut hinted = hint.is_some();
    let mut current = match hint {
        Some(entry) => Some(entry),
        None => store.get(key).await?.entry,
    };
    loop {
        let decision = decide(current.clone()).await;
        if hinted && !matches!(decision, Ok(Next::Put(_) | Next::Delete)) {
            hinted = false;
            let fresh = store.get(key).await?.entry;
            if revision(fresh.as_ref()) != revision(current.as_ref()) {
                current = fresh;
                continue;
            }
        }
        let next = decision?;
        match write(store, key, current.as_ref(), &next, options).await {
            Ok(revision) => return Ok(Updated { next, before: current, revision }),
            Err(Error::Conflict { current: now }) => current = now,
            Err(Error::Exists { current: now }) => current = Some(now),
            Err(Error::NotFound) if current.is_some() => current = None,
            Err(error) => return Err(error.into()),
        }
        hinted = false;
    }
}

fn revision(entry: Option<&Entry>) -> u64 {
    entry.map_or(0, |entry| entry.revision)
}

async fn write<S: Store + ?Sized>(
    store: &S,
    key: &Bytes,
    current: Option<&Entry>,
    next: &Next,
    options: &Options,
) -> Result<u64, Error> {
    match (next, current) {
        (Next::Keep, current) => Ok(revision(current)),
        (Next::Delete, None) => Err(Error::NotFound),
        (Next::Delete, Some(entry)) => store.delete(key.clone(), entry.revision, options).await,
        (Next::Put(value), None) => store.create(key.clone(), value.clone(), options).await,
        (Next::Put(value), Some(entry)) => store.update(key.clone(), entry.revision, value.clone(), options).await,
    }
}
