//! Messages to requests, and answers to messages.

use std::time::Duration;

use bytes::Bytes;
use nakhoda_api::wire::Media;
use nakhoda_api::{GroupVersionResource, Status};
use nakhoda_rpc::v1;
use tonic::metadata::MetadataMap;

use crate::render;
use crate::request::{
    self, Accept, Action, Body, Caller, Deletion, FieldValidation, ListOptions, Request, ResourceTarget, Target,
    WriteOptions,
};
use crate::response::{Answer, Response};
use crate::rest::negotiate;
use crate::rest::query::Query;
use crate::serve::Peer;

/// Largest object that is taken, as over REST.
pub const BODY_MAX: usize = 3 << 20;

/// What every call has beside its message.
pub struct Envelope {
    /// Who calls.
    pub caller: Caller,
    /// When the caller stops waiting.
    pub deadline: Option<Duration>,
}

// === impl Envelope ===

impl Envelope {
    /// Takes a call apart.
    pub fn open<T>(call: tonic::Request<T>) -> Result<(Self, T), tonic::Status> {
        let (metadata, extensions, message) = call.into_parts();
        let deadline = deadline(&metadata);
        let headers = metadata.into_headers();
        let caller = crate::rest::caller::caller(&headers, extensions.get::<Peer>()).map_err(failed)?;
        Ok((Self { caller, deadline }, message))
    }

    /// The request of a resource.
    #[must_use]
    pub fn request(&self, target: ResourceTarget, action: Action, accept: Accept) -> Request {
        Request { target: Target::Resource(target), action, caller: self.caller.clone(), accept }
    }
}

/// `grpc-timeout`: a number of at most eight digits and a unit.
fn deadline(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number.saturating_mul(3600))),
        "M" => Some(Duration::from_secs(number.saturating_mul(60))),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// A failure as it crosses.
#[must_use]
pub fn failed(status: Status) -> tonic::Status {
    nakhoda_rpc::status::to_tonic(&status)
}

/// What a message is about.
#[must_use]
pub fn target(target: Option<v1::Target>) -> ResourceTarget {
    let target = target.unwrap_or_default();
    // who may read a namespace is settled inside it, as over REST
    let own = target.group.is_empty() && target.resource == "namespaces";
    let namespace = if own { target.name.clone() } else { target.namespace };
    ResourceTarget {
        gvr: GroupVersionResource { group: target.group, version: target.version, resource: target.resource },
        namespace,
        name: target.name,
        subresource: target.subresource,
        path: String::new(),
    }
}

/// The form that a caller wants; JSON if it says nothing.
pub fn accept(text: &str) -> Result<Accept, Status> {
    if text.is_empty() {
        return Ok(Accept::default());
    }
    let forms = negotiate::forms(text, &Query::default(), "")?;
    Ok(forms.into_iter().next().unwrap_or_default())
}

/// An object that came along.
pub fn body(object: Option<v1::Object>) -> Result<Body, Status> {
    let object = object.unwrap_or_default();
    if object.body.len() > BODY_MAX {
        return Err(Status::too_large(BODY_MAX));
    }
    let media = if object.media_type.is_empty() {
        Media::Json
    } else {
        Media::parse(&object.media_type).ok_or_else(|| {
            Status::unsupported_media_type(format!("the media type {:?} is not known", object.media_type))
        })?
    };
    Ok(Body::Bytes { media, bytes: object.body })
}

/// Options of a write, and the form of its answer.
pub fn write(options: Option<v1::WriteOptions>) -> Result<(WriteOptions, Accept), Status> {
    let options = options.unwrap_or_default();
    let validation = match options.field_validation.as_str() {
        "" | "Warn" => FieldValidation::Warn,
        "Ignore" => FieldValidation::Ignore,
        "Strict" => FieldValidation::Strict,
        other => {
            return Err(Status::bad_request(format!(
                "fieldValidation: Unsupported value: {other:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
            )));
        }
    };
    let fence = options.fence.map(|fence| request::Fence {
        namespace: fence.namespace,
        name: fence.name,
        holder: fence.holder,
        transitions: fence.transitions,
    });
    let accept = accept(&options.accept)?;
    Ok((WriteOptions { dry_run: options.dry_run, field_manager: options.field_manager, validation, fence }, accept))
}

/// A deletion.
pub fn deletion(object: Option<v1::Object>, options: WriteOptions) -> Result<Deletion, Status> {
    let body = match object {
        Some(object) if !object.body.is_empty() => Some(body(Some(object))?),
        _ => None,
    };
    Ok(Deletion { body, options })
}

/// Which objects of a collection.
#[must_use]
pub fn selection(selection: Option<v1::Selection>) -> ListOptions {
    let selection = selection.unwrap_or_default();
    ListOptions { labels: selection.labels, fields: selection.fields, ..ListOptions::default() }
}

/// The one object of an answer.
pub fn object(response: Response, accept: Accept) -> Result<v1::Object, Status> {
    let now = jiff::Timestamp::now();
    let mut media = accept.media;
    let (body, created): (Bytes, bool) = match response.answer {
        Answer::Item { kind, item } => (render::item(&kind, &item, accept, now)?, false),
        Answer::Created { kind, item } => (render::item(&kind, &item, accept, now)?, true),
        Answer::Object { object, created, .. } => {
            let gvk = object.gvk().unwrap_or_default();
            if !render::speaks(&gvk, accept) {
                media = Media::Json;
            }
            (render::encode(&gvk, &object.to_json().into(), media)?, created)
        }
        Answer::Status(status) => (render::status(&status, accept.media), status.code == 201),
        Answer::List { kind, items, revision, continue_token, remaining } => {
            let page = render::list::Page {
                kind: &kind,
                items: &items,
                revision,
                continue_token: &continue_token,
                remaining,
                bare: false,
            };
            (page.render(accept, now)?, false)
        }
        Answer::Watch { .. } | Answer::Stream(_) => {
            return Err(Status::bad_request("this resource answers with a stream; use Watch or Connect"));
        }
    };
    Ok(v1::Object { media_type: media.mime().into(), body, warnings: response.warnings, created })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_read_in_every_unit() {
        let mut metadata = MetadataMap::new();
        for (text, wanted) in [("5S", Some(5_000)), ("250m", Some(250)), ("1M", Some(60_000)), ("x", None)] {
            metadata.insert("grpc-timeout", text.parse().expect("ascii"));
            assert_eq!(deadline(&metadata), wanted.map(Duration::from_millis), "{text}");
        }
    }
}
