//! Lists: what is asked for and what comes back.

use nakhoda_rpc::v1;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Which objects of a resource are meant. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Selection {
    /// A label selector, for example `app=web,tier!=db`.
    pub labels: String,
    /// A field selector, for example `spec.nodeName=node-1`.
    pub fields: String,
}

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Which objects.
    pub selection: Selection,
    /// Empty: the newest state; `0`: any that the server has at hand.
    pub resource_version: String,
    /// 0: no limit.
    pub limit: i64,
    /// What the page before answered, empty for the first.
    pub continue_token: String,
}

/// Objects, all at one revision.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The objects.
    pub items: Vec<T>,
    /// The revision; a watch from here misses nothing.
    pub resource_version: String,
    /// For the next page; empty if this was the last.
    pub continue_token: String,
    /// How many are left, if the server knows.
    pub remaining: Option<i64>,
}

// === impl Selection ===

impl Selection {
    /// By labels alone.
    pub fn labels(labels: impl Into<String>) -> Self {
        Self { labels: labels.into(), fields: String::new() }
    }

    /// By fields alone.
    pub fn fields(fields: impl Into<String>) -> Self {
        Self { labels: String::new(), fields: fields.into() }
    }
}

impl From<&Selection> for v1::Selection {
    fn from(selection: &Selection) -> Self {
        Self { labels: selection.labels.clone(), fields: selection.fields.clone() }
    }
}

// === impl Page ===

impl Page {
    pub(crate) fn request(&self, target: &v1::Target) -> v1::ListRequest {
        v1::ListRequest {
            target: Some(target.clone()),
            selection: Some((&self.selection).into()),
            resource_version: self.resource_version.clone(),
            limit: self.limit,
            continue_token: self.continue_token.clone(),
            ..v1::ListRequest::default()
        }
    }
}

// === impl Listed ===

impl<T: DeserializeOwned> Listed<T> {
    pub(crate) fn from_chunks(what: &str, chunks: Vec<v1::ListChunk>) -> Result<Self> {
        let mut listed =
            Self { items: Vec::new(), resource_version: String::new(), continue_token: String::new(), remaining: None };
        for chunk in chunks {
            if !chunk.resource_version.is_empty() {
                listed.resource_version = chunk.resource_version;
            }
            listed.continue_token = chunk.continue_token;
            listed.remaining = chunk.remaining;
            for item in &chunk.items {
                listed.items.push(serde_json::from_slice(item).map_err(Error::decode(what))?);
            }
        }
        Ok(listed)
    }
}
