//! `fieldsV1`: a tree of JSON objects. A step with nothing below it is a member; one with something below it is a
//! member if it holds `.`.

use serde_json::{Map, Value};

use super::{Node, Set};
use crate::apply::element::{Element, ElementError};

/// `fieldsV1` cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// A step cannot be read.
    #[error(transparent)]
    Element(#[from] ElementError),
    /// Every step leads to an object.
    #[error("expected an object below {0:?}")]
    NotAnObject(String),
}

const SELF: &str = ".";

// === impl Set ===

impl Set {
    /// Reads `fieldsV1`.
    pub fn from_fields(fields: &Map<String, Value>) -> Result<Self, SetError> {
        let mut set = Self::default();
        for (key, below) in fields.iter().filter(|(key, _)| *key != SELF) {
            let Some(element) = Element::parse(key)? else { continue };
            let Value::Object(below) = below else { return Err(SetError::NotAnObject(key.clone())) };
            let children = Self::from_fields(below)?;
            set.add(element, children.is_empty() || below.contains_key(SELF), children);
        }
        Ok(set)
    }

    /// Writes `fieldsV1`.
    #[must_use]
    pub fn to_fields(&self) -> Map<String, Value> {
        self.nodes.iter().map(|node| (node.element.encode(), Value::Object(node.below()))).collect()
    }
}

// === impl Node ===

impl Node {
    fn below(&self) -> Map<String, Value> {
        let mut below = Map::new();
        if self.member && !self.children.is_empty() {
            below.insert(SELF.to_owned(), Value::Object(Map::new()));
        }
        below.extend(self.children.to_fields());
        below
    }
}
