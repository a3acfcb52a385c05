//! Which objects of a collection are meant: by labels and by fields.

pub mod fields;
pub mod labels;
mod lexer;
pub mod nodes;

pub use fields::FieldSelector;
pub use labels::LabelSelector;

use crate::field;

/// A selector that cannot be read. The texts are upstream's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SelectorError {
    /// Something else should stand here.
    #[error("{0}")]
    Unexpected(String),
    /// One requirement of many is wrong.
    #[error("unable to parse requirement: {0}")]
    Requirement(#[source] Box<Self>),
    /// A key or a value does not follow the rules of labels.
    #[error("{0}")]
    Fields(field::Errors),
    /// An operator that label selectors of objects do not have.
    #[error("\"{0}\" is not a valid label selector operator")]
    Operator(String),
    /// A term of a field selector has no operator.
    #[error("invalid selector: '{selector}'; can't understand '{term}'")]
    Term {
        /// The whole text.
        selector: String,
        /// The part that has none.
        term: String,
    },
    /// A backslash before something that needs none.
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    /// A comma or an equals sign without a backslash; upstream prints the character's number.
    #[error("invalid field selector: unescaped character in value: {0}")]
    Unescaped(u32),
}

/// Labels as they are kept in different places.
pub trait Labels {
    /// The value of a label, if there is such a label.
    fn value(&self, key: &str) -> Option<&str>;
}

// === impl Labels ===

impl Labels for std::collections::BTreeMap<String, String> {
    fn value(&self, key: &str) -> Option<&str> {
        self.get(key).map(String::as_str)
    }
}

impl<T: Labels> Labels for Option<T> {
    fn value(&self, key: &str) -> Option<&str> {
        self.as_ref()?.value(key)
    }
}

impl<T: Labels + ?Sized> Labels for &T {
    fn value(&self, key: &str) -> Option<&str> {
        (*self).value(key)
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Labels for [(K, V)] {
    fn value(&self, key: &str) -> Option<&str> {
        self.iter().find(|(k, _)| k.as_ref() == key).map(|(_, v)| v.as_ref())
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Labels for Vec<(K, V)> {
    fn value(&self, key: &str) -> Option<&str> {
        self.as_slice().value(key)
    }
}

impl Labels for crate::Object {
    fn value(&self, key: &str) -> Option<&str> {
        self.labels().find(|(k, _)| *k == key).map(|(_, v)| v)
    }
}
