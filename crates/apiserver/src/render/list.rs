//! Lists, put together around their items' bytes: whole, or piece by piece ([`chunks`]).

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

// === impl Page ===

impl Page<'_> {
    /// The list in the form that a client reads.
    pub fn render(&self, accept: Accept, now: Timestamp) -> Result<Bytes, Status> {
        if accept.media == Media::Yaml && !matches!(accept.form, Form::Table(_)) {
            let json = self.render(Accept { media: Media::Json, ..accept }, now)?;
            return super::encode(&self.gvk(accept), &json, Media::Yaml);
        }
        let elements = self.items.iter().map(|item| self.element(item, accept, now)).collect::<Result<Vec<_>, _>>()?;
        let length = elements.iter().map(Bytes::len).sum();
        let (head, tail) = self.ends(accept, length)?;
        let mut out = Vec::with_capacity(head.len() + length + elements.len() + tail.len());
        out.extend_from_slice(&head);
        for (index, element) in elements.iter().enumerate() {
            out.extend_from_slice(self.separator(accept, index));
            out.extend_from_slice(element);
        }
        out.extend_from_slice(&tail);
        Ok(out.into())
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

    /// One object, as it stands in the list.
    pub(super) fn element(&self, item: &Item, accept: Accept, now: Timestamp) -> Result<Bytes, Status> {
        if let Form::Table(included) = accept.form {
            return table::row(self.kind, &super::shown(self.kind, item)?, included, now).map(Into::into);
        }
        let bytes = super::item(self.kind, item, accept, now)?;
        if accept.media == Media::Protobuf {
            let element = wire::protobuf_list_item(&self.gvk(accept), &bytes);
            return element.map(Into::into).map_err(|e| Status::internal(&e));
        }
        Ok(if accept.form == Form::Object { self.stripped(bytes) } else { bytes })
    }

    /// What stands before the element of a number.
    pub(super) fn separator(&self, accept: Accept, index: usize) -> &'static [u8] {
        let text = accept.media != Media::Protobuf || matches!(accept.form, Form::Table(_));
        if text && index > 0 { b"," } else { b"" }
    }

    fn gvk(&self, accept: Accept) -> GroupVersionKind {
        match accept.form {
            Form::Object | Form::Table(_) => list_of(&self.kind.info),
            Form::Metadata => partial::gvk("PartialObjectMetadataList"),
        }
    }

    fn stripped(&self, item: Bytes) -> Bytes {
        // objects of no known type say their kind wherever they stand
        if !self.bare || self.kind.strategy.schema().is_some() {
            return item;
        }
        let gvk = &self.kind.info.gvk;
        let head = format!(r#"{{"kind":"{}","apiVersion":"{}","#, gvk.kind, gvk.api_version());
        without(item, head.as_bytes())
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
fn without(item: Bytes, head: &[u8]) -> Bytes {
    match item.strip_prefix(head) {
        Some(rest) => [b"{", rest].concat().into(),
        None => item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_need_not_say_its_kind_again() {
        let head = br#"{"kind":"Pod","apiVersion":"v1","#;
        let item = Bytes::from_static(br#"{"kind":"Pod","apiVersion":"v1","metadata":{}}"#);
        assert_eq!(without(item, head), br#"{"metadata":{}}"#[..]);
        assert_eq!(without(Bytes::from_static(b"{}"), head), b"{}"[..]);
    }

    #[test]
    fn a_list_says_its_kind_before_its_items() {
        let gvk = GroupVersionKind::new("apps", "v1", "DeploymentList");
        let expected =
            r#"{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"5"},"items":["#;
        assert_eq!(head(&gvk, r#"{"resourceVersion":"5"}"#), expected);
    }
}
