//! UPDATE, and [`change`], which PATCH and the subresources are made of too.

use std::sync::Arc;

use nakhoda_api::{Object, Status};
use nakhoda_store::cache::Item;
use nakhoda_store::{Entry, Error, Reading};

use super::{Call, body, chain, create, delete, get, meta, outcome, write};
use crate::authz::Attributes;
use crate::request::{Target, Write, WriteOptions};
use crate::response::Response;

mod check;

pub use check::check_name;

/// Makes the new object out of the current one; `None`: there is none.
pub type Make<'a> = &'a (dyn Fn(Option<&Object>) -> Result<Object, Status> + Send + Sync);

/// More writers than this between two tries of one write do not happen.
const ATTEMPTS: usize = 64;

/// How much of the chain a change passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All of it.
    Chain,
    /// All of it, but who owns the fields is noted already.
    Owned,
    /// None: the server itself made the change, by rules of its own (binding, finalize).
    Raw,
}

/// What one try came to.
enum Attempt {
    Done(Box<Response>),
    /// Somebody else wrote: here is what the object is now.
    Again(Option<Arc<Item>>),
}

impl Attempt {
    fn done(response: Response) -> Self {
        Self::Done(Box::new(response))
    }
}

/// Replaces the object by the one of the body.
pub async fn update(call: &Call, write: Write) -> Result<Response, Status> {
    let given = body::read_as(&write.body, &call.kind, write.options.validation)?;
    check_name(&given.object, call)?;
    let make = |_: Option<&Object>| Ok(given.object.clone());
    let mut response = change(call, &make, Mode::Chain, &write.options).await?;
    response.warnings.splice(0..0, given.warnings);
    Ok(response)
}

/// Writes what `make` makes of the current object, as often as somebody else is faster.
///
/// The first try trusts the cache: if it fails or changes nothing, it is made again on what the store has.
pub async fn change(call: &Call, make: Make<'_>, mode: Mode, options: &WriteOptions) -> Result<Response, Status> {
    let name = &call.target.name;
    let mut current = call.cache().snapshot().get(&get::relative(call)).cloned();
    let mut trusted = false;
    for _ in 0..ATTEMPTS {
        if !trusted && current.is_none() {
            current = fresh(call).await?;
            trusted = true;
        }
        match attempt(call, current.as_ref(), make, mode, options).await {
            Ok(Attempt::Done(response)) => return Ok(*response),
            Ok(Attempt::Again(now)) => {
                (current, trusted) = (now, true);
            }
            Err(status) if trusted => return Err(status),
            Err(status) => {
                let now = fresh(call).await?;
                trusted = true;
                if now.as_ref().map(|item| item.revision) == current.as_ref().map(|item| item.revision) {
                    return Err(status);
                }
                current = now;
            }
        }
    }
    Err(Status::modified(&call.resource(), name))
}

/// The object as the store has it.
pub async fn fresh(call: &Call) -> Result<Option<Arc<Item>>, Status> {
    let name = &call.target.name;
    let read = call.pipeline.storage().store().get(&call.key(name)).await;
    let entry = read.map_err(|error| outcome::status(call, name, &error))?.entry;
    entry.map(|entry| write::item_of(call, name, &entry)).transpose()
}

async fn attempt(
    call: &Call,
    current: Option<&Arc<Item>>,
    make: Make<'_>,
    mode: Mode,
    options: &WriteOptions,
) -> Result<Attempt, Status> {
    let Some(item) = current else { return missing(call, make, mode, options).await.map(Attempt::done) };
    let old = write::decode(call, item).await?;
    let mut new = make(Some(&old))?;
    if mode == Mode::Owned {
        check::identity(call, &new, &old)?;
    }
    check::preconditions(call, &new, &old, item)?;
    meta::settle_namespace(&mut new, call.namespace(), call.kind.info.scope)?;
    let chain::Passed { warnings, mut claims } = match mode {
        Mode::Chain | Mode::Owned => chain::update(call, &mut new, &old, options, mode == Mode::Owned).await?,
        Mode::Raw => {
            // What served as a precondition is no change: the object stays the one it was.
            new.set_meta("uid", old.uid());
            chain::Passed::default()
        }
    };
    if is_finished(call, &new, &old)? {
        return finish(call, new, item, options, warnings).await;
    }
    let mut extra = write::options(call, options)?;
    loop {
        let value = write::encode_in(call, &mut new).await?;
        if options.dry_run {
            new.set_meta("resourceVersion", item.revision.to_string());
            return Ok(Attempt::done(Response { answer: call.object(new, false), warnings }));
        }
        if value == write::encode(call, &old).await? {
            return unchanged(call, item, options, warnings).await;
        }
        claims.apply(call, &new, &mut extra);
        let key = call.key(&call.target.name);
        match call.pipeline.storage().store().update(key, item.revision, value.clone(), &extra).await {
            Ok(revision) => {
                claims.written(call, revision);
                let item = write::item(call, &call.target.name, &value, item.created, revision)?;
                return Ok(Attempt::done(Response { answer: call.item(item), warnings }));
            }
            Err(Error::Condition { key, .. }) => claims.taken(call, &key, &mut new).await?,
            Err(error) => return again(call, error),
        }
    }
}

