//! The bodies of requests and responses as JSON.

use jiff::Timestamp;
use nakhoda_api::{GroupVersionKind, Object, wire};
use serde_json::Value;

use crate::kind::Served;
use crate::render::{self, list::Page};
use crate::request::{Accept, Body};
use crate::response::{Answer, Streaming};

/// The object of a body as upstream has it once it is read: of its kind, and with the kind's defaults.
pub(super) fn object(body: &Body, kind: Option<&Served>) -> Option<Object> {
    let mut object = decode(body, kind.map(|kind| &kind.info.gvk))?;
    if let Some(kind) = kind.filter(|kind| object.gvk().as_ref() == Some(&kind.info.gvk)) {
        // what cannot be defaulted is told as it came
        let _ = kind.strategy.default(&mut object);
    }
    Some(object)
}

pub(super) fn decode(body: &Body, default: Option<&GroupVersionKind>) -> Option<Object> {
    match body {
        Body::Object(object) => Some((**object).clone()),
        Body::Bytes { media, bytes } => wire::decode(*media, bytes, default).ok().map(|decoded| decoded.object),
    }
}

pub(super) fn code(answer: &Answer) -> u16 {
    match answer {
        Answer::Created { .. } | Answer::Object { created: true, .. } => 201,
        Answer::Stream(Streaming::Channels(_) | Streaming::Ports(_)) => 101,
        _ => 200,
    }
}

pub(super) fn of(answer: &Answer) -> Option<bytes::Bytes> {
    let accept = Accept::default();
    match answer {
        Answer::Item { kind, item } | Answer::Created { kind, item } => {
            render::item(kind, item, accept, Timestamp::now())
        }
        Answer::Object { object, .. } => Ok(object.to_json().into()),
        Answer::List { kind, items, revision, continue_token, remaining } => {
            let (revision, remaining) = (*revision, *remaining);
            Page { kind, items, revision, continue_token, remaining, bare: false }.render(accept, Timestamp::now())
        }
        Answer::Watch { .. } | Answer::Stream(_) | Answer::Status(_) => return None,
    }
    .ok()
}

pub(super) fn without_managed_fields(object: &mut Value) {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.shift_remove("managedFields");
    }
}
