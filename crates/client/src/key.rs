//! [`Key`]: which object of a kind is meant.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::resource::Resource;

/// A namespace, empty for what belongs to the whole cluster, and a name. Printed as `ns/name`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Empty for an object of the whole cluster.
    pub namespace: String,
    /// Unique in the namespace.
    pub name: String,
}

// === impl Key ===

impl Key {
    /// For example `Key::new("default", "web")`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The key of an object.
    #[must_use]
    pub fn of<K: Resource>(object: &K) -> Self {
        Self::of_meta(object.metadata())
    }

    /// The key of an object with this metadata.
    #[must_use]
    pub fn of_meta(meta: &ObjectMeta) -> Self {
        Self::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() { f.write_str(&self.name) } else { write!(f, "{}/{}", self.namespace, self.name) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_prints_as_people_write_it() {
        assert_eq!(Key::new("default", "web").to_string(), "default/web");
        assert_eq!(Key::new("", "node-1").to_string(), "node-1");
    }
}
