//! DELETE: at once, gracefully, or after finalizers.

use std::sync::Arc;

use nakhoda_api::kinds::meta::DeleteOptions;
use nakhoda_api::status::Details;
use nakhoda_api::{Object, Status};
use nakhoda_store::Error;
use nakhoda_store::cache::Item;

use super::update::fresh;
use super::{Call, get, outcome, write};
use crate::admission::{Attributes, Operation};
use crate::request::{Deletion, WriteOptions};
use crate::response::{Answer, Response};

mod given;
mod plan;

pub use plan::{Fate, plan, preconditions};

/// More writers than this between two tries of one deletion do not happen.
const ATTEMPTS: usize = 64;

/// Deletes the object, or marks it so.
pub async fn delete(call: &Call, deletion: Deletion) -> Result<Response, Status> {
    let (asked, options) = settle(call, deletion)?;
    one(call, &asked, &options).await
}

/// What a deletion asks for, in its body or in its query, and a warning if it leaves dependents behind unasked.
pub fn settle(call: &Call, deletion: Deletion) -> Result<(DeleteOptions, WriteOptions), Status> {
    let asked = given::options(&deletion)?;
    let mut options = deletion.options;
    options.dry_run |= asked.dry_run.as_ref().is_some_and(|values| !values.is_empty());
    if let Some(warning) = call.kind.info.left_behind
        && asked.propagation_policy.is_none()
        && asked.orphan_dependents.is_none()
    {
        call.notes.warn([warning.to_owned()]);
    }
    Ok((asked, options))
}

/// Deletes one object with options that were read already.
pub async fn one(call: &Call, asked: &DeleteOptions, options: &WriteOptions) -> Result<Response, Status> {
    let mut current = call.cache().snapshot().get(&get::relative(call)).cloned();
    let mut trusted = false;
    for _ in 0..ATTEMPTS {
        if current.is_none() && !trusted {
            (current, trusted) = (fresh(call).await?, true);
        }
        let Some(item) = current else { return Err(call.not_found()) };
        match attempt(call, &item, asked, options).await? {
            Ok(response) => return Ok(response),
            Err(Retry::Store(error)) => {
                trusted = true;
                current = match error {
                    Error::Conflict { current: Some(entry) } => Some(write::item_of(call, &call.target.name, &entry)?),
                    Error::Conflict { current: None } | Error::NotFound => None,
                    error => return Err(outcome::status(call, &call.target.name, &error)),
                };
            }
            Err(Retry::Refused(status)) if trusted => return Err(status),
            Err(Retry::Refused(status)) => {
                let now = fresh(call).await?;
                if now.as_ref().is_some_and(|now| now.revision == item.revision) {
                    return Err(status);
                }
                (current, trusted) = (now, true);
            }
        }
    }
    Err(Status::modified(&call.resource(), &call.target.name))
}

/// Why a try came to nothing.
enum Retry {
    /// The store holds something else.
    Store(Error),
    /// The rules say no to what the cache showed.
    Refused(Status),
}

async fn attempt(
    call: &Call,
    item: &Arc<Item>,
    asked: &DeleteOptions,
    options: &WriteOptions,
) -> Result<Result<Response, Retry>, Status> {
    let old = write::decode(call, item).await?;
    let attributes = Attributes { call, operation: Operation::Delete, old: Some(&old), dry_run: options.dry_run };
    if let Err(status) = call.pipeline.admission().validate(&attributes, None).await {
        return Ok(Err(Retry::Refused(status)));
    }
    let fate = match plan::plan(call, &old, asked) {
        Ok(fate) => fate,
        Err(status) => return Ok(Err(Retry::Refused(status))),
    };
    match fate {
        Fate::Pending => Ok(Ok(Response::new(call.item(item.clone())))),
        Fate::Gone(last) => match gone(call, item, options).await? {
            Ok(revision) => Ok(Ok(Response::new(farewell(call, item, *last, revision)))),
            Err(error) => Ok(Err(Retry::Store(error))),
        },
        Fate::Marked(new) => Ok(mark(call, item, *new, options).await?.map_err(Retry::Store)),
    }
}

async fn gone(call: &Call, item: &Arc<Item>, options: &WriteOptions) -> Result<Result<u64, Error>, Status> {
    if options.dry_run { Ok(Ok(item.revision)) } else { remove(call, item, options).await }
}

/// Removes an object from the store, with what was allocated for it.
pub async fn remove(call: &Call, item: &Arc<Item>, options: &WriteOptions) -> Result<Result<u64, Error>, Status> {
    let mut extra = write::options(call, options)?;
    let old = write::decode(call, item).await?;
    extra.also = call.pipeline.allocators().delete(call, &old);
    let key = call.key(item.name());
    Ok(call.pipeline.storage().store().delete(key, item.revision, &extra).await)
}

async fn mark(
    call: &Call,
    item: &Arc<Item>,
    mut new: Object,
    options: &WriteOptions,
) -> Result<Result<Response, Error>, Status> {
    if options.dry_run {
        new.set_meta("resourceVersion", item.revision.to_string());
        return Ok(Ok(Response::new(call.object(new, false))));
    }
    let value = write::encode(call, &new).await?;
    let extra = write::options(call, options)?;
    let key = call.key(item.name());
    match call.pipeline.storage().store().update(key, item.revision, value.clone(), &extra).await {
        Ok(revision) => {
            let item = write::item(call, item.name(), &value, item.created, revision)?;
            Ok(Ok(Response::new(call.item(item))))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// What a finished deletion answers: a Status that names the object, or the object.
fn farewell(call: &Call, item: &Arc<Item>, mut last: Object, revision: u64) -> Answer {
    if call.kind.info.returns_deleted {
        last.set_meta("resourceVersion", revision.to_string());
        return call.object(last, false);
    }
    let resource = call.resource();
    Answer::Status(Box::new(Status::success(Some(Details {
        name: item.name().into(),
        group: resource.group,
        kind: resource.resource,
        uid: item.uid().into(),
        ..Details::default()
    }))))
}
