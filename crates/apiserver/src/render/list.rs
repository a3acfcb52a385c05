//! Lists, put together around their items' bytes.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use nakhoda_api::wire::{self, Media};
use nakhoda_api::{GroupVersionKind, Status};
use nakhoda_store::cache::Item;

use super::{META, json, partial, table};
use crate::kind::{Info, Served};
use crate::request::{Accept, Form};

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
        let gvk = match accept.form {
            Form::Table(included) => return table::many(self, included, now),
            Form::Object => list_of(&self.kind.info),
            Form::Metadata => partial::gvk("PartialObjectMetadataList"),
        };
        let media = if accept.media == Media::Yaml { Media::Json } else { accept.media };
        let items = self
            .items
            .iter()
            .map(|item| super::item(self.kind, item, Accept { media, ..accept }, now))
            .collect::<Result<Vec<_>, _>>()?;
        let items = self.stripped(items, accept);
        let open = accept.form == Form::Object && self.kind.strategy.schema().is_some();
        let metadata = self.metadata_of(open);
        match accept.media {
            Media::Json => Ok(join(&gvk, &metadata, &items)),
            Media::Yaml => super::encode(&gvk, &join(&gvk, &metadata, &items), Media::Yaml),
            Media::Protobuf => wire::protobuf_list(&gvk, metadata.as_bytes(), items.iter().map(AsRef::as_ref))
                .map(Into::into)
                .map_err(|e| Status::internal(&e)),
        }
    }

    fn stripped(&self, items: Vec<Bytes>, accept: Accept) -> Vec<Bytes> {
        if !self.bare || accept.form != Form::Object || accept.media == Media::Protobuf {
            return items;
        }
        let gvk = &self.kind.info.gvk;
        if self.kind.strategy.schema().is_some() {
            // objects of no known type say their kind wherever they stand
            return items;
        }
        let head = format!(r#"{{"kind":"{}","apiVersion":"{}","#, gvk.kind, gvk.api_version());
        items.into_iter().map(|item| without(item, head.as_bytes())).collect()
    }

    /// The metadata of the list as JSON.
    #[must_use]
    pub fn metadata(&self) -> String {
        self.metadata_of(false)
    }

    /// The same; `open` is of lists of no known type, which tell that there is no more.
    fn metadata_of(&self, open: bool) -> String {
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

fn join(gvk: &GroupVersionKind, metadata: &str, items: &[Bytes]) -> Bytes {
    let api_version = if gvk.group == "meta.k8s.io" { META.to_owned() } else { gvk.api_version() };
    let head = format!(r#"{{"kind":"{}","apiVersion":"{api_version}","metadata":{metadata},"items":["#, gvk.kind);
    let length = head.len() + items.iter().map(|i| i.len() + 1).sum::<usize>() + 2;
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(head.as_bytes());
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(item);
    }
    out.extend_from_slice(b"]}");
    out.into()
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
    fn a_list_is_its_items_between_a_head_and_a_tail() {
        let gvk = GroupVersionKind::new("apps", "v1", "DeploymentList");
        let text =
            join(&gvk, r#"{"resourceVersion":"5"}"#, &[Bytes::from_static(b"{}"), Bytes::from_static(b"{\"a\":1}")]);
        let expected = r#"{"kind":"DeploymentList","apiVersion":"apps/v1","metadata":{"resourceVersion":"5"},"items":[{},{"a":1}]}"#;
        assert_eq!(std::str::from_utf8(&text), Ok(expected));
        assert!(join(&gvk, "{}", &[]).ends_with(br#""items":[]}"#));
    }
}
