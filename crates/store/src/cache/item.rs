//! [`Item`]: one object as the cache holds it, encoded once and shared by all who read it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::error::Error;
use crate::splice::Spliced;

/// Name and value pairs, few enough to search one by one.
pub type Pairs = Box<[(Arc<str>, Box<str>)]>;

/// An object at one revision.
#[derive(Debug)]
pub struct Item {
    key: Arc<str>,
    namespace: usize,
    spliced: Spliced,
    about: Arc<About>,
    encodings: Encodings,
    /// The revision that created the object.
    pub created: u64,
    /// Its resource version.
    pub revision: u64,
}

/// What a [`super::Shape`] tells about a stored value.
#[derive(Debug, Default)]
pub struct Draft {
    /// The object's JSON, with or without a resource version.
    pub json: Bytes,
    /// What a reader may ask about it.
    pub about: About,
}

/// What can be asked about an object without decoding it.
#[derive(Debug, Default)]
pub struct About {
    /// `metadata.uid`
    pub uid: Box<str>,
    /// `metadata.labels`
    pub labels: Pairs,
    /// The fields that field selectors may name.
    pub fields: Pairs,
    /// The uids in `metadata.ownerReferences`.
    pub owners: Box<[Box<str>]>,
}

/// One of the forms an object or an event may be encoded in: the API server numbers its media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form(u8);

/// Encoded forms, each made when first asked for.
#[derive(Debug, Default)]
pub struct Encodings(OnceLock<Box<[OnceLock<Bytes>; Form::COUNT]>>);

// === impl Form ===

impl Form {
    /// How many forms there may be.
    pub const COUNT: usize = 8;

    /// The form of this number, below [`Form::COUNT`].
    #[must_use]
    pub const fn new(number: u8) -> Self {
        assert!((number as usize) < Self::COUNT, "no such form");
        Self(number)
    }
}

// === impl Encodings ===

impl Encodings {
    /// The bytes of a form, made by `encode` unless they are there. A failure is not kept.
    pub fn get<E>(&self, form: Form, encode: impl FnOnce() -> Result<Bytes, E>) -> Result<Bytes, E> {
        let slot = &self.0.get_or_init(Box::default)[usize::from(form.0)];
        if let Some(bytes) = slot.get() {
            return Ok(bytes.clone());
        }
        let bytes = encode()?;
        Ok(slot.get_or_init(|| bytes).clone())
    }
}

// === impl Item ===

impl Item {
    /// An item under `key` (`namespace/name` or `name`) from what a shape told.
    pub fn new(key: Arc<str>, draft: Draft, created: u64, revision: u64) -> Result<Self, Error> {
        let spliced = Spliced::new(&draft.json, revision)?;
        let namespace = key.find('/').unwrap_or(0);
        let about = Arc::new(draft.about);
        Ok(Self { key, namespace, spliced, about, encodings: Encodings::default(), created, revision })
    }

    /// An item that no store keeps: it has no resource version, and its revision is 0.
    #[must_use]
    pub fn unstored(key: Arc<str>, json: Bytes) -> Self {
        let namespace = key.find('/').unwrap_or(0);
        let (about, encodings) = (Arc::default(), Encodings::default());
        Self { key, namespace, spliced: Spliced::without(json), about, encodings, created: 0, revision: 0 }
    }

    /// The same object with the resource version of its deletion, or of leaving a watcher's sight.
    #[must_use]
    pub fn at(&self, revision: u64) -> Self {
        Self {
            key: self.key.clone(),
            namespace: self.namespace,
            spliced: self.spliced.at(revision),
            about: self.about.clone(),
            encodings: Encodings::default(),
            created: self.created,
            revision,
        }
    }

    /// `namespace/name`, or `name` alone.
    #[must_use]
    pub const fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// The namespace; empty for an object of the cluster.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.key[..self.namespace]
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.key[self.namespace..].trim_start_matches('/')
    }

    /// The object's JSON, its resource version in it.
    #[must_use]
    pub const fn json(&self) -> &Bytes {
        &self.spliced.json
    }

    /// `metadata.uid`
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.about.uid
    }

    /// `metadata.labels`, in the order of the object.
    #[must_use]
    pub fn labels(&self) -> &[(Arc<str>, Box<str>)] {
        &self.about.labels
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        find(&self.about.labels, name)
    }

    /// The fields that field selectors may name.
    #[must_use]
    pub fn fields(&self) -> &[(Arc<str>, Box<str>)] {
        &self.about.fields
    }

    /// The value of such a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        find(&self.about.fields, name)
    }

    /// The uids of the owners.
    #[must_use]
    pub fn owners(&self) -> &[Box<str>] {
        &self.about.owners
    }

    /// The object in another form, made once and kept as long as the item.
    pub fn encoded<E>(&self, form: Form, encode: impl FnOnce(&Self) -> Result<Bytes, E>) -> Result<Bytes, E> {
        self.encodings.get(form, || encode(self))
    }

    /// What it costs to keep, roughly.
    pub(crate) fn weight(&self) -> usize {
        self.spliced.json.len() + 256
    }
}

fn find<'a>(pairs: &'a [(Arc<str>, Box<str>)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| &**key == name).map(|(_, value)| &**value)
}
