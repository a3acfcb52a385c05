//! Watch frames: one JSON line, or one length-delimited protobuf message, for each event.

use bytes::Bytes;
use jiff::Timestamp;
use nakhoda_api::wire::{self, Media};
use nakhoda_api::{GroupVersionKind, Status};
use nakhoda_store::cache::Item;

use super::{META, json, partial, table};
use crate::kind::Served;
use crate::request::{Accept, Form};

/// The word of a bookmark.
pub const BOOKMARK: &str = "BOOKMARK";
/// The word of a Status.
pub const ERROR: &str = "ERROR";

/// A frame around an encoded object.
#[must_use]
pub fn frame(word: &str, object: &[u8], media: Media) -> Bytes {
    if media == Media::Protobuf {
        return wire::protobuf_watch_event(word, object).into();
    }
    let mut out = Vec::with_capacity(object.len() + word.len() + 24);
    out.extend_from_slice(br#"{"type":""#);
    out.extend_from_slice(word.as_bytes());
    out.extend_from_slice(br#"","object":"#);
    out.extend_from_slice(object);
    out.extend_from_slice(b"}\n");
    out.into()
}

/// The object of an event in the form that a client reads. `first` tells whether no event was sent
/// before: only then does a table have heads.
pub fn object(kind: &Served, item: &Item, accept: Accept, now: Timestamp, first: bool) -> Result<Bytes, Status> {
    match accept.form {
        Form::Table(included) => table::event(kind, &super::shown(kind, item)?, included, now, first),
        Form::Object | Form::Metadata => super::item(kind, item, accept, now),
    }
}

/// The object of a bookmark. `initial` marks the end of the initial events.
pub fn bookmark(kind: &Served, revision: u64, initial: bool, accept: Accept) -> Result<Bytes, Status> {
    let gvk = match accept.form {
        Form::Table(_) => return Ok(table::empty(revision)),
        Form::Object => kind.info.gvk.clone(),
        Form::Metadata => partial::gvk("PartialObjectMetadata"),
    };
    super::encode(&gvk, &bookmark_json(&gvk, revision, initial), accept.media)
}

/// The frame of a failure, after which the stream ends.
#[must_use]
pub fn failure(status: &Status, media: Media) -> Bytes {
    frame(ERROR, &super::status(status, media), media)
}

fn bookmark_json(gvk: &GroupVersionKind, revision: u64, initial: bool) -> Bytes {
    let api_version = if gvk.group == "meta.k8s.io" { META.to_owned() } else { gvk.api_version() };
    let annotations = if initial { r#","annotations":{"k8s.io/initial-events-end":"true"}"# } else { "" };
    let kind = json::quoted(&gvk.kind);
    format!(
        r#"{{"kind":{kind},"apiVersion":"{api_version}","metadata":{{"resourceVersion":"{revision}","creationTimestamp":null{annotations}}}}}"#
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_frame_is_one_line() {
        let text = frame("ADDED", br#"{"kind":"Pod"}"#, Media::Json);
        assert_eq!(&text[..], b"{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\"}}\n");
    }

    #[test]
    fn a_bookmark_tells_the_revision_and_the_end_of_the_initial_events() {
        let json = bookmark_json(&GroupVersionKind::new("", "v1", "Pod"), 7, true);
        let value: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(value["metadata"]["resourceVersion"], "7");
        assert_eq!(value["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
        assert!(
            !String::from_utf8_lossy(&bookmark_json(&GroupVersionKind::new("", "v1", "Pod"), 7, false))
                .contains("annotations")
        );
    }

    #[test]
    fn a_failure_is_a_frame_with_a_status() {
        let text = failure(&Status::expired("too old resource version: 1 (5)"), Media::Json);
        let value: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!((value["type"].as_str(), value["object"]["code"].as_u64()), (Some("ERROR"), Some(410)));
    }
}
