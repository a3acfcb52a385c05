//! [`Item`]: one object as the cache holds it, encoded once and shared by all who read it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::about::About;
use crate::error::Error;
use crate::splice::Spliced;

/// An object at one revision.
#[derive(Debug)]
pub struct Item {
    key: Arc<str>,
    namespace: usize,
    spliced: Spliced,
    about: Arc<About>,
    encodings: Encodings,
    measured: Measured,
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

/// One of the forms an object or an event may be encoded in: the API server numbers its media types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form(u8);

/// The length of the form that was measured last: its number plus one, then 32 bits of length.
#[derive(Debug, Default)]
struct Measured(AtomicU64);

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

// === impl Measured ===

impl Measured {
    fn get(&self, form: Form) -> Option<usize> {
        let known = self.0.load(Ordering::Relaxed);
        (known >> 32 == u64::from(form.0) + 1).then_some(known as u32 as usize)
    }

    fn set(&self, form: Form, length: usize) {
        if let Ok(length) = u32::try_from(length) {
            self.0.store((u64::from(form.0) + 1) << 32 | u64::from(length), Ordering::Relaxed);
        }
    }
}

// === impl Item ===

impl Item {
    /// An item under `key` (`namespace/name` or `name`) from what a shape told.
    pub fn new(key: Arc<str>, draft: Draft, created: u64, revision: u64) -> Result<Self, Error> {
        let spliced = Spliced::new(&draft.json, revision)?;
        let namespace = key.find('/').unwrap_or(0);
        let about = Arc::new(draft.about);
        let (encodings, measured) = (Encodings::default(), Measured::default());
        Ok(Self { key, namespace, spliced, about, encodings, measured, created, revision })
    }

    /// An item that no store keeps: it has no resource version, and its revision is 0.
    #[must_use]
    pub fn unstored(key: Arc<str>, json: Bytes) -> Self {
        let namespace = key.find('/').unwrap_or(0);
        let (spliced, about, measured) = (Spliced::without(json), Arc::default(), Measured::default());
        Self { key, namespace, spliced, about, encodings: Encodings::default(), measured, created: 0, revision: 0 }
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
            measured: Measured::default(),
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
        self.about.uid()
    }

    /// `metadata.labels`, in the order of the object.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.about.labels()
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels().find(|(label, _)| *label == name).map(|(_, value)| value)
    }

    /// The value of a field that field selectors may name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.about.fields().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// The object in another form, made once and kept as long as the item.
    pub fn encoded<E>(&self, form: Form, encode: impl FnOnce(&Self) -> Result<Bytes, E>) -> Result<Bytes, E> {
        self.encodings.get(form, || encode(self))
    }

    /// How long a form is as an element of a list, for which `measure` makes it: the form itself is not kept.
    pub fn length<E>(&self, form: Form, measure: impl FnOnce() -> Result<usize, E>) -> Result<usize, E> {
        if let Some(length) = self.measured.get(form) {
            return Ok(length);
        }
        let length = measure()?;
        self.measured.set(form, length);
        Ok(length)
    }

    /// What it costs to keep, roughly.
    pub(crate) fn weight(&self) -> usize {
        self.spliced.json.len() + 256
    }
}
