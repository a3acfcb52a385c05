//! Turning an object into a stored value, and a stored value into an answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nakhoda_api::{Object, Status, schema};
use nakhoda_store::cache::{Item, Shape};
use nakhoda_store::store::Entry;
use nakhoda_store::{Error, Options, Reading};

use super::{Call, fence, outcome};
use crate::render;
use crate::request::WriteOptions;
use crate::storage::relative;

/// What is stored: canonical JSON without a resource version, which is the store's own number.
pub async fn encode(call: &Call, object: &Object) -> Result<Bytes, Status> {
    bytes(&mut call.kind.strategy.store(object.clone()).await?)
}

/// The same, without a copy where the object may become what is stored: it loses its resource version.
pub async fn encode_in(call: &Call, object: &mut Object) -> Result<Bytes, Status> {
    let strategy = &call.kind.strategy;
    if strategy.converted() || strategy.settles() {
        return encode(call, object).await;
    }
    *object = strategy.to_storage(std::mem::take(object));
    bytes(object)
}

fn bytes(object: &mut Object) -> Result<Bytes, Status> {
    object.remove_meta("resourceVersion");
    schema::normalise(object);
    let bytes = object.to_json();
    if bytes.len() > outcome::VALUE_MAX {
        return Err(Status::too_large(outcome::VALUE_MAX));
    }
    Ok(bytes.into())
}

/// The object that an item shows, with its resource version.
pub async fn decode(call: &Call, item: &Arc<Item>) -> Result<Object, Status> {
    if call.kind.strategy.settles() {
        call.kind.strategy.settle(std::slice::from_ref(item)).await?;
        let shown = render::shown(&call.kind, item)?;
        return Object::from_json(&shown).map_err(|error| Status::internal(&error));
    }
    let object = Object::from_json(item.json()).map_err(|error| Status::internal(&error))?;
    Ok(call.kind.strategy.from_storage(object))
}

/// The item that a value will be in the cache.
pub fn item(call: &Call, name: &str, value: &Bytes, created: u64, revision: u64) -> Result<Arc<Item>, Status> {
    let key = relative(call.namespace(), name);
    let draft = call.pipeline.storage().shape(&call.kind.info).draft(&key, value, revision);
    let item = draft.and_then(|draft| Item::new(key.into(), draft, created, revision));
    item.map(Arc::new).map_err(|error| Status::internal(&error))
}

/// The item of an entry that was read from the store itself.
pub fn item_of(call: &Call, name: &str, entry: &Entry) -> Result<Arc<Item>, Status> {
    match &entry.reading {
        Reading::Unreadable(why) => Err(outcome::status(call, name, &Error::Unreadable { why: why.clone() })),
        Reading::Current | Reading::Stale => item(call, name, &entry.value, entry.created, entry.revision),
    }
}

/// What a write adds to its transaction.
pub fn options(call: &Call, options: &WriteOptions) -> Result<Options, Status> {
    Ok(Options {
        ttl: call.kind.info.ttl.map(Duration::from_secs),
        fence: fence::of(call, options.fence.as_ref())?,
        ..Options::default()
    })
}
