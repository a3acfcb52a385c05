//! Lists, put together around their items' bytes: whole, or piece by piece ([`chunks`]).

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use nakhoda_api::wire::{self, Media};
use nakhoda_api::{GroupVersionKind, Status};
use nakhoda_store::cache::Item;

use super::{META, json, partial, table};
use crate::kind::{Info, Served};
use crate::request::{Accept, Form};

pub mod chunks;

/// A page of a collection.
pub struct Page<'a> {
    /// The kind of its objects.
    pub kind: &'a Served,
    /// The objects.
    pub items: &'a [Arc<Item>],
    /// The revision of the list.
    pub revision: u64,
    /// The token for the next page.
    pub continue_token: &'a str,
    /// How many come after this page, if known.
    pub remaining: Option<i64>,
    /// Whether the items do not repeat the kind that the list names, as in upstream's lists.
    pub bare: bool,
}

/// Writes the elements of a list.
pub(super) struct Elements<'a> {
    kind: &'a Served,
    accept: Accept,
    now: Timestamp,
    list: GroupVersionKind,
    item: GroupVersionKind,
    /// How an item begins that repeats the kind of the list.
    repeated: Option<String>,
}

// === impl Page ===

impl Page<'_> {
    /// The list in the form that a client reads.
    pub fn render(&self, accept: Accept, now: Timestamp) -> Result<Bytes, Status> {
        if accept.media == Media::Yaml && !matches!(accept.form, Form::Table(_)) {
            let json = self.render(Accept { media: Media::Json, ..accept }, now)?;
            return super::encode(&self.gvk(accept), &json, Media::Yaml);
        }
        let (elements, mut written) = (self.elements(accept, now), Vec::new());
        for (index, item) in self.items.iter().enumerate() {
            elements.write(index, item, &mut written)?;
        }
        let (head, tail) = self.ends(accept, written.len())?;
        Ok([head, written, tail].concat().into())
    }

    /// What writes the elements.
    pub(super) fn elements(&self, accept: Accept, now: Timestamp) -> Elements<'_> {
        let item = match accept.form {
            Form::Metadata => partial::gvk("PartialObjectMetadata"),
            Form::Object | Form::Table(_) => self.kind.info.gvk.clone(),
        };
        // objects of no known type say their kind wherever they stand
        let bare = self.bare && self.kind.strategy.schema().is_none() && accept.form == Form::Object;
        let repeated = bare.then(|| format!(r#"{{"kind":"{}","apiVersion":"{}","#, item.kind, item.api_version()));
        Elements { kind: self.kind, accept, now, list: self.gvk(accept), item, repeated }
    }

    /// What stands before and behind the elements, which are so long together (protobuf wants to know).
    pub(super) fn ends(&self, accept: Accept, length: usize) -> Result<(Vec<u8>, Vec<u8>), Status> {
        let gvk = self.gvk(accept);
        if let Form::Table(_) = accept.form {
            return Ok(table::ends(self.kind, &self.metadata()));
        }
        let open = accept.form == Form::Object && self.kind.strategy.schema().is_some();
        let metadata = self.metadata_of(open);
        if accept.media == Media::Protobuf {
            return wire::protobuf_list_frame(&gvk, metadata.as_bytes(), length).map_err(|e| Status::internal(&e));
        }
        Ok((head(&gvk, &metadata).into(), b"]}".to_vec()))
    }

    fn gvk(&self, accept: Accept) -> GroupVersionKind {
        match accept.form {
            Form::Object | Form::Table(_) => list_of(&self.kind.info),
            Form::Metadata => partial::gvk("PartialObjectMetadataList"),
        }
    }

    /// The metadata of the list as JSON.
    #[must_use]
    pub fn metadata(&self) -> String {
        self.metadata_of(false)
    }

    /// The same; `open` is of lists of no known type, which tell that there is no more.
    fn metadata_of(&self, open: bool) -> String {
        // what no store keeps has no version
        if self.revision == 0 {
            return "{}".into();
        }
        let mut text = format!(r#"{{"resourceVersion":"{}""#, self.revision);
        if !self.continue_token.is_empty() || open {
            text.push_str(r#","continue":"#);
            text.push_str(&json::quoted(self.continue_token));
        }
        if let Some(remaining) = self.remaining.filter(|_| !self.continue_token.is_empty()) {
            text.push_str(&format!(r#","remainingItemCount":{remaining}"#));
        }
        text.push('}');
        text
    }
}

// === impl Elements ===

impl Elements<'_> {
    /// Writes one object with what stands before it.
    pub(super) fn write(&self, index: usize, item: &Item, out: &mut Vec<u8>) -> Result<(), Status> {
        let json = super::shown(self.kind, item)?;
        let text = !self.is_protobuf();
        if text && index > 0 {
            out.push(b',');
        }
        match self.accept.form {
            Form::Table(included) => table::row(self.kind, &json, included, self.now, out),
            Form::Metadata if text => partial::write(&json, self.kind.info.unshown, out),
            Form::Object if text => {
                out.extend_from_slice(&self.stripped(&json));
                Ok(())
            }
            Form::Metadata => self.protobuf(&partial::of(&json, self.kind.info.unshown)?, out),
            Form::Object => self.protobuf(&json, out),
        }
    }

    /// How long all elements are together; 0 where nobody asks.
    pub(super) fn length(&self, items: &[Arc<Item>]) -> Result<usize, Status> {
        if !self.is_protobuf() {
            return Ok(0);
        }
        let (slot, mut made) = (super::slot(self.kind, self.accept), Vec::new());
        let each = items.iter().map(|item| {
            let mut measure = || -> Result<usize, Status> {
                made.clear();
                self.write(0, item, &mut made)?;
                Ok(made.len())
            };
            match slot {
                Some(slot) => item.length(slot, measure),
                None => measure(),
            }
        });
        each.sum()
    }

    fn is_protobuf(&self) -> bool {
        self.accept.media == Media::Protobuf && !matches!(self.accept.form, Form::Table(_))
    }

    fn protobuf(&self, json: &[u8], out: &mut Vec<u8>) -> Result<(), Status> {
        wire::protobuf_list_item(&self.list, &self.item, json, out).map_err(|e| Status::internal(&e))
    }

    fn stripped<'j>(&self, json: &'j [u8]) -> Cow<'j, [u8]> {
        match &self.repeated {
            Some(head) => without(json, head.as_bytes()),
            None => json.into(),
        }
    }
}

/// The kind of a list of objects of this kind.
#[must_use]
pub fn list_of(info: &Info) -> GroupVersionKind {
    let kind = info.list_kind.map_or_else(|| format!("{}List", info.gvk.kind), str::to_owned);
    GroupVersionKind { kind, ..info.gvk.clone() }
}

fn head(gvk: &GroupVersionKind, metadata: &str) -> String {
    let api_version = if gvk.group == "meta.k8s.io" { META.to_owned() } else { gvk.api_version() };
    format!(r#"{{"kind":"{}","apiVersion":"{api_version}","metadata":{metadata},"items":["#, gvk.kind)
}

/// An object without the members that stand first in it.
fn without<'j>(json: &'j [u8], head: &[u8]) -> Cow<'j, [u8]> {
    match json.strip_prefix(head) {
        Some(rest) => [b"{", rest].concat().into(),
        None => json.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_need_not_say_its_kind_again() {
        let head = br#"{"kind":"Pod","apiVersion":"v1","#;
        let item = br#"{"kind":"Pod","apiVersion":"v1","metadata":{}}"#;
        assert_eq!(*without(item, head), br#"{"metadata":{}}"#[..]);
        assert_eq!(*without(b"{}", head), b"{}"[..]);
    }

    #[test]
    fn a_list_says_its_kind_before_its_items() {
        let gvk = GroupVersionKind::new("apps", "v1", "DeploymentList");
        let expected =
            r#"{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"5"},"items":["#;
        assert_eq!(head(&gvk, r#"{"resourceVersion":"5"}"#), expected);
    }
}
