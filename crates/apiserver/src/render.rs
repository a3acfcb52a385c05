//! Rendering: stored items and answers to the bytes that a client reads, for both fronts.
//!
//! JSON of an item is sent as it lies in the cache; lists and watch frames are put together around it
//! without reading it. Every other form is made for who asks and not kept, but for the frames of an event, which
//! are made once for all watchers.

pub mod event;
pub mod json;
pub mod list;
pub mod partial;
pub mod table;

use bytes::Bytes;
use jiff::Timestamp;
use nakhoda_api::wire::{self, Media};
use nakhoda_api::{GroupVersionKind, Object, Status};
use nakhoda_store::cache;

use crate::kind::Served;
use crate::request::{Accept, Form};

/// The group and version of Table and PartialObjectMetadata.
pub const META: &str = "meta.k8s.io/v1";

/// A stored object in the form that a client reads.
pub fn item(kind: &Served, item: &cache::Item, accept: Accept, now: Timestamp) -> Result<Bytes, Status> {
    if let Form::Table(_) = accept.form {
        return table::one(kind, &shown(kind, item)?, accept, now);
    }
    if (accept.form, accept.media) == (Form::Object, Media::Json) {
        return shown(kind, item);
    }
    object(&kind.info.gvk, &shown(kind, item)?, accept, kind.info.unshown)
}

/// The JSON of an item as its kind shows it, which may not be how it is stored.
pub fn shown(kind: &Served, item: &cache::Item) -> Result<Bytes, Status> {
    if !kind.strategy.converted() {
        return Ok(item.json().clone());
    }
    let make = |item: &cache::Item| {
        if kind.strategy.settles() {
            let why = "the object was not converted to the version that was asked for";
            return Err(Status::failure(500, nakhoda_api::Reason::InternalError, why));
        }
        let stored = Object::from_json(item.json()).map_err(|e| Status::internal(&e))?;
        Ok(kind.strategy.from_storage(stored).to_json().into())
    };
    match kind.strategy.slot() {
        Some(slot) => item.encoded(cache::Form::new(slot), make),
        None => make(item),
    }
}

/// Under which number an event keeps its frames, and an item its length as an element of lists. A kind that is
/// stored in another's form shares the item with it, so its numbers are others.
#[must_use]
pub fn slot(kind: &Served, accept: Accept) -> Option<cache::Form> {
    let number = match (accept.form, accept.media, kind.strategy.converted()) {
        (Form::Object, Media::Protobuf, false) => 0,
        (Form::Object, Media::Yaml, false) => 1,
        (Form::Metadata, Media::Json, false) => 2,
        (Form::Metadata, Media::Protobuf, false) => 3,
        (Form::Object, Media::Json, true) => kind.strategy.slot()?,
        (Form::Object, Media::Protobuf, true) => 5,
        (Form::Object, Media::Json, false) => 6,
        _ => return None,
    };
    Some(cache::Form::new(number))
}

/// JSON of an object in the form that a client reads; a Table needs [`table::one`].
pub fn object(gvk: &GroupVersionKind, json: &Bytes, accept: Accept, unshown: &[&str]) -> Result<Bytes, Status> {
    match accept.form {
        Form::Object | Form::Table(_) => encode(gvk, json, accept.media),
        Form::Metadata => encode(&partial::gvk("PartialObjectMetadata"), &partial::of(json, unshown)?, accept.media),
    }
}

/// JSON of an object in another encoding.
pub fn encode(gvk: &GroupVersionKind, json: &Bytes, media: Media) -> Result<Bytes, Status> {
    match media {
        Media::Json => Ok(json.clone()),
        Media::Protobuf => wire::to_protobuf(gvk, json).map(Into::into).map_err(|e| Status::internal(&e)),
        Media::Yaml => {
            let object = Object::from_json(json).map_err(|e| Status::internal(&e))?;
            wire::encode(Media::Yaml, &object).map(Into::into).map_err(|e| Status::internal(&e))
        }
    }
}

/// The bytes of a Status.
#[must_use]
pub fn status(status: &Status, media: Media) -> Bytes {
    let json = Bytes::from(serde_json::to_vec(status).expect("a Status always serialises"));
    let gvk = GroupVersionKind::new("", "v1", "Status");
    encode(&gvk, &json, media).unwrap_or(json)
}

/// Whether a kind has a form in an encoding: custom resources have none in protobuf.
#[must_use]
pub fn speaks(gvk: &GroupVersionKind, accept: Accept) -> bool {
    accept.media != Media::Protobuf || accept.form != Form::Object || nakhoda_api::schema::message_for(gvk).is_some()
}