/// A write that changes nothing writes nothing, but what it saw must have been the store's truth.
/// An object that lies in the store otherwise than it would be written now (encrypted with an older key, say) is written.
async fn unchanged(
    call: &Call,
    item: &Arc<Item>,
    options: &WriteOptions,
    warnings: Vec<String>,
) -> Result<Attempt, Status> {
    let (name, store) = (&call.target.name, call.pipeline.storage().store());
    let failed = |error: Error| outcome::status(call, name, &error);
    let key = call.key(name);
    let entry = store.get(&key).await.map_err(failed)?.entry;
    let now = entry.as_ref().map(|entry| write::item_of(call, name, entry)).transpose()?;
    if let Some(stale) = entry.filter(|entry| entry.reading == Reading::Stale && entry.revision == item.revision) {
        return renew(call, stale, options, warnings).await;
    }
    if now.as_ref().is_some_and(|now| now.revision == item.revision) {
        return Ok(Attempt::done(Response { answer: call.item(item.clone()), warnings }));
    }
    Ok(Attempt::Again(now))
}

/// Stores an object anew as it is.
async fn renew(call: &Call, entry: Entry, options: &WriteOptions, warnings: Vec<String>) -> Result<Attempt, Status> {
    let (name, store) = (&call.target.name, call.pipeline.storage().store());
    let extra = write::options(call, options)?;
    match store.update(entry.key, entry.revision, entry.value.clone(), &extra).await {
        Ok(revision) => {
            let item = write::item(call, name, &entry.value, entry.created, revision)?;
            Ok(Attempt::done(Response { answer: call.item(item), warnings }))
        }
        Err(error) => again(call, error),
    }
}

fn again(call: &Call, error: Error) -> Result<Attempt, Status> {
    match error {
        Error::Conflict { current: Some(entry) } => {
            Ok(Attempt::Again(Some(write::item_of(call, &call.target.name, &entry)?)))
        }
        Error::Conflict { current: None } | Error::NotFound => Ok(Attempt::Again(None)),
        error => Err(outcome::status(call, &call.target.name, &error)),
    }
}

async fn missing(call: &Call, make: Make<'_>, mode: Mode, options: &WriteOptions) -> Result<Response, Status> {
    // an apply makes what is not there
    let makes = call.kind.info.create_on_update || mode == Mode::Owned;
    if !makes || !call.target.subresource.is_empty() {
        return Err(call.not_found());
    }
    let mut object = make(None)?;
    if mode == Mode::Owned {
        // there is nothing that could have another version
        object.remove_meta("resourceVersion");
    }
    if !object.uid().is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {}, and no existing object was found",
            object.uid()
        );
        return Err(Status::conflict(&call.resource(), &call.target.name, &why));
    }
    call.pipeline
        .authorize(&Attributes::new(call.user.clone(), "create", Target::Resource(call.target.clone())))
        .await?;
    create::owned(call, object, options, mode == Mode::Owned).await
}

/// Whether this was the last finalizer of an object whose time is over.
fn is_finished(call: &Call, new: &Object, old: &Object) -> Result<bool, Status> {
    let over = meta::is_overdue(old) && new.finalizers().next().is_none();
    Ok(over && !call.kind.strategy.linger(&mut new.clone())?)
}

async fn finish(
    call: &Call,
    mut new: Object,
    item: &Arc<Item>,
    options: &WriteOptions,
    warnings: Vec<String>,
) -> Result<Attempt, Status> {
    new.set_meta("resourceVersion", item.revision.to_string());
    if !options.dry_run
        && let Err(error) = delete::remove(call, item, options).await?
    {
        return again(call, error);
    }
    Ok(Attempt::done(Response { answer: call.object(new, false), warnings }))
}
