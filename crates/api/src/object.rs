//! [`Object`]: any API object as JSON, with its metadata at hand.
//!
//! Invariant: the root is a JSON object; fields that this program does not model survive untouched.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::gvk::{GroupVersion, GroupVersionKind};

/// An API object in its JSON shape. Cheap typed views are taken with [`Object::typed`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    root: Map<String, Value>,
}

/// The JSON value is not an object, or a typed view does not fit it.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The top level must be a JSON object.
    #[error("expected a JSON object, got {0}")]
    NotAnObject(&'static str),
    /// The JSON does not have the shape of the typed model.
    #[error("object does not fit its type")]
    Shape(#[source] serde_json::Error),
}

// === impl Object ===

impl Object {
    /// An object with `apiVersion` and `kind` set and nothing else.
    #[must_use]
    pub fn of(gvk: &GroupVersionKind) -> Self {
        let mut object = Self::default();
        object.set_gvk(gvk);
        object
    }

    /// Takes a JSON value whose root must be an object.
    pub fn from_value(value: Value) -> Result<Self, ObjectError> {
        match value {
            Value::Object(root) => Ok(Self { root }),
            Value::Null => Err(ObjectError::NotAnObject("null")),
            Value::Bool(_) => Err(ObjectError::NotAnObject("a bool")),
            Value::Number(_) => Err(ObjectError::NotAnObject("a number")),
            Value::String(_) => Err(ObjectError::NotAnObject("a string")),
            Value::Array(_) => Err(ObjectError::NotAnObject("an array")),
        }
    }

    /// Parses trusted JSON, as it comes from storage. Client input goes through `wire` instead.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ObjectError> {
        serde_json::from_slice(bytes).map(|root| Self { root }).map_err(ObjectError::Shape)
    }

    /// The JSON of a typed value.
    pub fn from_typed<T: Serialize>(typed: &T) -> Result<Self, ObjectError> {
        Self::from_value(serde_json::to_value(typed).map_err(ObjectError::Shape)?)
    }

    /// A typed copy.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, ObjectError> {
        T::deserialize(serde::de::value::MapDeserializer::new(self.root.iter().map(|(k, v)| (k.as_str(), v))))
            .map_err(ObjectError::Shape)
    }

    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.root).expect("a JSON value always serialises")
    }

    /// The whole object as a JSON value.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(self.root)
    }

    /// The root fields.
    #[must_use]
    pub const fn root(&self) -> &Map<String, Value> {
        &self.root
    }

    /// The root fields, writable.
    pub const fn root_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.root
    }

    /// The value at a chain of field names, if every one exists.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.root.get(*first)?, |value, key| value.get(key))
    }

    /// The string at a chain of field names; empty counts as absent, as in Go.
    #[must_use]
    pub fn str_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).and_then(Value::as_str).filter(|s| !s.is_empty())
    }

    /// Writes a value at a chain of field names, making objects on the way.
    pub fn set_at(&mut self, path: &[&str], value: Value) {
        let Some((last, parents)) = path.split_last() else { return };
        let mut map = &mut self.root;
        for key in parents {
            let slot = map.entry((*key).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
            }
            map = slot.as_object_mut().expect("was made an object above");
        }
        map.insert((*last).to_owned(), value);
    }

    /// Removes the value at a chain of field names, keeping the order of its siblings.
    pub fn remove_at(&mut self, path: &[&str]) -> Option<Value> {
        let (last, parents) = path.split_last()?;
        let mut map = &mut self.root;
        for key in parents {
            map = map.get_mut(*key)?.as_object_mut()?;
        }
        map.shift_remove(*last)
    }

    /// `apiVersion`, empty if absent.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.str_at(&["apiVersion"]).unwrap_or_default()
    }

    /// `kind`, empty if absent.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.str_at(&["kind"]).unwrap_or_default()
    }

    /// `apiVersion` and `kind` parsed.
    #[must_use]
    pub fn gvk(&self) -> Option<GroupVersionKind> {
        let GroupVersion { group, version } = GroupVersion::parse(self.api_version())?;
        Some(GroupVersionKind { group, version, kind: self.str_at(&["kind"])?.into() })
    }

    /// Writes `apiVersion` and `kind`.
    pub fn set_gvk(&mut self, gvk: &GroupVersionKind) {
        self.root.insert("kind".into(), gvk.kind.clone().into());
        self.root.insert("apiVersion".into(), gvk.api_version().into());
    }

    /// `metadata.name`, empty if absent.
    #[must_use]
    pub fn name(&self) -> &str {
        self.meta_str("name")
    }

    /// `metadata.namespace`, empty if absent.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.meta_str("namespace")
    }

    /// `metadata.uid`, empty if absent.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.meta_str("uid")
    }

    /// `metadata.resourceVersion`, empty if absent.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.meta_str("resourceVersion")
    }

    /// Whether `metadata.deletionTimestamp` is set.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.str_at(&["metadata", "deletionTimestamp"]).is_some()
    }

    /// A string field of the metadata, empty if absent.
    #[must_use]
    pub fn meta_str(&self, field: &str) -> &str {
        self.str_at(&["metadata", field]).unwrap_or_default()
    }

    /// Writes one field of the metadata.
    pub fn set_meta(&mut self, field: &str, value: impl Into<Value>) {
        self.set_at(&["metadata", field], value.into());
    }

    /// Removes one field of the metadata.
    pub fn remove_meta(&mut self, field: &str) -> Option<Value> {
        self.remove_at(&["metadata", field])
    }

    /// The labels, in the order they are written.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.string_map(&["metadata", "labels"])
    }

    /// The annotations, in the order they are written.
    pub fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        self.string_map(&["metadata", "annotations"])
    }

    /// `metadata.finalizers`.
    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.at(&["metadata", "finalizers"]).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    fn string_map(&self, path: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        self.at(path)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(k, v)| v.as_str().map(|v| (k.as_str(), v)))
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        object.into_value()
    }
}

impl Serialize for Object {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.root.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Map::deserialize(deserializer).map(|root| Self { root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_is_read_and_written_in_place() {
        let mut object = Object::from_value(json!({"kind": "Pod", "apiVersion": "v1", "x": 1})).expect("an object");
        object.set_meta("name", "a");
        object.set_at(&["spec", "nodeName"], json!("n1"));
        assert_eq!(object.name(), "a");
        assert_eq!(object.str_at(&["spec", "nodeName"]), Some("n1"));
        assert_eq!(object.remove_at(&["spec", "nodeName"]), Some(json!("n1")));
        assert_eq!(object.at(&["x"]), Some(&json!(1)));
    }

    #[test]
    fn typed_view_reads_what_json_says() {
        let object = Object::from_value(json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}}))
            .expect("an object");
        let pod: crate::kinds::core::Pod = object.typed().expect("a pod");
        assert_eq!(pod.metadata.name.as_deref(), Some("a"));
    }
}
