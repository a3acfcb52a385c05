//! [`Paths`]: a shape for values stored as JSON, reading them once without building a tree.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Shape;
use crate::cache::about::{About, Names};
use crate::cache::item::Draft;
use crate::error::Error;

mod values;

use values::{Labels, Scalar};

/// A shape that takes labels and uid from the metadata, and fields from the paths given.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    fields: Vec<Field>,
    names: Names,
    hot: Option<String>,
}

#[derive(Clone, Debug)]
struct Field {
    name: Arc<str>,
    default: Box<str>,
}

// === impl Paths ===

impl Paths {
    /// Fields by dotted path into the object, each with the value it has where the path leads nowhere.
    /// Every object also has `metadata.name` and `metadata.namespace`.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let fields = fields.into_iter().map(|(name, default)| Field { name: name.into(), default: default.into() });
        let fields: Vec<Field> = fields.collect();
        Self { names: fields.iter().map(|field| field.name.clone()).collect(), fields, hot: None }
    }

    /// The same with an indexed field, which must be one of the fields.
    #[must_use]
    pub fn with_hot(mut self, field: impl Into<String>) -> Self {
        self.hot = Some(field.into());
        self
    }
}

impl Shape for Paths {
    fn draft(&self, key: &str, value: &Bytes, _revision: u64) -> Result<Draft, Error> {
        let mut found = Found { uid: "".into(), labels: Vec::new(), fields: vec![None; self.fields.len()] };
        let mut json = serde_json::Deserializer::from_slice(value);
        Walk { fields: &self.fields, path: &mut String::new(), found: &mut found }
            .deserialize(&mut json)
            .map_err(|error| Error::corrupt(format!("{key}: {error}")))?;
        let labels = found.labels.iter().map(|(name, value)| (&**name, &**value));
        let values = self.fields.iter().zip(&found.fields).map(|(f, value)| value.as_deref().unwrap_or(&f.default));
        let about = About::new(&found.uid, labels, self.names.clone(), values);
        Ok(Draft { json: value.clone(), about })
    }

    fn hot(&self) -> Option<&str> {
        self.hot.as_deref()
    }
}

struct Found {
    uid: Box<str>,
    labels: Vec<(Box<str>, Box<str>)>,
    fields: Vec<Option<Box<str>>>,
}

/// Walks the members of the object at `path`, going down only where a field lies.
struct Walk<'a> {
    fields: &'a [Field],
    path: &'a mut String,
    found: &'a mut Found,
}

/// What lies under a path.
enum Place {
    Labels,
    Uid,
    Field(usize),
    Above,
    Elsewhere,
}

// === impl Walk ===

impl Walk<'_> {
    fn place(&self) -> Place {
        match self.path.as_str() {
            "metadata" => return Place::Above,
            "metadata.labels" => return Place::Labels,
            "metadata.uid" => return Place::Uid,
            _ => {}
        }
        for (index, field) in self.fields.iter().enumerate() {
            match field.name.strip_prefix(self.path.as_str()) {
                Some("") => return Place::Field(index),
                Some(rest) if rest.starts_with('.') => return Place::Above,
                _ => {}
            }
        }
        Place::Elsewhere
    }

    fn take<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        match self.place() {
            Place::Labels => self.found.labels = map.next_value::<Labels>()?.0,
            Place::Uid => self.found.uid = map.next_value::<Option<Box<str>>>()?.unwrap_or_default(),
            Place::Field(index) => self.found.fields[index] = map.next_value::<Scalar>()?.0,
            Place::Above => {
                map.next_value_seed(Walk { fields: self.fields, path: self.path, found: self.found })?;
            }
            Place::Elsewhere => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object at {:?}", self.path)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let depth = self.path.len();
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            if depth > 0 {
                self.path.push('.');
            }
            self.path.push_str(&name);
            self.take(&mut map)?;
            self.path.truncate(depth);
        }
        Ok(())
    }
}
